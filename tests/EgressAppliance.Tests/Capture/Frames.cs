using System.Buffers.Binary;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Capture;

/// <summary>Makes frames.</summary>
internal static class Frames
{
    public const string DefaultMac = "02:00:00:00:0a:02";

    /// <summary>An Ethernet frame with an IP header for the destination, padded to <paramref name="payload"/> bytes behind it.</summary>
    /// <param name="destination">IP destination; its family decides the header.</param>
    /// <param name="payload">Bytes behind the IP header.</param>
    /// <param name="mac">Destination MAC.</param>
    /// <param name="tags">VLAN tags, outermost first: TPID in the upper half, TCI in the lower.</param>
    public static byte[] Ip(string destination, int payload = 8, string mac = DefaultMac, params uint[] tags)
    {
        IpAddr address = IpAddr.Parse(destination, null);
        bool isIPv4 = address.Family == IpFamily.IPv4;
        byte[] packet = new byte[(isIPv4 ? 20 : 40) + payload];
        if (isIPv4)
        {
            packet[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            packet[8] = 64;
            packet[9] = 17;
            address.WriteBytes(packet.AsSpan(16));
        }
        else
        {
            packet[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload);
            packet[6] = 17;
            packet[7] = 64;
            address.WriteBytes(packet.AsSpan(24));
        }

        return Ethernet((ushort)(isIPv4 ? 0x0800 : 0x86DD), packet, mac, tags);
    }

    public static byte[] Ethernet(ushort etherType, ReadOnlySpan<byte> payload, string mac = DefaultMac, params uint[] tags)
    {
        byte[] frame = new byte[14 + (4 * tags.Length) + payload.Length];
        Assert.True(MacAddress.TryParse(mac, out MacAddress destination));
        destination.WriteBytes(frame);
        frame[6] = 2;
        int at = 12;
        foreach (uint tag in tags)
        {
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(at), tag);
            at += 4;
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at), etherType);
        payload.CopyTo(frame.AsSpan(at + 2));
        return frame;
    }
}
