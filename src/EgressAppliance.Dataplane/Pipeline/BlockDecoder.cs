using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net.Lpm;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// Decodes the frames of a block into a batch: what nearly every mirrored frame is, in straight-line code, the rest by <see cref="FrameDecoder"/>.
/// </summary>
/// <remarks>
/// The short way takes Ethernet frames of at least 58 captured bytes with at most one tag, then IPv4 with a header of 20 bytes, or IPv6. Everything else,
/// and everything that is not as it should be, goes the long way, so the two can differ only in what the short way accepts; a test holds them equal.
/// </remarks>
internal static unsafe class BlockDecoder
{
    // Read as little-endian numbers, as x86-64 and arm64 do: the type field first, then the first octets of the IP header.
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

    /// <summary>Decodes frames until the block is at its end or the batch is full.</summary>
    /// <typeparam name="TCursor">How the frames lie in memory; the loop is compiled for each.</typeparam>
    /// <param name="cursor">The first frame; then the first that was not decoded.</param>
    /// <param name="links">Gives frames their link.</param>
    /// <param name="decapsulation">Tunnels that are taken off first.</param>
    /// <param name="table">Where IPv4 destinations will be looked up: asked for their memory already now.</param>
    /// <param name="batch">Gets the packets, and how all frames ended.</param>
    /// <returns>Frames decoded.</returns>
    public static int Decode<TCursor>(ref TCursor cursor, LinkResolver links, Decapsulation decapsulation, IPv4Prefetch table, PacketBatch batch)
        where TCursor : struct, IFrameCursor
    {
        int frames = 0;
        int room = batch.Capacity - (int)batch.Totals.Frames;
        while (true)
        {
            int before = batch.Count4 + batch.Count6;
            int limit = before + room - frames;
            if (decapsulation != Decapsulation.None)
            {
                // The short way knows nothing of tunnels.
            }
            else if (links.IsConstant)
            {
                DecodeUsual(ref cursor, links.Constant, table, batch, limit);
            }
            else if (!links.NeedsVlan)
            {
                DecodeUsual(ref cursor, links.ByMac, table, batch, limit);
            }
            else
            {
                DecodeUsual(ref cursor, links.ByMacAndVlan, table, batch, limit);
            }

            frames += batch.Count4 + batch.Count6 - before;
            if (frames == room || !cursor.HasFrame)
            {
                break;
            }

            DecodeUnusual(new ReadOnlySpan<byte>(cursor.Bytes, cursor.CapturedLength), cursor.Header, links, decapsulation, batch);
            cursor.Advance();
            frames++;
        }

        // The loop has only addresses of its tables, and the rules may have been replaced meanwhile.
        GC.KeepAlive(links);
        batch.Totals.Frames += frames;
        return frames;
    }

    /// <summary>Decodes frames until one is unusual, the block is at its end, or the batch has so many packets.</summary>
    /// <remarks>
    /// Which frames have a tag and which family they are is random to the processor, so there is no branch on either: fields are written
    /// for both families, and only the right one's count goes on. Nothing is called, so that all values stay in registers; not inlined, for the
    /// same reason. Optimized at first use: a replay is over before tiered compilation would notice.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void DecodeUsual<TCursor, TLinks>(ref TCursor cursor, TLinks links, IPv4Prefetch table, PacketBatch batch, nint limit)
        where TCursor : struct, IFrameCursor
        where TLinks : struct, ILinkFinder
    {
        TCursor at = cursor;
        PacketColumns* columns = batch.Columns;
        nint count4 = batch.Count4;
        nint count6 = batch.Count6;

        // Invariant: what is read lies below the captured length, checked before; the batch has room for the packets up to the limit, and so each of
        // its columns for one more than is in it.
        while (count4 + count6 < limit && at.HasFrame && at.CapturedLength >= EthernetBytes + TagBytes + IPv6Bytes && at.IsEthernet)
        {
            byte* p = at.Bytes;
            uint type = *(ushort*)(p + TypeOffset);
            nint tagged = AsNumber(type == TypeVlan) | AsNumber(type == TypeProviderVlan);
            byte* ip = p + EthernetBytes + (tagged * TagBytes);
            uint head = *(uint*)(ip - sizeof(ushort));
            uint length4 = BinaryPrimitives.ReverseEndianness(*(ushort*)(ip + 2));
            uint payload6 = BinaryPrimitives.ReverseEndianness(*(ushort*)(ip + 4));
            nint is4 = AsNumber((head & IPv4Mask) == IPv4With20Bytes) & AsNumber(length4 >= IPv4Bytes);
            nint is6 = AsNumber((head & IPv6Mask) == IPv6) & AsNumber(payload6 != 0);
            int link = links.Find(p, (int)tagged, at.VlanTci);
            if ((is4 | is6) == 0 || link < 0)
            {
                break;
            }

            uint destination4 = BinaryPrimitives.ReverseEndianness(*(uint*)(ip + 16));
            table.Ask(destination4 & (uint)-is4);
            columns->Destinations4[count4] = destination4;
            columns->Lengths4[count4] = length4;
            columns->Links4[count4] = (byte)link;
            columns->Highs6[count6] = BinaryPrimitives.ReverseEndianness(*(ulong*)(ip + 24));
            columns->Lows6[count6] = BinaryPrimitives.ReverseEndianness(*(ulong*)(ip + 32));
            columns->Lengths6[count6] = IPv6Bytes + payload6;
            columns->Links6[count6] = (byte)link;
            count4 += is4;
            count6 += is6;
            at.Advance();
        }

        cursor = at;
        batch.Commit((int)count4, (int)count6);
    }

    /// <summary>1 for true, without a branch.</summary>
    private static nint AsNumber(bool value) => Unsafe.BitCast<bool, byte>(value);

    /// <summary>Decodes a frame of any kind.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DecodeUnusual(ReadOnlySpan<byte> bytes, in FrameHeader frame, LinkResolver links, Decapsulation decapsulation, PacketBatch batch)
    {
        DecodeStatus status = FrameDecoder.Decode(bytes, frame, decapsulation, out PacketFields fields);
        int link = links.Resolve(fields.DestinationMac, fields.Vlan);
        PacketColumns* columns = batch.Columns;
        int count4 = batch.Count4;
        int count6 = batch.Count6;
        if (link == LinkResolver.Ignored)
        {
            batch.Totals.Ignored++;
        }
        else if (status == DecodeStatus.IPv4)
        {
            // Invariant: the caller has room for the packet in every column.
            columns->Destinations4[count4] = fields.DestinationIPv4;
            columns->Lengths4[count4] = fields.IpBytes;
            columns->Links4[count4] = (byte)link;
            batch.Commit(count4 + 1, count6);
        }
        else if (status == DecodeStatus.IPv6)
        {
            columns->Highs6[count6] = fields.DestinationHigh;
            columns->Lows6[count6] = fields.DestinationLow;
            columns->Lengths6[count6] = fields.IpBytes;
            columns->Links6[count6] = (byte)link;
            batch.Commit(count4, count6 + 1);
        }
        else
        {
            batch.Totals.ByStatus[(int)status]++;
        }
    }
}
