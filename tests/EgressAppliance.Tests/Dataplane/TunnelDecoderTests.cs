using System.Buffers.Binary;
using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using static EgressAppliance.Tests.Dataplane.Tunnels;

namespace EgressAppliance.Tests.Dataplane;

public class TunnelDecoderTests
{
    private const string Outer4 = "192.0.2.1";
    private const string Outer6 = "2001:db8::1";
    private const string Inner4 = "198.51.100.7";
    private const string Inner6 = "2001:db8:7::7";
    private const string MirroredMac = "02:00:00:00:0b:02";

    private static readonly byte[] Packet4 = Plain(Inner4);
    private static readonly byte[] Packet6 = Plain(Inner6);
    private static readonly byte[] Mirrored = Frame(Packet4, MirroredMac, 0x8100_0065);

    /// <summary>What, frame, destination of the innermost IP header.</summary>
    public static TheoryData<string, byte[], string> InnermostCases => new()
    {
        { "no tunnel", Frame(Packet4), Inner4 },
        { "4 in 4", Frame(Ip(Outer4, IPv4, Packet4)), Inner4 },
        { "6 in 4", Frame(Ip(Outer4, IPv6, Packet6)), Inner6 },
        { "4 in 6", Frame(Ip(Outer6, IPv4, Packet4)), Inner4 },
        { "6 in 6", Frame(Ip(Outer6, IPv6, Packet6)), Inner6 },
        { "MPLS in IP", Frame(Ip(Outer4, 137, [0, 1, 0x01, 64, .. Packet6])), Inner6 },
        { "Ethernet in IPv6", Frame(Ip(Outer6, 143, Mirrored)), Inner4 },
        { "GRE, IPv4", Frame(Ip(Outer4, Gre, GreHeader(0, 0x0800, [], Packet4))), Inner4 },
        { "GRE, IPv6", Frame(Ip(Outer6, Gre, GreHeader(0, 0x86DD, [], Packet6))), Inner6 },
        { "GRE, Ethernet", Frame(Ip(Outer4, Gre, GreHeader(0x2000, 0x6558, new byte[4], Mirrored))), Inner4 },
        { "GRE, PPP", Frame(Ip(Outer4, Gre, GreHeader(0, 0x880B, [], [0xFF, 3, 0, 0x21, .. Packet4]))), Inner4 },
        { "GRE, MPLS", Frame(Ip(Outer4, Gre, GreHeader(0, 0x8847, [], [0, 1, 0x01, 64, .. Packet4]))), Inner4 },
        { "GRE, checksum, key and sequence", Frame(Ip(Outer4, Gre, GreHeader(0xB000, 0x0800, new byte[12], Packet4))), Inner4 },
        { "GRE, routing", Frame(Ip(Outer4, Gre, GreHeader(0x4000, 0x0800, [0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0], Packet4))), Inner4 },
        { "GRE, PPTP with acknowledgment", Frame(Ip(Outer4, Gre, GreHeader(0x3081, 0x880B, new byte[12], [0x21, .. Packet4]))), Inner4 },
        { "GRE, PPTP without payload", Frame(Ip(Outer4, Gre, GreHeader(0x2081, 0x880B, new byte[8], []))), Outer4 },
        { "GRE, version 2", Frame(Ip(Outer4, Gre, GreHeader(2, 0x0800, [], Packet4))), Outer4 },
        { "GRE, WCCP", Frame(Ip(Outer4, Gre, GreHeader(0, 0x883E, [], Packet4))), Outer4 },
        { "GRE in GRE", Frame(Ip(Outer4, Gre, GreHeader(0, 0x0800, [], Ip("203.0.113.1", Gre, GreHeader(0, 0x0800, [], Packet4))))), Inner4 },
        { "ERSPAN I", Frame(Ip(Outer4, Gre, GreHeader(0, 0x88BE, [], Mirrored))), Inner4 },
        { "ERSPAN II", Frame(Ip(Outer4, Gre, Erspan2(Mirrored))), Inner4 },
        { "ERSPAN III", Frame(Ip(Outer4, Gre, Erspan3(Mirrored))), Inner4 },
        { "ERSPAN III, subheader", Frame(Ip(Outer4, Gre, Erspan3(Mirrored, subheader: true))), Inner4 },
        { "ERSPAN III, IP", Frame(Ip(Outer4, Gre, Erspan3(Packet6, frameType: 2))), Inner6 },
        { "ERSPAN III, other frame type", Frame(Ip(Outer4, Gre, Erspan3(Mirrored, frameType: 7))), Outer4 },
        { "ERSPAN II, ARP", Frame(Ip(Outer4, Gre, Erspan2(Frames.Ethernet(0x0806, new byte[28])))), Outer4 },
        { "VXLAN", Frame(Ip(Outer4, Udp, Vxlan(Mirrored))), Inner4 },
        { "VXLAN over IPv6", Frame(Ip(Outer6, Udp, Vxlan(Frame(Packet6)))), Inner6 },
        { "VXLAN without identifier", Frame(Ip(Outer4, Udp, Vxlan(Mirrored, flags: 0))), Outer4 },
        { "another port", Frame(Ip(Outer4, Udp, Vxlan(Mirrored, port: 4790))), Outer4 },
        { "AH, 4 in 4", Frame(Ip(Outer4, Ah, Extension(IPv4, 4, new byte[22], Packet4))), Inner4 },
        { "AH, 6 in 6", Frame(Ip(Outer6, Ah, Extension(IPv6, 4, new byte[22], Packet6))), Inner6 },
        { "hop-by-hop, routing, destination options", Frame(Ip(Outer6, 0, Extension(Routing, 0, new byte[6], Extension(DestinationOptions, 1, new byte[14], Extension(IPv4, 0, new byte[6], Packet4))))), Inner4 },
        { "IPv4 first fragment", Frame(Ip(Outer4, IPv4, Packet4, fragmentOffset: 0x2000)), Inner4 },
        { "IPv4 later fragment", Frame(Ip(Outer4, IPv4, Packet4, fragmentOffset: 0x2001)), Outer4 },
        { "IPv6 first fragment", Frame(Ip(Outer6, Fragment, Extension(IPv4, 0, [0, 1, 0, 0, 0, 0], Packet4))), Inner4 },
        { "IPv6 later fragment", Frame(Ip(Outer6, Fragment, Extension(IPv4, 0, [0, 8, 0, 0, 0, 0], Packet4))), Outer6 },
        { "fragment in a tunnel", Frame(Ip(Outer4, IPv4, Ip(Inner4, IPv4, Packet4, fragmentOffset: 1))), Inner4 },
        { "ESP", Frame(Ip(Outer4, 50, Packet4)), Outer4 },
        { "ICMP error", Frame(Ip(Outer4, 1, [3, 1, 0, 0, 0, 0, 0, 0, .. Packet4])), Outer4 },
        { "inner version", Frame(Ip(Outer4, IPv4, Packet6)), Outer4 },
        { "nothing in it", Frame(Ip(Outer4, IPv4, [])), Outer4 },
    };

