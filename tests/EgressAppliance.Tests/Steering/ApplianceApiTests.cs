using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

public sealed class ApplianceApiTests
{
    [Fact]
    public async Task NotReady_names_what_is_missing()
    {
        await using Bench bench = new();
        Assert.Equal("no cycle has run yet", bench.Api.NotReady);
        PeerStatus good = bench.Speaker.Peers[0];
        bench.Speaker.Peers[0] = good with { State = SessionState.OpenSent, TableComplete = false };
        await bench.StartAsync();
        Assert.Equal("edge1: BGP OpenSent, table incomplete", bench.Api.NotReady);
        bench.Speaker.Peers[0] = good with { TableComplete = false };
        await bench.CycleAsync();
        Assert.Equal("edge1: BGP Established, table incomplete", bench.Api.NotReady);
        bench.Speaker.Peers[0] = good;
        bench.Pipeline.SetSource("mirror0", s => s with { Message = "interface is down" });
        await bench.CycleAsync();
        Assert.Equal("mirror0: interface is down", bench.Api.NotReady);
        bench.Pipeline.SetSource("mirror0", s => s with { Message = null });
        await bench.CycleAsync();
        Assert.Null(bench.Api.NotReady);
    }

    [Fact]
    public async Task AddOverride_results_become_outcomes_with_words()
    {
        await using Bench bench = new(ApplianceMode.Inject, c => c with { Decision = c.Decision with { MaxOverrides = 1 } });
        Assert.Equal((OperationStatus.Refused, "No cycle has run yet; try again in a moment."), Add(Bench.Big, "b"));
        bench.Interfaces[2] = bench.Interfaces[2] with { OperStatus = OperStatus.Down };
        await bench.StartAsync();
        Assert.Equal((OperationStatus.NotFound, "There is no link 'x'. Links: a, b, c."), Add(Bench.Big, "x"));
        Assert.Equal((OperationStatus.Refused, "c is down."), Add(Bench.Big, "c"));
        Assert.Equal((OperationStatus.Refused, $"Plain BGP sends {Bench.Big} by a already."), Add(Bench.Big, "a"));
        Assert.Equal((OperationStatus.NotFound, "The routers announced no path for exactly 192.0.2.0/24 by b."), Add("192.0.2.0/24", "b"));
        Assert.Equal(OperationStatus.NotFound, Add("192.0.2.1/24", "b").Status);
        bench.Speaker.RefuseToCreate[IpPrefix.Parse(Bench.Big)] = OverrideRefusal.BestPathOnly;
        (OperationStatus status, string detail) = Add(Bench.Big, "b");
        Assert.Equal(OperationStatus.Refused, status);
        Assert.Contains("no ADD-PATH", detail);
        bench.Speaker.RefuseToCreate.Clear();
        Assert.Equal((OperationStatus.Done, ""), Add(Bench.Big, "b"));
        Assert.Equal("An operator asked for it.", Assert.Single(bench.Api.State.Overrides).Reason);
        Assert.Equal(OperationStatus.Refused, Add(Bench.Second, "b").Status);

        (OperationStatus Status, string Detail) Add(string prefix, string link)
        {
            OperationResult result = bench.Api.AddOverride(prefix, link);
            return (result.Status, result.Detail);
        }
    }

    [Fact]
    public async Task ReleaseOverride_and_SetMode_results()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        Assert.Equal(OperationStatus.NotFound, bench.Api.ReleaseOverride("192.0.2.0/24").Status);
        Assert.Equal(OperationStatus.NotFound, bench.Api.ReleaseOverride("x").Status);
        Assert.Equal(OperationStatus.Done, bench.Api.ReleaseOverride(prefix).Status);
        Assert.Empty(bench.Speaker.Announced());
        Assert.Empty(bench.Api.State.Overrides);
        Assert.Equal(OperationStatus.NotFound, (await bench.Api.SetModeAsync("off", default)).Status);
        Assert.Equal(OperationStatus.Done, (await bench.Api.SetModeAsync("observe", default)).Status);
        Assert.Equal("observe", bench.Api.State.Status.Mode);
        Assert.Equal(OperationStatus.Done, (await bench.Api.SetModeAsync("inject", default)).Status);
        Assert.Equal("inject", bench.Api.State.Status.Mode);
    }

    [Fact]
    public async Task Command_between_a_cycle_and_its_publication_is_not_undone_on_the_page()
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        bench.BeforePublication = () => Assert.Equal(1, bench.Loop.WithdrawAll(out _));
        await bench.CycleAsync(1, bench.Surge);
        Assert.False(bench.Loop.Completion.IsFaulted);
        Assert.Equal("observe", bench.Api.State.Status.Mode);
        Assert.Equal("withdrawn_by_operator", bench.Api.State.Status.Verdict);
        Assert.Empty(bench.Api.State.Overrides);
    }

    [Fact]
    public async Task Prefixes_and_metrics_come_from_the_last_cycle()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        await bench.CycleAsync(2, bench.Surge);
        Assert.Equal([prefix], bench.Api.GetPrefixes(new PrefixQuery(10)).Prefixes.Where(p => p.Override).Select(p => p.Prefix));
        Assert.Equal([prefix], bench.Api.GetPrefixes(new PrefixQuery(10, bench.Api.State.Overrides[0].To)).Prefixes.Select(p => p.Prefix));
        Assert.Single(bench.Api.GetPrefixes(new PrefixQuery(1)).Prefixes);
        using StringWriter metrics = new();
        bench.Api.WriteMetrics(new PrometheusText(metrics));
        Assert.Contains("announced", metrics.ToString());
        Assert.Equal(["a", "b", "c"], bench.Api.LinkNames);
        Assert.Equal(new StopNotice(1, StopReach.Here), await bench.Api.StopAsync(default));
        Assert.Equal("observe", bench.Api.State.Status.Mode);
    }
}
