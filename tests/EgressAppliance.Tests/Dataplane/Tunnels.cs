using System.Buffers.Binary;
using EgressAppliance.Tests.Capture;

namespace EgressAppliance.Tests.Dataplane;

/// <summary>Makes tunnel packets, from the inside out. IP packets are given and taken without a frame around them.</summary>
internal static class Tunnels
{
    public const byte IPv4 = 4;
    public const byte Udp = 17;
    public const byte IPv6 = 41;
    public const byte Routing = 43;
    public const byte Fragment = 44;
    public const byte Gre = 47;
    public const byte Ah = 51;
    public const byte DestinationOptions = 60;

    /// <summary>An IP packet to the destination, whose family decides the header.</summary>
    public static byte[] Ip(string destination, byte protocol, ReadOnlySpan<byte> payload, int fragmentOffset = 0)
    {
        byte[] packet = Frames.Ip(destination, payload.Length)[14..];
        bool isIPv4 = packet[0] >> 4 == 4;
        packet[isIPv4 ? 9 : 6] = protocol;
        if (isIPv4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)fragmentOffset);
        }

        payload.CopyTo(packet.AsSpan(isIPv4 ? 20 : 40));
        return packet;
    }

    /// <summary>A packet that carries no tunnel.</summary>
    public static byte[] Plain(string destination, int payload = 8) => Ip(destination, 6, new byte[payload]);

    /// <summary>An IPv6 extension header of 8 octets or more, or AH.</summary>
    public static byte[] Extension(byte nextHeader, byte length, ReadOnlySpan<byte> content, ReadOnlySpan<byte> payload) =>
        [nextHeader, length, .. content, .. payload];

    public static byte[] GreHeader(ushort flags, ushort type, ReadOnlySpan<byte> optional, ReadOnlySpan<byte> payload) =>
        [(byte)(flags >> 8), (byte)flags, (byte)(type >> 8), (byte)type, .. optional, .. payload];

    /// <summary>GRE with a sequence number and the header of type II: version, VLAN, trunk encapsulation.</summary>
    public static byte[] Erspan2(ReadOnlySpan<byte> frame, int vlan = 0, int encapsulation = 0) => GreHeader(
        0x1000, 0x88BE, [0, 0, 0, 1], [(byte)(0x10 | (vlan >> 8)), (byte)vlan, (byte)(encapsulation << 3), 1, 0, 0, 0, 0, .. frame]);

    /// <summary>GRE with a sequence number and the header of type III, with or without its platform subheader.</summary>
    public static byte[] Erspan3(ReadOnlySpan<byte> content, int frameType = 0, bool subheader = false) => GreHeader(
        0x1000, 0x22EB, [0, 0, 0, 1],
        [0x20, 0, 0, 1, 0, 0, 0, 0, 0, 0, (byte)(frameType << 2), (byte)(subheader ? 1 : 0), .. subheader ? new byte[8] : [], .. content]);

    public static byte[] Vxlan(ReadOnlySpan<byte> frame, int port = 4789, byte flags = 8) =>
        [0xC0, 0, (byte)(port >> 8), (byte)port, 0, 0, 0, 0, flags, 0, 0, 0, 0, 0, 1, 0, .. frame];

    /// <summary>The frame of an IP packet.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> packet, string mac = Frames.DefaultMac, params uint[] tags) =>
        Frames.Ethernet((ushort)(packet[0] >> 4 == 4 ? 0x0800 : 0x86DD), packet, mac, tags);
}