    /// <summary>What, packet behind the IPv4 header's protocol, named tunnels, status, destination or null.</summary>
    public static TheoryData<string, byte[], Decapsulation, DecodeStatus, string?> NamedCases => new()
    {
        { "ERSPAN I", Ip(Outer4, Gre, GreHeader(0, 0x88BE, [], Mirrored)), Decapsulation.Erspan, DecodeStatus.IPv4, Inner4 },
        { "ERSPAN II", Ip(Outer4, Gre, Erspan2(Mirrored)), Decapsulation.Erspan | Decapsulation.Vxlan, DecodeStatus.IPv4, Inner4 },
        { "ERSPAN III", Ip(Outer4, Gre, Erspan3(Mirrored)), Decapsulation.Erspan, DecodeStatus.IPv4, Inner4 },
        { "VXLAN", Ip(Outer6, Udp, Vxlan(Mirrored)), Decapsulation.Vxlan, DecodeStatus.IPv4, Inner4 },
        { "GRE", Ip(Outer4, Gre, GreHeader(0, 0x6558, [], Mirrored)), Decapsulation.Gre, DecodeStatus.IPv4, Inner4 },
        { "IP in IP", Ip(Outer4, IPv6, Packet6), Decapsulation.IpInIp, DecodeStatus.IPv6, Inner6 },
        { "one tunnel only", Ip(Outer4, Gre, Erspan2(Frame(Ip(Inner4, Udp, Vxlan(Frame(Packet6)))))), Decapsulation.Erspan | Decapsulation.Vxlan, DecodeStatus.IPv4, Inner4 },
        { "tunnel not named: ERSPAN", Ip(Outer4, Gre, Erspan2(Mirrored)), Decapsulation.Vxlan | Decapsulation.Gre | Decapsulation.IpInIp, DecodeStatus.IPv4, Outer4 },
        { "tunnel not named: GRE", Ip(Outer4, Gre, GreHeader(0, 0x6558, [], Mirrored)), Decapsulation.Erspan, DecodeStatus.IPv4, Outer4 },
        { "tunnel not named: VXLAN", Ip(Outer4, Udp, Vxlan(Mirrored)), Decapsulation.Erspan, DecodeStatus.IPv4, Outer4 },
        { "no tunnel", Packet6, Decapsulation.Erspan | Decapsulation.Vxlan, DecodeStatus.IPv6, Inner6 },
        { "ARP in it", Ip(Outer4, Gre, Erspan2(Frames.Ethernet(0x0806, new byte[28]))), Decapsulation.Erspan, DecodeStatus.NonIp, null },
        { "something else in it", Ip(Outer4, Gre, GreHeader(0, 0x2000, [], new byte[30])), Decapsulation.Gre, DecodeStatus.NonIp, null },
        { "frame cut", Ip(Outer4, Gre, Erspan2(new byte[13])), Decapsulation.Erspan, DecodeStatus.TruncatedEthernet, null },
        { "GRE cut", Ip(Outer4, Gre, [0x10, 0, 0x88]), Decapsulation.Erspan, DecodeStatus.TruncatedTunnel, null },
        { "ERSPAN cut", Ip(Outer4, Gre, Erspan2([]).AsSpan(0, 15)), Decapsulation.Erspan, DecodeStatus.TruncatedTunnel, null },
        { "ERSPAN cut, not named", Ip(Outer4, Gre, Erspan2([]).AsSpan(0, 15)), Decapsulation.Gre, DecodeStatus.IPv4, Outer4 },
        { "VXLAN cut", Ip(Outer4, Udp, Vxlan([]).AsSpan(0, 15)), Decapsulation.Vxlan, DecodeStatus.TruncatedTunnel, null },
        { "ERSPAN version", Ip(Outer4, Gre, GreHeader(0x1000, 0x88BE, new byte[4], [0x30, .. new byte[40]])), Decapsulation.Erspan, DecodeStatus.BadTunnelHeader, null },
        { "GRE version", Ip(Outer4, Gre, GreHeader(7, 0x88BE, [], Mirrored)), Decapsulation.Erspan, DecodeStatus.BadTunnelHeader, null },
        { "VXLAN flags", Ip(Outer4, Udp, Vxlan(Mirrored, flags: 0)), Decapsulation.Vxlan, DecodeStatus.BadTunnelHeader, null },
        { "later fragment", Ip(Outer4, Gre, Mirrored, fragmentOffset: 1), Decapsulation.Erspan, DecodeStatus.TunnelFragment, null },
        { "later fragment, IPv6", Ip(Outer6, Fragment, Extension(Gre, 0, [0, 8, 0, 0, 0, 0], Mirrored)), Decapsulation.Erspan, DecodeStatus.TunnelFragment, null },
        { "later fragment of UDP", Ip(Outer4, Udp, Mirrored, fragmentOffset: 1), Decapsulation.Vxlan, DecodeStatus.IPv4, Outer4 },
        { "extension header cut", Ip(Outer6, DestinationOptions, [Gre, 1, 0, 0, 0, 0, 0, 0]), Decapsulation.Erspan, DecodeStatus.IPv6, Outer6 },
    };

