using System.Buffers.Binary;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Running;

/// <summary>BMP messages of our own, one of each kind, in the order of a connection.</summary>
internal static class OwnBmp
{
    /// <summary>The messages, with an OPEN and an UPDATE from elsewhere inside.</summary>
    public static IEnumerable<byte[]> Messages(byte[] open, byte[] update)
    {
        yield return Message(BmpMessageType.Initiation, Tlv(BmpTlv.SysDescr, "a router"u8), Tlv(BmpTlv.SysName, "edge1"u8));
        foreach (byte flags in new byte[] { 0, 0x40 })
        {
            byte[] peer = Peer(BmpPeerType.GlobalInstance, flags);
            yield return Message(BmpMessageType.PeerUp, peer, [.. new byte[16], 0, 179, 0x9C, 0x40], open, open);
            yield return Message(BmpMessageType.RouteMonitoring, peer, update);
            yield return Message(BmpMessageType.StatisticsReport, peer, [0, 0, 0, 1], Tlv(7, [0, 0, 0, 0, 0, 0, 0, 3]));
            yield return Message(BmpMessageType.RouteMirroring, peer, Tlv(BmpTlv.MirroringInformation, [0, 1]), Tlv(BmpTlv.MirroredMessage, update));
            yield return Message(BmpMessageType.PeerDown, peer, [(byte)BmpPeerDownReason.RemoteNoNotification]);
        }

        byte[] table = Peer(BmpPeerType.LocRibInstance, 0);
        yield return Message(BmpMessageType.PeerUp, table, new byte[20], open, open, Tlv(BmpTlv.TableName, "global"u8));
        yield return Message(BmpMessageType.RouteMonitoring, table, update);
        yield return Message(BmpMessageType.Termination, Tlv(BmpTlv.TerminationReason, [0, 1]));
    }

    private static byte[] Peer(BmpPeerType type, byte flags)
    {
        var id = new BmpPeerId(type, 0, type == BmpPeerType.LocRibInstance ? IpAddr.FromIPv4(0) : IpAddr.Parse("192.0.2.1"));
        var writer = new BgpWriter(new byte[BmpConstants.PeerHeaderLength]);
        new BmpPeerHeader(id, flags, 65001, 0xC000_0201, 1_700_000_000, 5).Encode(ref writer);
        return writer.Written.ToArray();
    }

    private static byte[] Tlv(ushort type, ReadOnlySpan<byte> value) => [(byte)(type >> 8), (byte)type, (byte)(value.Length >> 8), (byte)value.Length, .. value];

    private static byte[] Message(BmpMessageType type, params byte[][] parts)
    {
        byte[] message = [BmpConstants.Version, 0, 0, 0, 0, (byte)type, .. parts.SelectMany(p => p)];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length);
        return message;
    }
}
