using System.Buffers;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Wire;

public sealed class UpdateCodecTests
{
    private static readonly BgpCodecOptions Modern = new() { FourOctetAs = true };

    [Fact]
    public void Decode_and_encode_agree_on_a_plain_announcement()
    {
        const string Hex = "ffffffffffffffffffffffffffffffff0044020000002940010100400206020100"
            + "00fde9400304c000020180040400000014400504000000c8c00804fde8029a18cb0071";
        var message = new UpdateMessage
        {
            Attributes = new PathAttributes
            {
                NextHop = new(IpAddr.Parse("192.0.2.1")),
                AsPath = AsPath.Sequence(65001),
                Med = 20,
                LocalPref = 200,
                Communities = [0xFDE8_029A],
            },
        };
        message.Announced.Add(new(IpPrefix.Parse("203.0.113.0/24")));

        byte[] encoded = Encode(message, Modern);
        UpdateMessage decoded = Decode(Convert.FromHexString(Hex), Modern);

        Assert.Equal(Hex, Convert.ToHexStringLower(encoded));
        Assert.Equal(ErrorAction.None, decoded.Action);
        Assert.Equal(message.Attributes, decoded.Attributes);
        Assert.Equal(message.Announced, decoded.Announced);
    }

    [Fact]
    public void Decode_and_encode_agree_on_ipv6_with_add_path()
    {
        const string Hex = "ffffffffffffffffffffffffffffffff004d0200" + "000036" + "900e001e00020110" + "20010db800ff00020000000000000002" + "00"
            + "0000000720200105b8" + "40010100" + "4002060201" + "0000fbf6" + "40050400000064";
        BgpCodecOptions options = Modern with { AddPathIPv6 = true };
        var message = new UpdateMessage
        {
            MpReachFamily = AfiSafi.IPv6Unicast,
            MpNextHop = new(IpAddr.Parse("2001:db8:ff:2::2")),
            Attributes = new PathAttributes { AsPath = AsPath.Sequence(64502), LocalPref = 100 },
        };
        message.MpReach.Add(new(IpPrefix.Parse("2001:5b8::/32"), 7));

        byte[] encoded = Encode(message, options);
        UpdateMessage decoded = Decode(Convert.FromHexString(Hex), options);

        Assert.Equal(Hex, Convert.ToHexStringLower(encoded));
        Assert.Equal(message.MpReach, decoded.MpReach);
        Assert.Equal(message.MpNextHop, decoded.MpNextHop);
        Assert.Equal(message.Attributes, decoded.Attributes);
    }

    [Theory]
    [InlineData("10", "20010db800ff00020000000000000002", "2001:db8:ff:2::2", null)]
    [InlineData("20", "20010db800ff00020000000000000002" + "fe800000000000000000000000000002", "2001:db8:ff:2::2", "fe80::2")]
    public void Ipv4_route_with_an_ipv6_next_hop_is_read_and_written_where_it_is_agreed_on(string length, string octets, string address, string? linkLocal)
    {
        // RFC 8950 section 3: the next hop of an IPv4 route in MP_REACH_NLRI has 16 or 32 octets.
        string value = "000101" + length + octets + "00" + "18cb0071";
        byte[] reach = Convert.FromHexString(value);
        string attributes = $"900e{reach.Length:x4}" + value + "40010100" + "4002060201" + "0000fbf6" + "40050400000064";
        byte[] whole = Message(attributes);
        BgpCodecOptions agreed = Modern with { ExtendedNextHop = true };

        UpdateMessage decoded = Decode(whole, agreed);

        Assert.Empty(decoded.Errors);
        Assert.Equal(AfiSafi.IPv4Unicast, decoded.MpReachFamily);
        Assert.Equal(["203.0.113.0/24"], decoded.MpReach.Select(n => n.ToString()));
        Assert.Equal(new NextHop(IpAddr.Parse(address), linkLocal is null ? default : IpAddr.Parse(linkLocal)), decoded.MpNextHop);
        Assert.Equal(Convert.ToHexStringLower(whole), Convert.ToHexStringLower(Encode(decoded, agreed)));
    }