    [Theory]
    [MemberData(nameof(InnermostCases))]
    public void Decode_innermost_is_the_last_readable_ip_header(string what, byte[] frame, string destination)
    {
        // Padding behind the packet, as short frames have, is not part of it.
        byte[] padded = [.. frame, .. new byte[50]];
        uint bytes = destination == Inner4 ? 28U : destination == Inner6 ? 48U : (uint)frame.Length - 14;
        if (what == "fragment in a tunnel")
        {
            bytes = 48;
        }

        foreach (byte[] each in new[] { frame, padded })
        {
            Assert.Equal((what, destination), (what, Destination(Decode(each, Decapsulation.Innermost, out PacketFields fields), fields)));
            Assert.Equal((what, bytes), (what, fields.IpBytes));
        }

        // Without tunnels it is the first, by either overload.
        DecodeStatus outer = FrameDecoder.Decode(frame, Header(frame), out PacketFields first);
        Assert.Equal(outer, Decode(frame, Decapsulation.None, out PacketFields same));
        Assert.Equal(first, same);
    }

    [Theory]
    [MemberData(nameof(NamedCases))]
    public void Decode_named_tunnel_is_taken_off_once(string what, byte[] packet, Decapsulation named, DecodeStatus status, string? destination)
    {
        Assert.Equal((what, status), (what, Decode(Frame(packet), named, out PacketFields fields)));
        if (destination is not null)
        {
            Assert.Equal((what, destination), (what, Destination(status, fields)));
        }
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(100, 0, 0)]
    [InlineData(100, 2, 100)]
    [InlineData(100, 1, 100)]
    [InlineData(100, 3, 0)]
    public void Decode_erspan_gives_mac_and_vlan_of_the_mirrored_frame(int vlan, int encapsulation, int expected)
    {
        // The tunnel's own frame has another MAC and another VLAN, which name no link.
        byte[] frame = Frame(Ip(Outer4, Gre, Erspan2(Frame(Packet4, MirroredMac), vlan, encapsulation)), Frames.DefaultMac, 0x8100_0009);
        Assert.Equal(DecodeStatus.IPv4, Decode(frame, Decapsulation.Erspan, out PacketFields fields));
        Assert.Equal((0x020000000B02UL, expected), (fields.DestinationMac, fields.Vlan));
        byte[] tagged = Frame(Ip(Outer4, Gre, Erspan2(Mirrored, vlan, encapsulation)), Frames.DefaultMac, 0x8100_0009);
        Assert.Equal(DecodeStatus.IPv4, Decode(tagged, Decapsulation.Erspan, out fields));
        Assert.Equal((0x020000000B02UL, expected == 0 ? 0x65 : expected), (fields.DestinationMac, fields.Vlan));
    }

