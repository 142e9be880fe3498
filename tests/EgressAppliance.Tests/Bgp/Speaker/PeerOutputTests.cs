using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>What a router has been told and what waits, step by step.</summary>
public sealed class PeerOutputTests
{
    private static readonly PathAttributes A = ScriptedRouter.Via("100.64.1.2", 64501);
    private static readonly PathAttributes B = ScriptedRouter.Via("100.64.2.2", 64502);
    private static readonly SessionParameters Parameters = new()
    {
        Receive = default,
        Send = new() { FourOctetAs = true },
        Families = [IpFamily.IPv4],
        AddPath = true,
        RouteRefresh = true,
        PeerRouterId = 1,
        Internal = true,
    };

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void TakeAnnouncements_goes_in_order_as_fast_as_tokens_come()
    {
        PeerOutput output = New(perSecond: 2);
        output.Want(P(3), A);
        output.Want(P(1), B);
        output.Want(P(2), A);

        Assert.Equal(["+20.3.0.0/16", "+20.1.0.0/16"], Flush(output));
        Assert.Empty(Flush(output));
        Assert.True(output.WaitsForTime);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(["+20.2.0.0/16"], Flush(output));
        Assert.Equal((3, 0, false), (output.Held, output.Waiting, output.WaitsForTime));
    }

    [Fact]
    public void Tokens_are_saved_for_a_second_and_no_longer()
    {
        PeerOutput output = New(perSecond: 2);
        _time.Advance(TimeSpan.FromMinutes(5));
        for (byte i = 0; i < 5; i++)
        {
            output.Want(P(i), A);
        }

        Assert.Equal(2, Flush(output).Count);
    }

    [Fact]
    public void Drop_of_what_waits_cancels_it_and_says_nothing()
    {
        PeerOutput output = Told(New(perSecond: 1), 1, 2);

        output.Drop(P(2));

        Assert.Empty(Flush(output));
        Assert.Equal((1, 0), (output.Held, output.Waiting));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(Flush(output));
    }

    [Fact]
    public void Drop_needs_no_tokens()
    {
        PeerOutput output = Told(New(perSecond: 2), 1, 2);

        output.Drop(P(1));
        output.Drop(P(2));
        output.Drop(P(9));

        Assert.Equal(["-20.1.0.0/16", "-20.2.0.0/16"], Flush(output).Order());
        Assert.Equal(0, output.Held);
    }

    [Fact]
    public void Want_of_what_is_held_says_nothing_unless_asked_for_again()
    {
        PeerOutput output = Told(New(), 1);
        output.Want(P(1), A);
        Assert.Empty(Flush(output));

        output.Want(P(1), A, again: true);

        Assert.Equal(["+20.1.0.0/16"], Flush(output));
    }

    [Fact]
    public void Want_of_what_waits_keeps_its_place_and_takes_the_newer_attributes()
    {
        PeerOutput output = Told(New(perSecond: 1), 1);
        output.Want(P(2), A);
        output.Want(P(3), A);
        output.Want(P(2), B);
        _time.Advance(TimeSpan.FromSeconds(1));
        var batch = new UpdateBatch();

        output.TakeAnnouncements(batch);

        UpdateBatch.Group group = Assert.Single(batch.Announcements);
        Assert.Equal((P(2), B), (Assert.Single(group.Prefixes).Prefix, group.Attributes));
    }

