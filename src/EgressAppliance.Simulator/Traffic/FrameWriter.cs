using System.Buffers.Binary;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.Traffic;

/// <summary>
/// Writes Ethernet + IPv4 or IPv6 + UDP frames as a mirror port with a snap length delivers them: headers and the first payload octets. The
/// payload is all zeros, so that both checksums are right without touching it.
/// </summary>
public static class FrameWriter
{
    /// <summary>Octets kept of a frame at most.</summary>
    public const int SnapLength = 128;

    /// <summary>Ethernet header.</summary>
    public const int EthernetHeader = 14;

    /// <summary>Layer-2 octets per packet that an interface counter includes: Ethernet header and FCS.</summary>
    public const int Layer2Overhead = 18;

    /// <summary>The shortest IP packet written: IPv6 and UDP headers; also long enough that Ethernet needs no padding.</summary>
    public const int MinimumIpLength = 48;

    /// <summary>
    /// Writes one frame.
    /// </summary>
    /// <param name="frame">At least <see cref="SnapLength"/> octets; octets after the headers are set to zero.</param>
    /// <param name="destinationMac">Destination MAC.</param>
    /// <param name="sourceMac">Source MAC.</param>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address, of the same family.</param>
    /// <param name="ipLength">Length of the IP packet, <see cref="MinimumIpLength"/> to 65535.</param>
    /// <param name="ports">Source port in the upper, destination port in the lower 16 bits.</param>
    /// <returns>Octets of the frame that are there: all, or <see cref="SnapLength"/>.</returns>
    public static int Write(
        Span<byte> frame, MacAddress destinationMac, MacAddress sourceMac, IpAddr source, IpAddr destination, int ipLength, uint ports)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ipLength, MinimumIpLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ipLength, ushort.MaxValue);
        frame[..SnapLength].Clear();
        destinationMac.WriteBytes(frame);
        sourceMac.WriteBytes(frame[6..]);
        Span<byte> ip = frame[EthernetHeader..];
        bool v4 = destination.Family == IpFamily.IPv4;
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], v4 ? (ushort)0x0800 : (ushort)0x86DD);
        int header = v4 ? WriteIPv4(ip, source, destination, ipLength) : WriteIPv6(ip, source, destination, ipLength);
        WriteUdp(ip, header, v4, ipLength - header, ports);
        return Math.Min(SnapLength, EthernetHeader + ipLength);
    }

    private static int WriteIPv4(Span<byte> ip, IpAddr source, IpAddr destination, int length)
    {
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)length);
        ip[6] = 0x40; // don't fragment
        ip[8] = 63;
        ip[9] = 17;
        source.WriteBytes(ip[12..]);
        destination.WriteBytes(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~Fold(Sum(ip[..20])));
        return 20;
    }

    private static int WriteIPv6(Span<byte> ip, IpAddr source, IpAddr destination, int length)
    {
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(length - 40));
        ip[6] = 17;
        ip[7] = 63;
        source.WriteBytes(ip[8..]);
        destination.WriteBytes(ip[24..]);
        return 40;
    }

    private static void WriteUdp(Span<byte> ip, int header, bool v4, int length, uint ports)
    {
        Span<byte> udp = ip[header..];
        BinaryPrimitives.WriteUInt32BigEndian(udp, ports);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)length);

        // Pseudo-header (RFC 768, RFC 8200 section 8.1): addresses, protocol, length; the payload adds nothing.
        uint sum = Sum(v4 ? ip[12..20] : ip[8..40]) + 17 + (uint)length + Sum(udp[..6]);
        ushort checksum = (ushort)~Fold(sum);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum == 0 ? (ushort)0xFFFF : checksum);
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        }

        return sum;
    }

    private static uint Fold(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (sum & 0xFFFF) + (sum >> 16);
    }
}