    [Fact]
    public void Decode_frame_without_the_tunnel_keeps_its_mac_and_vlan()
    {
        byte[] frame = Frame(Ip(Outer4, Gre, GreHeader(0, 0x0800, [], Packet4)), Frames.DefaultMac, 0x8100_0009);
        Assert.Equal(DecodeStatus.IPv4, Decode(frame, Decapsulation.Erspan, out PacketFields fields));
        Assert.Equal((0x020000000A02UL, 9), (fields.DestinationMac, fields.Vlan));

        // A mirror of bare packets has neither; the innermost header of any traffic belongs to the frame around it.
        Assert.Equal(DecodeStatus.IPv4, Decode(frame, Decapsulation.Gre, out fields));
        Assert.Equal((PacketFields.NoMac, 0), (fields.DestinationMac, fields.Vlan));
        Assert.Equal(DecodeStatus.IPv4, Decode(frame, Decapsulation.Innermost, out fields));
        Assert.Equal((0x020000000A02UL, 9), (fields.DestinationMac, fields.Vlan));
    }

    [Theory]
    [InlineData(16, DecodeStatus.IPv4)]
    [InlineData(17, DecodeStatus.TooDeep)]
    [InlineData(200, DecodeStatus.TooDeep)]
    public void Decode_tunnels_are_followed_to_a_bounded_depth(int tunnels, DecodeStatus expected)
    {
        byte[] packet = Packet4;
        for (int i = 0; i < tunnels; i++)
        {
            packet = Ip(Outer4, IPv4, packet);
        }

        Assert.Equal(expected, Decode(Frame(packet), Decapsulation.Innermost, out _));
        Assert.Equal(DecodeStatus.IPv4, Decode(Frame(packet), Decapsulation.None, out _));
        Assert.Equal(DecodeStatus.IPv4, Decode(Frame(packet), Decapsulation.IpInIp, out _));
    }