    [Fact]
    public void Replacement_that_has_to_wait_takes_the_old_route_back_at_once()
    {
        PeerOutput output = Told(New(perSecond: 1), 1);

        output.Want(P(1), B);

        Assert.Equal(["-20.1.0.0/16"], Flush(output));
        Assert.Equal((0, 1), (output.Held, output.Waiting));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["+20.1.0.0/16"], Flush(output));
    }

    [Fact]
    public void Replacement_that_goes_at_once_needs_no_withdrawal()
    {
        PeerOutput output = Told(New(), 1);

        output.Want(P(1), B);

        Assert.Equal(["+20.1.0.0/16"], Flush(output));
    }

    [Fact]
    public void New_attributes_with_the_same_next_hop_may_wait_beside_the_old_ones()
    {
        PeerOutput output = Told(New(perSecond: 1), 1);

        output.Want(P(1), ScriptedRouter.Via("100.64.1.2", 64777));

        Assert.Empty(Flush(output));
        Assert.Equal((1, 1), (output.Held, output.Waiting));
    }

    [Fact]
    public void Routers_limit_holds_new_prefixes_back_and_not_changes_of_old_ones()
    {
        PeerOutput output = New(limit: 2);
        output.Want(P(1), A);
        output.Want(P(2), A);
        Assert.False(output.HasRoom(P(3)));
        Assert.True(output.HasRoom(P(2)));
        output.Want(P(3), A);
        Assert.Equal(2, Flush(output).Count);
        Assert.False(output.WaitsForTime);
        output.Want(P(1), B);
        Assert.Equal(["+20.1.0.0/16"], Flush(output));

        output.Drop(P(2));

        // Room comes with the withdrawal, and is used in the flush after it: the router must never see more than its limit.
        Assert.Equal(["+20.3.0.0/16", "-20.2.0.0/16"], Flush(output).Concat(Flush(output)).Order());
        Assert.True(output.HasRoom(P(1)));
        Assert.False(output.HasRoom(P(4)));
    }

    [Fact]
    public void Route_the_router_cannot_take_is_not_sent_and_replaces_nothing_silently()
    {
        PeerOutput output = New();
        output.Want(IpPrefix.Parse("2a00::/32"), ScriptedRouter.Via("2001:db8:ff:2::2", 64502));
        output.Want(P(1), A);
        Assert.Equal(["+20.1.0.0/16"], Flush(output));

        // An IPv6 next hop without RFC 8950.
        output.Want(P(1), ScriptedRouter.Via("2001:db8:ff:2::2", 64502));

        Assert.Equal(["-20.1.0.0/16"], Flush(output));
    }

    [Theory]
    [InlineData("20.1.0.0/16", "100.64.1.2", true, true)]
    [InlineData("20.1.0.0/16", "2001:db8:ff:2::2", false, true)]
    [InlineData("2a00::/32", "2001:db8:ff:2::2", true, true)]
    [InlineData("2a00::/32", "100.64.1.2", false, false)]
    public void Next_hop_of_the_other_family_is_for_ipv4_routes_and_where_it_is_agreed_on(string prefix, string nextHop, bool plain, bool extended)
    {
        foreach (bool agreed in new[] { false, true })
        {
            SessionParameters parameters = Parameters with { Families = [IpFamily.IPv4, IpFamily.IPv6], Send = Parameters.Send with { ExtendedNextHop = agreed } };
            PeerOutput output = new(parameters, int.MaxValue, new(_time, 0));

            Assert.Equal(agreed ? extended : plain, output.Takes(IpPrefix.Parse(prefix), ScriptedRouter.Via(nextHop, 64501)));
        }
    }

    private static IpPrefix P(byte number) => IpPrefix.Parse($"20.{number}.0.0/16");

    /// <summary>What the router of this output can be told now of these prefixes is told.</summary>
    private static PeerOutput Told(PeerOutput output, params ReadOnlySpan<byte> numbers)
    {
        foreach (byte number in numbers)
        {
            output.Want(P(number), A);
        }

        Flush(output);
        return output;
    }

    private static List<string> Flush(PeerOutput output)
    {
        var batch = new UpdateBatch();
        output.TakeAnnouncements(batch);
        var said = new List<string>();
        foreach (UpdateBatch.Group group in batch.Announcements)
        {
            output.Announced(group.Prefixes.ToArray(), group.Attributes);
            said.AddRange(group.Prefixes.Select(n => "+" + n.Prefix));
        }

        batch.Clear();
        output.TakeWithdrawals(batch);
        said.AddRange(batch.WithdrawnIPv4.Concat(batch.WithdrawnIPv6).Select(n => "-" + n.Prefix));
        return said;
    }

    private PeerOutput New(int limit = int.MaxValue, int perSecond = 0) => new(Parameters, limit, new(_time, perSecond));
}
