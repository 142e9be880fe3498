using EgressAppliance.Decision.Policies;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

public sealed class ExplainerTests
{
    [Fact]
    public async Task Explain_address_and_prefix_give_the_same_paths()
    {
        await using Bench bench = await MakeAsync();
        ExplainDto byAddress = bench.Api.Explain("203.0.113.77")!;
        ExplainDto byPrefix = bench.Api.Explain(Bench.Big)!;
        Assert.Equal(Bench.Big, byAddress.Prefix);
        Assert.Equal(byPrefix.Summary, byAddress.Summary);
        Assert.Equal(["a", "b", "c"], byPrefix.Paths.Select(p => p.Link));
        Assert.Equal(("same_link", null, null), (byPrefix.Paths[0].Rejection, byPrefix.Paths[1].Rejection, byPrefix.Paths[2].Rejection));
        Assert.Equal(("edge1", "64496 64500", "64496:7", "igp"),
            (byPrefix.Paths[0].Router, byPrefix.Paths[0].AsPath, byPrefix.Paths[0].Communities[0], byPrefix.Paths[0].Origin));
        Assert.Equal("a", byPrefix.NativeLink);
        Assert.Equal("a", byPrefix.Link);
        Assert.True(byPrefix.RateBps > 0);
        Assert.Equal("It leaves by a, as plain BGP has it. No relief by this prefix is needed.", byPrefix.Summary);
    }