    [Theory]
    [InlineData(200, 8, DecodeStatus.IPv4)]
    [InlineData(300, 8, DecodeStatus.TooDeep)]
    [InlineData(7, 2048, DecodeStatus.IPv4)]
    [InlineData(8, 2048, DecodeStatus.TooDeep)]
    public void Decode_extension_headers_are_bounded_in_number_and_bytes(int headers, int bytes, DecodeStatus expected)
    {
        byte[] payload = Packet4;
        for (int i = 0; i < headers; i++)
        {
            payload = Extension(i == 0 ? IPv4 : DestinationOptions, (byte)((bytes / 8) - 1), new byte[bytes - 2], payload);
        }

        byte[] frame = Frame(Ip(Outer6, DestinationOptions, payload));
        Assert.Equal(expected, Decode(frame, Decapsulation.Innermost, out _));
        Assert.Equal(expected, Decode(frame, Decapsulation.IpInIp, out _));
        Assert.Equal(DecodeStatus.IPv6, Decode(frame, Decapsulation.None, out _));
    }

    [Theory]
    [InlineData(16, 0, DecodeStatus.IPv4)]
    [InlineData(17, 0, DecodeStatus.TooDeep)]
    [InlineData(0, 32, DecodeStatus.IPv4)]
    [InlineData(0, 33, DecodeStatus.TooDeep)]
    [InlineData(16, 32, DecodeStatus.IPv4)]
    public void Decode_vlan_and_mpls_stacks_are_bounded(int tags, int labels, DecodeStatus expected)
    {
        byte[] payload = Packet4;
        for (int i = 0; i < labels; i++)
        {
            payload = [0, 0, (byte)(i == 0 ? 0x11 : 0x10), 64, .. payload];
        }

        byte[] frame = Frames.Ethernet((ushort)(labels == 0 ? 0x0800 : 0x8847), payload, Frames.DefaultMac, [.. Enumerable.Repeat(0x8100_0005U, tags)]);
        Assert.Equal(expected, Decode(frame, Decapsulation.None, out _));

        // What a tunnel holds is bound as well; the innermost header is not found then.
        byte[] tunnelled = Frame(Ip(Outer4, Udp, Vxlan(frame)));
        Assert.Equal(expected, Decode(tunnelled, Decapsulation.Innermost, out _));
        Assert.Equal(expected, Decode(tunnelled, Decapsulation.Vxlan, out _));
    }

    [Fact]
    public void Decode_gre_routing_entries_are_bounded()
    {
        byte[] entries = new byte[4 + (4 * 400)];
        for (int i = 4; i < entries.Length; i += 4)
        {
            entries[i] = 8;
        }

        Assert.Equal(DecodeStatus.TooDeep, Decode(Frame(Ip(Outer4, Gre, GreHeader(0x4000, 0x0800, entries, Packet4))), Decapsulation.Innermost, out _));
    }

    [Theory]
    [InlineData(70000, 70000, DecodeStatus.IPv6, 70040)]
    [InlineData(65536, 70000, DecodeStatus.IPv6, 65576)]
    [InlineData(65535, 70000, DecodeStatus.BadIpv6JumboLength, 0)]
    [InlineData(0, 70000, DecodeStatus.BadIpv6JumboLength, 0)]
    [InlineData(70001, 70000, DecodeStatus.BadIpv6JumboLength, 0)]
    [InlineData(0xFFFF_FFFFU, 70000, DecodeStatus.BadIpv6JumboLength, 0)]
    [InlineData(70000, 8, DecodeStatus.BadIpv6JumboLength, 0)]
    public void Decode_jumbogram_has_the_length_of_its_option(uint stated, int wirePayload, DecodeStatus expected, long bytes)
    {
        byte[] frame = Jumbogram([0xC2, 4, (byte)(stated >> 24), (byte)(stated >> 16), (byte)(stated >> 8), (byte)stated]);
        FrameHeader header = new(0, frame.Length, 14 + 40 + wirePayload, 0, false, LinkLayerType.Ethernet);
        foreach (Decapsulation decapsulation in new[] { Decapsulation.None, Decapsulation.Innermost })
        {
            Assert.Equal(expected, FrameDecoder.Decode(frame, header, decapsulation, out PacketFields fields));
            Assert.Equal(bytes, fields.IpBytes);
        }
    }

