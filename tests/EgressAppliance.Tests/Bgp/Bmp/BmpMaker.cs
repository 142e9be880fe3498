using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>Makes BMP messages as a router would.</summary>
internal static class BmpMaker
{
    public const uint RouterAs = 65000;
    public const byte PostPolicy = 0x40;
    public const byte LegacyAsPath = 0x20;
    public const byte AdjRibOut = 0x10;

    public delegate void Encoder(ref BgpWriter writer);

    public static BmpPeerHeader Peer(string address, uint asNumber, byte flags = 0, ulong distinguisher = 0)
    {
        IpAddr parsed = IpAddr.Parse(address);
        byte all = (byte)(flags | (parsed.Family == IpFamily.IPv6 ? 0x80 : 0));
        return new(new(distinguisher == 0 ? BmpPeerType.GlobalInstance : BmpPeerType.RdInstance, distinguisher, parsed), all, asNumber, 0x0A000001, 1_700_000_000, 5);
    }

    public static BmpPeerHeader LocRib(ulong distinguisher = 0, byte flags = 0) =>
        new(new(BmpPeerType.LocRibInstance, distinguisher, IpAddr.FromIPv4(0)), flags, RouterAs, 0x0A0000FE, 0, 0);

    public static byte[] Message(BmpMessageType type, params byte[][] parts) => Message((byte)type, parts);

    public static byte[] Message(byte type, params byte[][] parts)
    {
        byte[] message = [BmpConstants.Version, 0, 0, 0, 0, type, .. parts.SelectMany(p => p)];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length);
        return message;
    }

    public static byte[] Header(BmpPeerHeader peer) => Octets((ref BgpWriter w) => peer.Encode(ref w));

    public static byte[] Tlv(ushort type, params byte[] value) => [(byte)(type >> 8), (byte)type, (byte)(value.Length >> 8), (byte)value.Length, .. value];

    public static byte[] Tlv(ushort type, string text) => Tlv(type, Encoding.UTF8.GetBytes(text));

    public static byte[] Initiation(string name = "edge1", string description = "a router") =>
        Message(BmpMessageType.Initiation, Tlv(BmpTlv.SysDescr, description), Tlv(BmpTlv.SysName, name));

    public static byte[] Termination(ushort reason, string text = "") =>
        Message(BmpMessageType.Termination, Tlv(BmpTlv.TerminationReason, (byte)(reason >> 8), (byte)reason), Tlv(BmpTlv.FreeText, text));

    public static OpenMessage Open(uint asNumber, bool fourOctet = true, AddPathMode addPath = AddPathMode.None, params BgpCapability[] more) => new()
    {
        MyAs = (ushort)(asNumber > ushort.MaxValue ? BgpConstants.AsTrans : asNumber),
        HoldTime = 90,
        RouterId = 0x0A000001,
        Capabilities =
        [
            BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast),
            .. fourOctet ? new[] { BgpCapability.FourOctetAs(asNumber) } : [],
            .. addPath == AddPathMode.None ? [] : new[] { BgpCapability.AddPath(new(AfiSafi.IPv4Unicast, addPath), new(AfiSafi.IPv6Unicast, addPath)) },
            .. more,
        ],
    };

    public static byte[] PeerUp(BmpPeerHeader peer, OpenMessage? sent = null, OpenMessage? received = null, ushort port = 40000, params byte[][] tlvs) =>
        Message(
            BmpMessageType.PeerUp,
            [
                Header(peer),
                Octets((ref BgpWriter w) =>
                {
                    w.WriteUInt64(0);
                    w.WriteUInt64(0);
                    w.WriteUInt16(179);
                    w.WriteUInt16(port);
                }),
                Octets((sent ?? Open(RouterAs)).Encode),
                Octets((received ?? Open(peer.As)).Encode),
                .. tlvs,
            ]);

    public static byte[] PeerDown(BmpPeerHeader peer, BmpPeerDownReason reason, params byte[] data) =>
        Message(BmpMessageType.PeerDown, Header(peer), [(byte)reason], data);

    public static byte[] RouteMonitoring(BmpPeerHeader peer, byte[] bgpMessage) => Message(BmpMessageType.RouteMonitoring, Header(peer), bgpMessage);

    public static byte[] Routes(BmpPeerHeader peer, UpdateMessage update, BgpCodecOptions? options = null) => RouteMonitoring(
        peer, Octets((ref BgpWriter w) => UpdateEncoder.Encode(ref w, update, options ?? new() { FourOctetAs = !peer.IsLegacyAsPath })));

    public static byte[] Announce(BmpPeerHeader peer, string asPath, params string[] prefixes) => Routes(peer, Announcement(asPath, prefixes));

    public static UpdateMessage Announcement(string asPath, params string[] prefixes)
    {
        var update = new UpdateMessage();
        var attributes = new PathAttributes
        {
            NextHop = new(IpAddr.Parse("192.0.2.9")),
            AsPath = AsPath.Sequence([.. asPath.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse)]),
        };
        foreach (string prefix in prefixes)
        {
            IpPrefix parsed = IpPrefix.Parse(prefix);
            if (parsed.Family == IpFamily.IPv4)
            {
                update.Announced.Add(new(parsed));
            }
            else
            {
                update.MpReachFamily = AfiSafi.IPv6Unicast;
                update.MpNextHop = new(IpAddr.Parse("2001:db8::9"));
                update.MpReach.Add(new(parsed));
            }
        }

        update.Attributes = update.Announced.Count > 0 ? attributes : attributes.WithNextHop(default);
        return update;
    }

    public static byte[] Withdraw(BmpPeerHeader peer, params string[] prefixes)
    {
        var update = new UpdateMessage();
        update.Withdrawn.AddRange(prefixes.Select(p => new Nlri(IpPrefix.Parse(p))));
        return Routes(peer, update);
    }

    public static byte[] EndOfRib(BmpPeerHeader peer, AfiSafi family) =>
        RouteMonitoring(peer, Octets((ref BgpWriter w) => UpdateEncoder.EndOfRib(ref w, family)));

    public static byte[] Statistics(BmpPeerHeader peer, params byte[][] tlvs) =>
        Message(BmpMessageType.StatisticsReport, [Header(peer), [0, 0, 0, (byte)tlvs.Length], .. tlvs]);

    public static byte[] Octets(Encoder encode)
    {
        var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        encode(ref writer);
        Assert.False(writer.Overflowed);
        return writer.Written.ToArray();
    }
}
