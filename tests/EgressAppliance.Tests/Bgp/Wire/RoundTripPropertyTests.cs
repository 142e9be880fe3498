using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Wire;

/// <summary>What is written is read back as it was, for every message and every pair of codec options.</summary>
public sealed class RoundTripPropertyTests
{
    [Fact]
    public void Update_of_both_families_in_multiprotocol_attributes_survives_all_options() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            foreach (BgpCodecOptions options in AllOptions())
            {
                foreach (IpFamily family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
                {
                    PathAttributes attributes = ForOptions(make.Attributes(family), options);
                    var message = new UpdateMessage
                    {
                        // The next hop of MP_REACH_NLRI is not one of the attributes.
                        Attributes = attributes.WithNextHop(default),
                        MpReachFamily = AfiSafi.Of(family),
                        MpNextHop = attributes.NextHop,
                        MpUnreachFamily = AfiSafi.Of(family),
                    };
                    message.MpReach.AddRange(make.Nlri(family, options.AddPath(family), 6));
                    message.MpUnreach.AddRange(make.Nlri(family, options.AddPath(family), 6));
                    message.Withdrawn.AddRange(make.Nlri(IpFamily.IPv4, options.AddPathIPv4, 6));

                    UpdateCodecTests.AssertSurvives(message, options);
                }
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Update_with_plain_prefixes_survives_all_options() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            foreach (BgpCodecOptions options in AllOptions())
            {
                var message = new UpdateMessage { Attributes = ForOptions(make.Attributes(IpFamily.IPv4), options) };
                message.Announced.AddRange(make.Nlri(IpFamily.IPv4, options.AddPathIPv4, 6));

                UpdateCodecTests.AssertSurvives(message, options);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Path_is_put_together_behind_what_2_octet_speakers_prepended() =>
        Prop.ForAll<int>(seed =>
        {
            // A speaker with 4-octet numbers sent the path to one without; others without put their own numbers in front of AS_PATH
            // and passed AS4_PATH on as it was (RFC 6793 section 4.2.3).
            var make = new WireGenerators(seed);
            PathAttributes sent = make.Attributes(IpFamily.IPv4);
            var random = new Random(seed);
            uint[] prepended = [.. Enumerable.Range(0, random.Next(4)).Select(_ => (uint)random.Next(1, 65536))];
            bool wide = sent.AsPath.Segments.Any(s => s.Numbers.Any(n => n > ushort.MaxValue));
            AsPath narrow = AsPath.FromSegments(sent.AsPath.Segments.Select(s => s with { Numbers = [.. s.Numbers.Select(n => n > ushort.MaxValue ? BgpConstants.AsTrans : n)] }));

            AsPath front = AsPath.Sequence(prepended);
            AsPath received = wide ? AsPath.Merge(Join(front, narrow), sent.AsPath) : Join(front, narrow);

            Assert.Equal(Flat(Join(front, sent.AsPath)), Flat(received));
            Assert.Equal(front.Length + sent.AsPath.Length, received.Length);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Path_with_wide_numbers_survives_a_2_octet_session_and_keeps_its_segments() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            var message = new UpdateMessage { Attributes = make.Attributes(IpFamily.IPv4, fourOctet: true) };
            message.Announced.Add(new(IpPrefix.Parse("203.0.113.0/24")));

            UpdateMessage decoded = UpdateCodecTests.Decode(UpdateCodecTests.Encode(message, default), default);

            Assert.Equal(message.Attributes.AsPath.ToString(), decoded.Attributes!.AsPath.ToString());
            Assert.Equal(message.Attributes.AsPath, decoded.Attributes.AsPath);
            Assert.Equal(message.Attributes.Aggregator, decoded.Attributes.Aggregator);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Notification_with_any_data_is_read_back() =>
        Prop.ForAll<byte, byte, byte[]>((code, subcode, data) =>
        {
            var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
            new NotificationMessage(code, subcode, data).Encode(ref writer);
            NotificationMessage read = NotificationMessage.Decode(writer.Written[BgpConstants.HeaderLength..]);

            Assert.Equal((code, subcode), (read.Code, read.Subcode));
            Assert.Equal(data, read.Data.ToArray());
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(4075)]
    [InlineData(4076)]
    [InlineData(70_000)]
    public void Notification_with_too_much_data_still_goes_out(int length)
    {
        var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        new NotificationMessage(BgpErrorCode.Update, UpdateSubcode.AttributeList, new byte[length]).Encode(ref writer);

        Assert.False(writer.Overflowed);
        Assert.Equal(BgpConstants.MaxMessageLength, writer.Position);
        Assert.True(BgpFramer.TryReadHeader(writer.Written, default, out _, out int framed, out BgpError? error));
        Assert.Null(error);
        Assert.Equal(BgpConstants.MaxMessageLength, framed);
    }

    [Fact]
    public void RouteRefresh_of_any_family_is_read_back() =>
        Prop.ForAll<ushort, byte, byte>((afi, safi, subtype) =>
        {
            var message = new RouteRefreshMessage(new AfiSafi(afi, safi), subtype);
            var writer = new BgpWriter(new byte[64]);
            message.Encode(ref writer);

            Assert.Null(RouteRefreshMessage.Decode(writer.Written[BgpConstants.HeaderLength..], out RouteRefreshMessage? read));
            Assert.Equal(message, read);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_octets_lead_to_typed_errors_and_nothing_else() =>
        Prop.ForAll<byte[]>(octets =>
        {
            foreach (BgpCodecOptions options in AllOptions())
            {
                var message = new UpdateMessage();
                ErrorAction action = UpdateDecoder.Decode(octets, options, message);
                Assert.Equal(action, message.Errors.Select(e => e.Action).DefaultIfEmpty().Max());
                Assert.All(message.Errors, e => Assert.Equal(BgpErrorCode.Update, e.Code));
            }

            BgpError? error = OpenMessage.Decode(octets, out OpenMessage? open);
            Assert.True(error is null ? open is not null : error.Code is BgpErrorCode.Open or BgpErrorCode.Header);
            _ = AsPath.TryDecode(octets, fourOctet: false, out _);
            _ = AsPath.TryDecode(octets, fourOctet: true, out _);
        }).QuickCheckThrowOnFailure();

    internal static IEnumerable<BgpCodecOptions> AllOptions()
    {
        for (int bits = 0; bits < 16; bits++)
        {
            yield return new() { FourOctetAs = (bits & 1) != 0, AddPathIPv4 = (bits & 2) != 0, AddPathIPv6 = (bits & 4) != 0, External = (bits & 8) != 0 };
        }
    }

    /// <summary>What an external peer may not send is not written to one either.</summary>
    private static PathAttributes ForOptions(PathAttributes attributes, BgpCodecOptions options) => !options.External ? attributes : new()
    {
        Origin = attributes.Origin,
        AtomicAggregate = attributes.AtomicAggregate,
        NextHop = attributes.NextHop,
        Med = attributes.Med,
        AsPath = attributes.AsPath,
        Aggregator = attributes.Aggregator,
        Communities = attributes.Communities,
        ExtendedCommunities = attributes.ExtendedCommunities,
        LargeCommunities = attributes.LargeCommunities,
        Unknown = attributes.Unknown,
    };

    private static AsPath Join(AsPath front, AsPath behind) => AsPath.FromSegments(front.Segments.Concat(behind.Segments));

    private static List<uint> Flat(AsPath path) => [.. path.Segments.SelectMany(s => s.Numbers)];
}