    [Fact]
    public void Decode_payload_length_zero_without_a_jumbo_option_stands()
    {
        byte[] pads = [1, 4, 0, 0, 0, 0];
        foreach (byte[] frame in new[] { Jumbogram(pads), Jumbogram(pads)[..(14 + 41)], Jumbogram([0, 0, 0, 0, 1, 200]), Jumbogram([0xC2, 3, 0, 1, 0, 0])[..(14 + 45)] })
        {
            Assert.Equal(DecodeStatus.IPv6, Decode(frame, Decapsulation.None, out PacketFields fields));
            Assert.Equal(40U, fields.IpBytes);
        }

        Assert.Equal(DecodeStatus.BadIpv6JumboLength, Decode(Jumbogram([0xC2, 3, 0, 1, 0, 0]), Decapsulation.None, out _));
        byte[] options = new byte[64 - 2];
        Assert.Equal(DecodeStatus.TooDeep, Decode(Jumbogram(options, length: 7), Decapsulation.None, out _));
    }

    [Fact]
    public void Decode_outer_jumbogram_may_hold_an_inner_one()
    {
        byte[] inner = Jumbogram([0xC2, 4, 0, 1, 0x11, 0x70])[14..];
        byte[] outer = Frame([.. Ip(Outer6, 0, [])[..40], IPv6, 0, 0xC2, 4, 0, 1, 0x11, 0xA0, .. inner]);
        FrameHeader header = new(0, outer.Length, 14 + 40 + 0x111A0, 0, false, LinkLayerType.Ethernet);
        Assert.Equal(DecodeStatus.IPv6, FrameDecoder.Decode(outer, header, Decapsulation.Innermost, out PacketFields fields));
        Assert.Equal(40U + 0x11170, fields.IpBytes);

        // It cannot be longer than what is around it.
        inner[45] = 0x12;
        outer = Frame([.. Ip(Outer6, 0, [])[..40], IPv6, 0, 0xC2, 4, 0, 1, 0x11, 0xA0, .. inner]);
        Assert.Equal(DecodeStatus.IPv6, FrameDecoder.Decode(outer, header with { WireLength = 1 << 20 }, Decapsulation.Innermost, out fields));
        Assert.Equal(40U + 0x111A0, fields.IpBytes);
    }

    [Fact]
    public void Decode_large_frames_by_their_header()
    {
        byte[] frame = Frame(Plain(Inner4, 65515));
        Assert.Equal(DecodeStatus.IPv4, Decode(frame, Decapsulation.None, out PacketFields fields));
        Assert.Equal(65535U, fields.IpBytes);
        frame = Frame(Plain(Inner6, 65535));
        Assert.Equal(DecodeStatus.IPv6, Decode(frame, Decapsulation.None, out fields));
        Assert.Equal(65575U, fields.IpBytes);

        // Without a length in the header there is none to be had, however long the frame.
        byte[] large = Frame([.. Packet4, .. new byte[70000]]);
        BinaryPrimitives.WriteUInt16BigEndian(large.AsSpan(16), 0);
        Assert.Equal(DecodeStatus.Ipv4TotalLengthZero, Decode(large, Decapsulation.Innermost, out _));
    }

    [Fact]
    public void Decode_tunnels_allocates_nothing()
    {
        byte[][] frames = [.. InnermostCases.Select(row => (byte[])row[1])];
        Assert.Equal(0, Allocations.InSteadyState(() =>
        {
            foreach (byte[] frame in frames)
            {
                FrameHeader header = new(0, frame.Length, frame.Length, 0, false, LinkLayerType.Ethernet);
                FrameDecoder.Decode(frame, header, Decapsulation.Innermost, out _);
                FrameDecoder.Decode(frame, header, Decapsulation.Erspan | Decapsulation.Vxlan, out _);
            }
        }));
    }

    private static byte[] Jumbogram(byte[] options, byte length = 0) => Frame([.. Ip(Inner6, 0, [])[..40], 6, length, .. options]);

    private static string? Destination(DecodeStatus status, in PacketFields fields) => status switch
    {
        DecodeStatus.IPv4 => IpAddr.FromIPv4(fields.DestinationIPv4).ToString(),
        DecodeStatus.IPv6 => IpAddr.FromIPv6(fields.DestinationHigh, fields.DestinationLow).ToString(),
        _ => status.ToReason(),
    };

    private static DecodeStatus Decode(byte[] frame, Decapsulation decapsulation, out PacketFields fields) =>
        FrameDecoder.Decode(frame, Header(frame), decapsulation, out fields);

    private static FrameHeader Header(byte[] frame) => new(0, frame.Length, frame.Length, 0, false, LinkLayerType.Ethernet);
}
