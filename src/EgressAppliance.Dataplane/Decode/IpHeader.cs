using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace EgressAppliance.Dataplane.Decode;

/// <summary>
/// Reads an IP header: destination and length of the packet.
/// </summary>
/// <remarks>
/// The length is the one in the header, with one exception: a jumbogram (RFC 2675) is too long for the 16-bit field and has its length in a hop-by-hop
/// option. Packets above 65,535 bytes that segmentation offload makes (BIG TCP) may come without it, their length field 0: then an IPv4 header contradicts
/// itself, and an IPv6 header says that there is no payload. The frame's own length, which snapping and padding make wrong, is not used in its place.
/// </remarks>
internal static class IpHeader
{
    /// <summary>An IPv4 header without options (RFC 791 section 3.1).</summary>
    public const int MinIPv4HeaderBytes = 20;

    /// <summary>The fixed IPv6 header (RFC 8200 section 3).</summary>
    public const int IPv6HeaderBytes = 40;

    private const byte HopByHop = 0;

    /// <summary>Reads an IPv4 header.</summary>
    /// <param name="packet">From its first byte to the end of what was captured.</param>
    /// <param name="fields">Destination and length are filled in.</param>
    public static DecodeStatus DecodeIPv4(ReadOnlySpan<byte> packet, ref PacketFields fields)
    {
        if (packet.Length < MinIPv4HeaderBytes)
        {
            return DecodeStatus.TruncatedIpv4;
        }

        int first = packet[0];
        if (first >> 4 != 4)
        {
            return DecodeStatus.BadIpv4Version;
        }

        int headerBytes = (first & 0xF) * 4;
        if (headerBytes < MinIPv4HeaderBytes)
        {
            return DecodeStatus.BadIpv4HeaderLength;
        }

        int totalLength = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (totalLength < headerBytes)
        {
            return totalLength == 0 ? DecodeStatus.Ipv4TotalLengthZero : DecodeStatus.BadIpv4TotalLength;
        }

        if (packet.Length < headerBytes)
        {
            return DecodeStatus.TruncatedIpv4;
        }

        fields.IpBytes = (uint)totalLength;
        fields.CapturedIpBytes = packet.Length;
        fields.DestinationIPv4 = BinaryPrimitives.ReadUInt32BigEndian(packet[16..]);
        return DecodeStatus.IPv4;
    }

    /// <summary>Reads an IPv6 header.</summary>
    /// <param name="packet">From its first byte to the end of what was captured.</param>
    /// <param name="uncaptured">Bytes that the wire had behind these.</param>
    /// <param name="fields">Destination and length are filled in.</param>
    public static DecodeStatus DecodeIPv6(ReadOnlySpan<byte> packet, int uncaptured, ref PacketFields fields)
    {
        if (packet.Length < IPv6HeaderBytes)
        {
            return DecodeStatus.TruncatedIpv6;
        }

        if (packet[0] >> 4 != 6)
        {
            return DecodeStatus.BadIpv6Version;
        }

        uint totalLength = IPv6HeaderBytes + (uint)BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        if (totalLength == IPv6HeaderBytes && packet[6] == HopByHop)
        {
            DecodeStatus status = FindJumboLength(packet, uncaptured, ref totalLength);
            if (status != DecodeStatus.IPv6)
            {
                return status;
            }
        }

        fields.IpBytes = totalLength;
        fields.CapturedIpBytes = packet.Length;
        fields.DestinationHigh = BinaryPrimitives.ReadUInt64BigEndian(packet[24..]);
        fields.DestinationLow = BinaryPrimitives.ReadUInt64BigEndian(packet[32..]);
        return DecodeStatus.IPv6;
    }

    /// <summary>Reads the header that the version field says it is.</summary>
    public static DecodeStatus DecodeByVersion(ReadOnlySpan<byte> packet, int uncaptured, DecodeStatus otherwise, ref PacketFields fields) =>
        (packet[0] >> 4) switch
        {
            4 => DecodeIPv4(packet, ref fields),
            6 => DecodeIPv6(packet, uncaptured, ref fields),
            _ => otherwise,
        };

    /// <summary>
    /// Takes the length of a jumbogram from the jumbo payload option (RFC 2675 section 2). Without that option the payload length of 0 stands.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodeStatus FindJumboLength(ReadOnlySpan<byte> packet, int uncaptured, ref uint totalLength)
    {
        const byte Pad1 = 0;
        const byte JumboPayload = 0xC2;
        const int JumboPayloadBytes = 4;
        ReadOnlySpan<byte> header = packet[IPv6HeaderBytes..];
        if (header.Length < 2)
        {
            return DecodeStatus.IPv6;
        }

        ReadOnlySpan<byte> options = header[2..Math.Min(header.Length, (header[1] + 1) * 8)];
        for (int i = 0; i < HeaderBudget.MaxOptions; i++)
        {
            int bytes = options.IsEmpty ? 0 : options[0] == Pad1 ? 1 : options.Length < 2 ? int.MaxValue : 2 + options[1];
            if (bytes == 0 || bytes > options.Length)
            {
                return DecodeStatus.IPv6;
            }

            if (options[0] == JumboPayload)
            {
                // A length that the frame has no room for would let one forged frame count for gigabytes.
                long room = Math.Min((long)packet.Length + Math.Max(uncaptured, 0), int.MaxValue) - IPv6HeaderBytes;
                uint payloadLength = bytes == 2 + JumboPayloadBytes ? BinaryPrimitives.ReadUInt32BigEndian(options[2..]) : 0;
                totalLength = IPv6HeaderBytes + payloadLength;
                return payloadLength > ushort.MaxValue && payloadLength <= room ? DecodeStatus.IPv6 : DecodeStatus.BadIpv6JumboLength;
            }

            options = options[bytes..];
        }

        return DecodeStatus.TooDeep;
    }
}