    [Theory]
    [InlineData("10", "20010db800ff00020000000000000002", false)]
    [InlineData("20", "20010db800ff00020000000000000002" + "fe800000000000000000000000000002", false)]
    [InlineData("08", "20010db800ff0002", true)]
    [InlineData("18", "20010db800ff00020000000000000002" + "fe80000000000000", true)]
    [InlineData("30", "20010db800ff00020000000000000002" + "20010db800ff00020000000000000003" + "20010db800ff00020000000000000004", true)]
    public void Ipv4_route_with_a_next_hop_of_another_length_resets_the_session(string length, string octets, bool agreed)
    {
        string value = "000101" + length + octets + "00" + "18cb0071";
        byte[] whole = Message($"900e{value.Length / 2:x4}" + value + "40010100" + "4002060201" + "0000fbf6" + "40050400000064");

        UpdateMessage decoded = Decode(whole, Modern with { ExtendedNextHop = agreed });

        Assert.Equal(ErrorAction.SessionReset, decoded.Action);
        Assert.Equal((BgpErrorCode.Update, UpdateSubcode.Optional), (decoded.Errors[^1].Code, decoded.Errors[^1].Subcode));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ipv4_routes_with_an_ipv6_next_hop_survive_announcing_and_reading(bool addPath)
    {
        BgpCodecOptions options = Modern with { ExtendedNextHop = true, AddPathIPv4 = addPath };
        var attributes = new PathAttributes { NextHop = new(IpAddr.Parse("2001:db8:ff:2::2"), IpAddr.Parse("fe80::2")), AsPath = AsPath.Sequence(64502), LocalPref = 100 };
        Nlri[] nlri = [.. Enumerable.Range(0, 2000).Select(i => new Nlri(IpPrefix.Parse($"20.{i / 200}.{i % 200}.0/24"), addPath ? (uint)i : 0))];
        var output = new ArrayBufferWriter<byte>();
        int written = UpdateEncoder.Announce(IpFamily.IPv4, attributes, nlri, options, output);

        var seen = new List<Nlri>();
        int read = ForEachUpdate(output.WrittenSpan, options, m =>
        {
            Assert.Empty(m.Errors);
            Assert.Equal(AfiSafi.IPv4Unicast, m.MpReachFamily);
            Assert.Equal(attributes, m.Attributes!.WithNextHop(m.MpNextHop));
            seen.AddRange(m.MpReach);
        });

        Assert.True(written > 1);
        Assert.Equal(written, read);
        Assert.Equal(nlri, seen);
    }

    [Fact]
    public void Decode_after_encode_gives_the_same_message_for_any_options() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            BgpCodecOptions options = make.Options();
            var message = new UpdateMessage { Attributes = make.Attributes(IpFamily.IPv4), MpReachFamily = AfiSafi.IPv6Unicast, MpUnreachFamily = AfiSafi.IPv6Unicast };
            message.Withdrawn.AddRange(make.Nlri(IpFamily.IPv4, options.AddPathIPv4, 10));
            message.Announced.AddRange(make.Nlri(IpFamily.IPv4, options.AddPathIPv4, 10));
            message.MpReach.AddRange(make.Nlri(IpFamily.IPv6, options.AddPathIPv6, 10));
            message.MpUnreach.AddRange(make.Nlri(IpFamily.IPv6, options.AddPathIPv6, 10));
            message.MpNextHop = make.Attributes(IpFamily.IPv6).NextHop;

            UpdateMessage decoded = AssertSurvives(message, options);

            Assert.Equal(message.Attributes.AsPath.ToString(), decoded.Attributes!.AsPath.ToString());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Announce_packs_any_number_of_prefixes_into_full_messages() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            BgpCodecOptions options = make.Options();
            foreach (IpFamily family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
            {
                PathAttributes attributes = make.Attributes(family);
                List<Nlri> nlri = make.Nlri(family, options.AddPath(family), 2000);
                var announce = new ArrayBufferWriter<byte>();
                var withdraw = new ArrayBufferWriter<byte>();
                int announced = UpdateEncoder.Announce(family, attributes, nlri.ToArray(), options, announce);
                int withdrawn = UpdateEncoder.Withdraw(family, nlri.ToArray(), options, withdraw);

                var seen = new List<Nlri>();
                int messages = ForEachUpdate(announce.WrittenSpan, options, m =>
                {
                    seen.AddRange(family == IpFamily.IPv4 ? m.Announced : m.MpReach);
                    Assert.Equal(attributes, family == IpFamily.IPv4 ? m.Attributes : m.Attributes!.WithNextHop(m.MpNextHop));
                });
                Assert.Equal(nlri, seen);
                Assert.Equal(announced, messages);
                seen.Clear();
                Assert.Equal(withdrawn, ForEachUpdate(withdraw.WrittenSpan, options, m => seen.AddRange(family == IpFamily.IPv4 ? m.Withdrawn : m.MpUnreach)));
                Assert.Equal(nlri, seen);
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.2.3/32", "192.0.2.1")]
    [InlineData("2000::/4", "2001:db8::/64", "2001:db8::1")]
    public void Announce_writes_all_prefixes_or_none(string shorter, string longer, string nextHop)
    {
        // The room that attributes leave goes from none to some: at a point in between it takes the one prefix and not the other.
        var outcomes = new HashSet<(bool Short, bool Long)>();
        Nlri[] both = [new(IpPrefix.Parse(shorter)), new(IpPrefix.Parse(longer))];
        for (int octets = BgpConstants.MaxMessageLength; octets > BgpConstants.MaxMessageLength - 200; octets--)
        {
            var attributes = new PathAttributes { NextHop = new(IpAddr.Parse(nextHop)), Unknown = [new RawAttribute(0xE0, 99, [.. new byte[octets]])] };
            int Try(Nlri[] prefixes, out int written)
            {
                var output = new ArrayBufferWriter<byte>();
                int messages = UpdateEncoder.Announce(prefixes[0].Prefix.Family, attributes, prefixes, new() { FourOctetAs = true }, output);
                written = output.WrittenCount;
                return messages;
            }

            bool takesShort = Try([both[0]], out _) > 0;
            bool takesLong = Try([both[1]], out _) > 0;
            outcomes.Add((takesShort, takesLong));
            int messages = Try(both, out int all);
            Assert.Equal(takesShort && takesLong, messages > 0);
            Assert.Equal(messages < 0, all == 0);
        }

        Assert.Equal([(false, false), (true, false), (true, true)], outcomes.Order());
    }

    [Fact]
    public void Decode_of_mutated_and_random_bodies_never_throws_and_keeps_its_promises() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            BgpCodecOptions options = make.Options();
            var message = new UpdateMessage { Attributes = make.Attributes(IpFamily.IPv4) };
            message.Announced.AddRange(make.Nlri(IpFamily.IPv4, options.AddPathIPv4, 10));
            byte[] body = Encode(message, options)[BgpConstants.HeaderLength..];
            var decoded = new UpdateMessage();
            for (int i = 0; i < 20; i++)
            {
                byte[] input = i < 15 ? make.Mutate(body) : make.Bytes(i * 5);
                ErrorAction action = UpdateDecoder.Decode(input, options, decoded);
                Assert.Equal(action, decoded.Action);
                Assert.Equal(action != ErrorAction.None, decoded.Errors.Count > 0);
                if (action < ErrorAction.TreatAsWithdraw && decoded.Announced.Count > 0)
                {
                    Assert.Equal(IpFamily.IPv4, decoded.Attributes!.NextHop.Address.Family);
                }
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("ipv4", "ffffffffffffffffffffffffffffffff00170200000000")]
    [InlineData("ipv6", "ffffffffffffffffffffffffffffffff001d0200000006800f03000201")]
    public void EndOfRib_is_written_and_recognised(string family, string hex)
    {
        AfiSafi expected = family == "ipv4" ? AfiSafi.IPv4Unicast : AfiSafi.IPv6Unicast;
        var writer = new BgpWriter(new byte[64]);
        UpdateEncoder.EndOfRib(ref writer, expected);

        Assert.Equal(hex, Convert.ToHexStringLower(writer.Written));
        Assert.Equal(expected, Decode(Convert.FromHexString(hex), Modern).EndOfRib);
    }

    [Fact]
    public void Decode_on_a_two_octet_session_puts_the_four_octet_path_together()
    {
        var attributes = new PathAttributes
        {
            NextHop = new(IpAddr.Parse("192.0.2.1")),
            AsPath = AsPath.Sequence(65001, 4200000001, 64500),
            Aggregator = new(4200000001, IpAddr.Parse("192.0.2.9")),
        };
        var message = new UpdateMessage { Attributes = attributes };
        message.Announced.Add(new(IpPrefix.Parse("203.0.113.0/24")));

        UpdateMessage decoded = Decode(Encode(message, default), default);

        Assert.Equal("65001 4200000001 64500", decoded.Attributes!.AsPath.ToString());
        Assert.Equal(4200000001, decoded.Attributes.Aggregator!.As);
    }

    /// <summary>An UPDATE of path attributes alone.</summary>
    private static byte[] Message(string attributes)
    {
        int length = attributes.Length / 2;
        return Convert.FromHexString(new string('f', 32) + $"{BgpConstants.HeaderLength + 4 + length:x4}020000{length:x4}" + attributes);
    }

    internal static byte[] Encode(UpdateMessage message, BgpCodecOptions options)
    {
        var writer = new BgpWriter(new byte[65535]);
        UpdateEncoder.Encode(ref writer, message, options);
        Assert.False(writer.Overflowed);
        return writer.Written.ToArray();
    }

    /// <summary>What is written is read back as it was. Returns what was read.</summary>
    internal static UpdateMessage AssertSurvives(UpdateMessage message, in BgpCodecOptions options)
    {
        UpdateMessage decoded = Decode(Encode(message, options), options);
        Assert.Equal(ErrorAction.None, decoded.Action);
        Assert.Equal(message.Withdrawn, decoded.Withdrawn);
        Assert.Equal(message.Announced, decoded.Announced);
        Assert.Equal(message.MpReach, decoded.MpReach);
        Assert.Equal(message.MpUnreach, decoded.MpUnreach);
        Assert.Equal(message.MpNextHop, decoded.MpNextHop);
        Assert.Equal(message.Attributes, decoded.Attributes);
        return decoded;
    }

    internal static UpdateMessage Decode(ReadOnlySpan<byte> whole, BgpCodecOptions options)
    {
        var message = new UpdateMessage();
        UpdateDecoder.Decode(whole[BgpConstants.HeaderLength..], options, message);
        return message;
    }

    private static int ForEachUpdate(ReadOnlySpan<byte> stream, BgpCodecOptions options, Action<UpdateMessage> use)
    {
        int count = 0;
        while (!stream.IsEmpty)
        {
            Assert.True(BgpFramer.TryReadHeader(stream, options, out BgpMessageType type, out int length, out BgpError? error));
            Assert.Null(error);
            Assert.Equal(BgpMessageType.Update, type);
            use(Decode(stream[..length], options));
            stream = stream[length..];
            count++;
        }

        return count;
    }
}
