using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Tests.Capture;

namespace EgressAppliance.Tests.Dataplane;

public class FrameDecoderTests
{
    private static readonly byte[] IPv4Header = Frames.Ip("192.0.2.1", 0)[14..];
    private static readonly byte[] IPv6Header = Frames.Ip("2001:db8::1", 0)[14..];

    public static TheoryData<string, byte[], DecodeStatus> FrameCases => new()
    {
        { "plain IPv4", Frames.Ip("192.0.2.1"), DecodeStatus.IPv4 },
        { "plain IPv6", Frames.Ip("2001:db8::1"), DecodeStatus.IPv6 },
        { "802.1Q", Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x8100_0001), DecodeStatus.IPv4 },
        { "QinQ", Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x88A8_0001, 0x8100_0002), DecodeStatus.IPv4 },
        { "old QinQ", Frames.Ip("2001:db8::1", 8, Frames.DefaultMac, 0x9100_0001, 0x9100_0001, 0x8100_0002), DecodeStatus.IPv6 },
        { "ARP", Frames.Ethernet(0x0806, new byte[28]), DecodeStatus.NonIp },
        { "802.3 without SNAP", Frames.Ethernet(0x0026, [0x42, 0x42, 3, 0, 0, 0, 0, 0]), DecodeStatus.NonIp },
        { "SNAP", Frames.Ethernet(100, [0xAA, 0xAA, 3, 0, 0, 0, 8, 0, .. IPv4Header]), DecodeStatus.IPv4 },
        { "MPLS", Frames.Ethernet(0x8847, [0, 0, 0x10, 64, 0, 0, 0x21, 64, .. IPv4Header]), DecodeStatus.IPv4 },
        { "MPLS pseudowire", Frames.Ethernet(0x8847, [0, 0, 0x21, 64, 0, 0, 0, 0]), DecodeStatus.NonIp },
        { "MPLS cut", Frames.Ethernet(0x8847, [0, 0, 0x10, 64, 0, 0]), DecodeStatus.TruncatedMpls },
        { "MPLS and nothing", Frames.Ethernet(0x8847, [0, 0, 0x11, 64]), DecodeStatus.TruncatedMpls },
        { "PPPoE", Frames.Ethernet(0x8864, [0x11, 0, 0, 1, 0, 22, 0, 0x57, .. IPv6Header]), DecodeStatus.IPv6 },
        { "PPPoE, compressed protocol", Frames.Ethernet(0x8864, [0x11, 0, 0, 1, 0, 22, 0x21, .. IPv4Header]), DecodeStatus.IPv4 },
        { "PPPoE LCP", Frames.Ethernet(0x8864, [0x11, 0, 0, 1, 0, 22, 0xC0, 0x21, 1, 1]), DecodeStatus.NonIp },
        { "PPPoE cut", Frames.Ethernet(0x8864, [0x11, 0, 0]), DecodeStatus.TruncatedPpp },
        { "Ethernet cut", new byte[13], DecodeStatus.TruncatedEthernet },
        { "empty", [], DecodeStatus.TruncatedEthernet },
        { "VLAN cut", Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x8100_0001)[..17], DecodeStatus.TruncatedVlan },
        { "IPv4 cut", Frames.Ip("192.0.2.1")[..33], DecodeStatus.TruncatedIpv4 },
        { "IPv4 options cut", Frames.Ethernet(0x0800, [0x46, 0, 0, 40, .. new byte[19]]), DecodeStatus.TruncatedIpv4 },
        { "IPv4 options whole", Frames.Ethernet(0x0800, [0x46, 0, 0, 40, .. new byte[20]]), DecodeStatus.IPv4 },
        { "IPv4 payload cut", Frames.Ip("192.0.2.1", 1000)[..34], DecodeStatus.IPv4 },
        { "IPv4 version", Frames.Ethernet(0x0800, IPv6Header), DecodeStatus.BadIpv4Version },
        { "IPv4 header length", Frames.Ethernet(0x0800, [0x44, 0, 0, 40, .. new byte[16]]), DecodeStatus.BadIpv4HeaderLength },
        { "IPv4 total length", Frames.Ethernet(0x0800, [0x45, 0, 0, 19, .. new byte[16]]), DecodeStatus.BadIpv4TotalLength },
        { "IPv4 total length zero", Frames.Ethernet(0x0800, [0x45, 0, 0, 0, .. new byte[16]]), DecodeStatus.Ipv4TotalLengthZero },
        { "IPv6 cut", Frames.Ip("2001:db8::1")[..53], DecodeStatus.TruncatedIpv6 },
        { "IPv6 version", Frames.Ethernet(0x86DD, [.. IPv4Header, .. new byte[20]]), DecodeStatus.BadIpv6Version },
    };

    public static TheoryData<int, byte[], DecodeStatus> LinkLayerCases => new()
    {
        { 101, IPv4Header, DecodeStatus.IPv4 },
        { 101, IPv6Header, DecodeStatus.IPv6 },
        { 101, [0x50, 0, 0, 0], DecodeStatus.BadIpVersion },
        { 101, [], DecodeStatus.TruncatedLinkHeader },
        { 228, IPv4Header, DecodeStatus.IPv4 },
        { 229, IPv6Header, DecodeStatus.IPv6 },
        { 113, [.. new byte[14], 8, 0, .. IPv4Header], DecodeStatus.IPv4 },
        { 113, [.. new byte[14], 0x81, 0, 0, 5, 8, 0, .. IPv4Header], DecodeStatus.IPv4 },
        { 113, [.. new byte[14], 0, 4, .. IPv4Header], DecodeStatus.NonIp },
        { 113, new byte[15], DecodeStatus.TruncatedLinkHeader },
        { 276, [0x86, 0xDD, .. new byte[18], .. IPv6Header], DecodeStatus.IPv6 },
        { 276, new byte[19], DecodeStatus.TruncatedLinkHeader },
        { 0, [2, 0, 0, 0, .. IPv4Header], DecodeStatus.IPv4 },
        { 0, [0, 0, 0, 30, .. IPv6Header], DecodeStatus.IPv6 },
        { 0, [7, 0, 0, 0, .. IPv6Header], DecodeStatus.NonIp },
        { 0, [2, 0, 0], DecodeStatus.TruncatedLinkHeader },
        { 9, [0xFF, 3, 0, 0x21, .. IPv4Header], DecodeStatus.IPv4 },
        { 9, [0, 0x57, .. IPv6Header], DecodeStatus.IPv6 },
        { 9, [], DecodeStatus.TruncatedPpp },
        { 105, IPv4Header, DecodeStatus.UnsupportedLinkLayer },
    };

    [Theory]
    [MemberData(nameof(FrameCases))]
    public void Decode_ethernet_frame_ends_as_expected(string what, byte[] frame, DecodeStatus expected)
    {
        Assert.Equal((what, expected), (what, Decode(frame, LinkLayerType.Ethernet, out _)));
    }

    [Theory]
    [MemberData(nameof(LinkLayerCases))]
    public void Decode_other_link_layer_ends_as_expected(int linkLayer, byte[] frame, DecodeStatus expected)
    {
        Assert.Equal(expected, Decode(frame, (LinkLayerType)linkLayer, out PacketFields fields));
        Assert.Equal(PacketFields.NoMac, fields.DestinationMac);
    }

    [Fact]
    public void Decode_fields_are_those_of_the_header()
    {
        Decode(Frames.Ip("192.0.2.77", 1000)[..60], LinkLayerType.Ethernet, out PacketFields four);
        Assert.Equal((0xC000024DU, 1020U, 0x020000000A02UL, 0), (four.DestinationIPv4, four.IpBytes, four.DestinationMac, four.Vlan));
        Decode(Frames.Ip("2001:db8::77", 1000), LinkLayerType.Ethernet, out PacketFields six);
        Assert.Equal((0x20010DB8_00000000UL, 0x77UL, 1040U), (six.DestinationHigh, six.DestinationLow, six.IpBytes));
    }

    [Theory]
    [InlineData(null, new uint[] { 0x8100_2065 }, 0x65)]
    [InlineData(null, new uint[] { 0x88A8_0064, 0x8100_0065 }, 0x64)]
    [InlineData(0x2003, new uint[] { 0x8100_0065 }, 3)]
    [InlineData(0xE000, new uint[] { 0x8100_0065 }, 0x65)]
    [InlineData(null, new uint[] { 0x8100_E000 }, 0)]
    [InlineData(null, new uint[] { 0x8100_0FFF }, 0)]
    [InlineData(0x0005, new uint[0], 5)]
    public void Decode_vlan_is_the_outermost_tag_with_an_id(int? stripped, uint[] tags, int expected)
    {
        byte[] frame = Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, tags);
        FrameHeader header = new(0, frame.Length, frame.Length, (ushort)(stripped ?? 0), stripped is not null, LinkLayerType.Ethernet);
        Assert.Equal(DecodeStatus.IPv4, FrameDecoder.Decode(frame, header, out PacketFields fields));
        Assert.Equal(expected, fields.Vlan);
    }

    [Fact]
    public void ToReason_is_snake_case()
    {
        Assert.Equal("truncated_ipv4", DecodeStatus.TruncatedIpv4.ToReason());
        Assert.Equal("ipv4_total_length_zero", DecodeStatus.Ipv4TotalLengthZero.ToReason());
        Assert.Equal("bad_ipv4_header_length", DecodeStatus.BadIpv4HeaderLength.ToReason());
        Assert.Equal("unsupported_link_layer", DecodeStatus.UnsupportedLinkLayer.ToReason());
    }

    private static DecodeStatus Decode(byte[] frame, LinkLayerType linkLayer, out PacketFields fields) =>
        FrameDecoder.Decode(frame, new FrameHeader(0, frame.Length, frame.Length, 0, false, linkLayer), out fields);
}