    [Fact]
    public async Task Explain_tells_timers_and_history_of_an_override()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        ExplainDto answer = bench.Api.Explain(prefix)!;
        PrefixChangeDto change = Assert.Single(answer.History);
        Assert.Equal(("moved", "inject", "a", answer.Override!.To), (change.Change, change.Mode, change.From, change.To));
        Assert.Equal(answer.Override.LeaseExpires, answer.Timers.LeaseExpires);
        Assert.Equal(answer.Override.Since + bench.Config.Decision.Hold, answer.Timers.HoldUntil);
        Assert.Null(answer.Timers.QuarantinedUntil);
        bench.Loop.ReleaseOverride(EgressAppliance.Net.IpPrefix.Parse(prefix));
        answer = bench.Api.Explain(prefix)!;
        Assert.Equal("released", answer.History[0].Change);
        Assert.NotNull(answer.Timers.QuarantinedUntil);
        Assert.Empty(bench.Api.Explain(Bench.Second)!.History);
    }

    [Fact]
    public async Task Explain_unknown_things_says_so()
    {
        await using Bench bench = await MakeAsync();
        Assert.Null(bench.Api.Explain("no-prefix"));
        Assert.Null(bench.Api.Explain("203.0.113.1/24"));
        Assert.Contains("No prefix that the routers announced contains 192.0.2.1", bench.Api.Explain("192.0.2.1")!.Summary);
        Assert.Contains("announced no 192.0.2.0/24", bench.Api.Explain("192.0.2.0/24")!.Summary);
        Assert.Contains($"its first address is in {Bench.Big}", bench.Api.Explain("203.0.113.128/25")!.Summary);
        Assert.Null(bench.Api.Explain("203.0.113.128/25")!.Prefix);
    }

    [Fact]
    public async Task Explain_says_why_paths_cannot_be_used()
    {
        await using Bench bench = await MakeAsync(c => c with
        {
            Links = [.. c.Links, Bench.MakeLink(4, "d", "100.64.4.2") with { Drain = true }, Bench.MakeLink(5, "e", "100.64.5.2") with { CapacityBps = 5_000_000 }],
        });
        bench.Interfaces[2] = bench.Interfaces[2] with { OperStatus = OperStatus.Down };
        bench.Learn(Bench.Big, "100.64.1.2", "100.64.2.2", "100.64.3.2", "100.64.4.2", "100.64.5.2", "10.0.0.1");
        await bench.CycleAsync(2, () => bench.Send(Bench.Big, 1, 20));
        Assert.Equal(["same_link", null, "link_down", "drained", "over_ceiling", "unknown_link"], bench.Api.Explain(Bench.Big)!.Paths.Select(p => p.Rejection));
    }

    [Fact]
    public async Task Explain_denied_prefix_names_the_policy()
    {
        await using Bench bench = await MakeAsync(c => c with
        {
            Decision = c.Decision with
            {
                Policies =
                [
                    new(new PolicyMatch { Link = "b" }, new PrefixPolicy { Number = 1, Action = PolicyAction.Class, Class = 9 }),
                    new(new PolicyMatch { Prefix = IpPrefix.Parse("203.0.0.0/16"), Link = "a" }, new PrefixPolicy { Number = 2, Action = PolicyAction.Deny }),
                ],
            },
        });
        ExplainDto explained = bench.Api.Explain(Bench.Big)!;
        Assert.Equal(new PolicyDto(2, "match: { prefix: 203.0.0.0/16, link: a }, action: deny"), explained.Policy);
        Assert.Equal(["same_link", "denied_by_policy", "denied_by_policy"], explained.Paths.Select(p => p.Rejection));
        Assert.All(explained.Paths, p => Assert.False(p.Usable));
    }

    [Fact]
    public async Task Explain_pinned_prefix_that_waits_for_room_says_so_and_rejects_all_others()
    {
        await using Bench bench = await MakeAsync(c => c with
        {
            Links = [.. c.Links.Select(l => l.Name == "b" ? l with { CapacityBps = 5_000_000 } : l)],
            Decision = c.Decision with
            {
                Policies = [new(new PolicyMatch { OriginAs = 64500 }, new PrefixPolicy { Number = 1, Action = PolicyAction.Pin, Links = ["b"] })],
            },
        });
        await bench.CycleAsync(2, () => bench.Send(Bench.Big, 1, 20));
        ExplainDto explained = bench.Api.Explain(Bench.Big)!;
        Assert.Equal("match: { origin_as: 64500 }, action: pin, link: b", explained.Policy!.Text);
        Assert.Equal(["same_link", "over_ceiling", "pinned_by_policy"], explained.Paths.Select(p => p.Rejection));
        Assert.EndsWith("It would fill the link beyond its ceiling.", explained.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_prefix_without_native_link_says_which_way_it_goes()
    {
        await using Bench bench = await MakeAsync();
        bench.Learn("192.0.2.0/24", "10.9.9.9", "100.64.2.2");
        ExplainDto elsewhere = bench.Api.Explain("192.0.2.0/24")!;
        Assert.Null(elsewhere.NativeLink);
        Assert.StartsWith("Plain BGP sends it to a next hop of no configured link,", elsewhere.Summary, StringComparison.Ordinal);
        bench.Learn("192.0.2.0/24", "100.64.3.2");
        bench.Interfaces[2] = bench.Interfaces[2] with { OperStatus = OperStatus.Down };
        await bench.CycleAsync();
        Assert.StartsWith("Plain BGP would send it by c, which is down", bench.Api.Explain("192.0.2.0/24")!.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_override_and_proposal()
    {
        await using Bench inject = new();
        string prefix = await inject.RelieveAsync();
        ExplainDto moved = inject.Api.Explain(prefix)!;
        Assert.Equal("same_link", moved.Paths.Single(p => p.Link == moved.Override!.To).Rejection);
        Assert.StartsWith($"It leaves by {moved.Override!.To} because of an override; plain BGP would use {moved.NativeLink}.", moved.Summary, StringComparison.Ordinal);

        await using Bench observe = new(ApplianceMode.Observe);
        await observe.StartAsync();
        await observe.CycleAsync(10, observe.Surge);
        string proposed = Assert.Single(observe.Api.State.Overrides).Prefix;
        Assert.Contains("In inject mode it would go by", observe.Api.Explain(proposed)!.Summary);
    }

    private static async Task<Bench> MakeAsync(Func<ApplianceConfig, ApplianceConfig>? change = null)
    {
        Bench bench = new(ApplianceMode.Inject, change);
        await bench.StartAsync();
        await bench.CycleAsync(2, () => bench.Send(Bench.Big, 1, 20));
        return bench;
    }
}
