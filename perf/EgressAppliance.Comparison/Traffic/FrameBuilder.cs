using System.Buffers.Binary;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Traffic;

/// <summary>Writes the first bytes of Ethernet frames: headers that a decoder, and a picky one, accepts; the payload is zeros.</summary>
internal static class FrameBuilder
{
    private const int EthernetBytes = 14;
    private const int TagBytes = 4;
    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const ulong RouterMac = 0x0200_0000_EE01;

    /// <summary>A packet of a flow.</summary>
    /// <param name="frame">At least 96 bytes, of which those that were captured are written.</param>
    /// <param name="flow">The flow.</param>
    /// <param name="wireBytes">Length wanted without tag; the frame is longer if headers need it.</param>
    /// <param name="vlan">VLAN id, 0 for no tag.</param>
    /// <param name="sequence">Makes packets of a flow differ.</param>
    /// <returns>The frame's length on the wire.</returns>
    public static int WritePacket(Span<byte> frame, in Flow flow, int wireBytes, ushort vlan, ushort sequence)
    {
        frame.Clear();
        bool v4 = flow.Destination.Family == IpFamily.IPv4;
        int ipHeader = v4 ? 20 : 40;
        int l4Header = flow.IsTcp ? 20 : 8;
        int ipBytes = Math.Max(wireBytes - EthernetBytes, ipHeader + l4Header);
        int at = WriteEthernet(frame, TrafficMix.Links[flow.Link].Mac, vlan, v4 ? (ushort)0x0800 : (ushort)0x86DD);
        Span<byte> ip = frame[at..];
        if (v4)
        {
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ipBytes);
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], sequence);
            ip[8] = 63;
            ip[9] = flow.IsTcp ? Tcp : Udp;
            BinaryPrimitives.WriteUInt32BigEndian(ip[12..], 0xC612_0000u | flow.SourceHost);
            BinaryPrimitives.WriteUInt32BigEndian(ip[16..], flow.Destination.IPv4Value);
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..20]));
        }
        else
        {
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ipBytes - ipHeader));
            ip[6] = flow.IsTcp ? Tcp : Udp;
            ip[7] = 63;
            BinaryPrimitives.WriteUInt64BigEndian(ip[8..], 0x2001_0DB8_00C6_0012);
            BinaryPrimitives.WriteUInt64BigEndian(ip[16..], flow.SourceHost);
            BinaryPrimitives.WriteUInt64BigEndian(ip[24..], flow.Destination.High);
            BinaryPrimitives.WriteUInt64BigEndian(ip[32..], flow.Destination.Low);
        }

        WriteTransport(ip[ipHeader..], flow, ipBytes - ipHeader, sequence);
        return at + ipBytes;
    }

    /// <summary>An ARP request; 60 bytes.</summary>
    public static int WriteArp(Span<byte> frame)
    {
        const int ArpFrameBytes = 60;
        frame[..ArpFrameBytes].Clear();
        int at = WriteEthernet(frame, 0xFFFF_FFFF_FFFF, 0, 0x0806);
        ((ReadOnlySpan<byte>)[0, 1, 8, 0, 6, 4, 0, 1]).CopyTo(frame[at..]);
        return ArpFrameBytes;
    }

    private static int WriteEthernet(Span<byte> frame, ulong destination, ushort vlan, ushort etherType)
    {
        new MacAddress(destination).WriteBytes(frame);
        new MacAddress(RouterMac).WriteBytes(frame[6..]);
        int at = 12;
        if (vlan != 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame[at..], 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(frame[(at + 2)..], vlan);
            at += TagBytes;
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame[at..], etherType);
        return at + 2;
    }

    private static void WriteTransport(Span<byte> l4, in Flow flow, int bytes, ushort sequence)
    {
        BinaryPrimitives.WriteUInt16BigEndian(l4, 443);
        BinaryPrimitives.WriteUInt16BigEndian(l4[2..], flow.Port);
        if (flow.IsTcp)
        {
            BinaryPrimitives.WriteUInt32BigEndian(l4[4..], (uint)sequence << 11);
            l4[12] = 0x50;
            l4[13] = 0x10;
            BinaryPrimitives.WriteUInt16BigEndian(l4[14..], 0xFFFF);
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(l4[4..], (ushort)bytes);
        }
    }

    /// <summary>RFC 1071.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> header)
    {
        uint sum = 0;
        for (int i = 0; i < header.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        }

        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }
}
