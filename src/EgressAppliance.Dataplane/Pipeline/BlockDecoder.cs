using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Decode;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// Decodes the frames of a block into a batch: what nearly every mirrored frame is, in straight-line code, the rest by <see cref="FrameDecoder"/>.
/// </summary>
/// <remarks>
/// The short way takes Ethernet frames with at most one tag whose type is IPv4 with a header of 20 bytes, or IPv6, wholly captured. Everything else,
/// and everything that is not as it should be, goes the long way, so the two can differ only in what the short way accepts; a test holds them equal.
/// </remarks>
internal static unsafe class BlockDecoder
{
    // Read as little-endian numbers, as x86-64 and arm64 do: the type field first, then the first octets of the IP header.
    private const uint TypeMask = 0xFFFF;
    private const uint TypeVlan = 0x0081;
    private const uint TypeProviderVlan = 0xA888;
    private const uint IPv4Mask = 0xFF_FFFF;
    private const uint IPv4With20Bytes = 0x45_0008;
    private const uint IPv6Mask = 0xF0_FFFF;
    private const uint IPv6 = 0x60_DD86;
    private const int TypeOffset = 12;
    private const int EthernetBytes = 14;
    private const int TagBytes = 4;
    private const int IPv4Bytes = 20;
    private const int IPv6Bytes = 40;

    /// <summary>Decodes frames, as many as the batch has room for at most.</summary>
    /// <param name="data">The block's memory.</param>
    /// <param name="frames">The frames.</param>
    /// <param name="links">Gives them their link.</param>
    /// <param name="batch">Gets the packets, and how all frames ended.</param>
    /// <remarks>Optimized at first use: a replay is over before tiered compilation would notice.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode(ReadOnlySpan<byte> data, ReadOnlySpan<FrameHeader> frames, LinkResolver links, PacketBatch batch)
    {
        PacketBatch.Places to = batch.FreePlaces();
        batch.Totals.Frames += frames.Length;
        int constantLink = links.Constant;
        int count4 = 0;
        int count6 = 0;
        long ipBytes = 0;

        // Invariant: every frame lies within data (FrameBlock); a field is read below the captured length, checked before; the batch has room for all frames.
        fixed (byte* memory = data)
        {
            foreach (ref readonly FrameHeader frame in frames)
            {
                byte* p = memory + frame.Offset;
                int captured = frame.CapturedLength;
                if (frame.LinkLayer == LinkLayerType.Ethernet && captured >= EthernetBytes + TagBytes + IPv4Bytes)
                {
                    uint head = *(uint*)(p + TypeOffset);
                    int tag = 0;
                    int tci = frame.HasVlan ? frame.VlanTci : 0;
                    if ((head & TypeMask) is TypeVlan or TypeProviderVlan)
                    {
                        tag = TagBytes;
                        tci = FrameDecoder.VlanId((ushort)tci) != 0 ? tci : BinaryPrimitives.ReverseEndianness((ushort)(head >> 16));
                        head = *(uint*)(p + TypeOffset + TagBytes);
                    }

                    byte* ip = p + EthernetBytes + tag;
                    if ((head & IPv4Mask) == IPv4With20Bytes)
                    {
                        uint length = BinaryPrimitives.ReverseEndianness(*(ushort*)(ip + 2));
                        int link = constantLink >= 0 ? constantLink : links.Resolve(MacOf(p), FrameDecoder.VlanId((ushort)tci));
                        if (length >= IPv4Bytes && link >= 0)
                        {
                            to.Destinations4[count4] = BinaryPrimitives.ReverseEndianness(*(uint*)(ip + 16));
                            to.Lengths4[count4] = length;
                            to.Links4[count4] = (byte)link;
                            count4++;
                            ipBytes += length;
                            continue;
                        }
                    }
                    else if ((head & IPv6Mask) == IPv6 && captured >= EthernetBytes + tag + IPv6Bytes)
                    {
                        uint length = BinaryPrimitives.ReverseEndianness(*(ushort*)(ip + 4));
                        int link = constantLink >= 0 ? constantLink : links.Resolve(MacOf(p), FrameDecoder.VlanId((ushort)tci));
                        if (length != 0 && link >= 0)
                        {
                            to.Highs6[count6] = BinaryPrimitives.ReverseEndianness(*(ulong*)(ip + 24));
                            to.Lows6[count6] = BinaryPrimitives.ReverseEndianness(*(ulong*)(ip + 32));
                            to.Lengths6[count6] = IPv6Bytes + length;
                            to.Links6[count6] = (byte)link;
                            count6++;
                            ipBytes += IPv6Bytes + length;
                            continue;
                        }
                    }
                }

                batch.Commit(count4, count6, ipBytes);
                count4 = count6 = 0;
                ipBytes = 0;
                DecodeAnyFrame(new ReadOnlySpan<byte>(p, captured), frame, links, batch);
                to = batch.FreePlaces();
            }
        }

        batch.Commit(count4, count6, ipBytes);
    }

    private static ulong MacOf(byte* frame) => BinaryPrimitives.ReverseEndianness(*(ulong*)frame) >> 16;

    /// <summary>Decodes a frame of any kind.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DecodeAnyFrame(ReadOnlySpan<byte> bytes, in FrameHeader frame, LinkResolver links, PacketBatch batch)
    {
        DecodeStatus status = FrameDecoder.Decode(bytes, frame, out PacketFields fields);
        int link = links.Resolve(fields.DestinationMac, fields.Vlan);
        if (link == LinkResolver.Ignored)
        {
            batch.Totals.Ignored++;
        }
        else if (status == DecodeStatus.IPv4)
        {
            PacketBatch.Places to = batch.FreePlaces();
            *to.Destinations4 = fields.DestinationIPv4;
            *to.Lengths4 = fields.IpBytes;
            *to.Links4 = (byte)link;
            batch.Commit(1, 0, fields.IpBytes);
        }
        else if (status == DecodeStatus.IPv6)
        {
            PacketBatch.Places to = batch.FreePlaces();
            *to.Highs6 = fields.DestinationHigh;
            *to.Lows6 = fields.DestinationLow;
            *to.Lengths6 = fields.IpBytes;
            *to.Links6 = (byte)link;
            batch.Commit(0, 1, fields.IpBytes);
        }
        else
        {
            batch.Totals.ByStatus[(int)status]++;
        }
    }
}
