using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

public sealed class StateBuilderTests
{
    [Fact]
    public async Task Links_say_how_they_are()
    {
        await using Bench bench = new(ApplianceMode.Observe, c => c with
        {
            Links =
            [
                .. c.Links, Bench.MakeLink(4, "d", "100.64.4.2"), Bench.MakeLink(5, "e", "100.64.5.2") with { CapacityBps = null },
            ],
        });
        bench.Interfaces[3] = bench.Interfaces[3] with { OperStatus = OperStatus.LowerLayerDown };
        await bench.StartAsync();
        await bench.CycleAsync(3, () =>
        {
            bench.Send(null, 1, 110);
            bench.Send(null, 2, 95);
            bench.Send(null, 3, 10);
        });
        StateEventDto state = bench.Api.State;
        Assert.Equal(["over_capacity", "over_threshold", "normal", "down", "unknown"], state.Links.Select(l => l.State));
        Assert.Equal("lower_layer_down", state.Links[3].OperStatus);
        Assert.Equal(0, state.Links[4].CapacityBps);
        Assert.False(state.Status.Healthy);
        Assert.Contains(state.Status.Problems, p => p.Contains("capacity of e", StringComparison.Ordinal));
        Assert.Equal((95_000_000, 90_000_000, 85_000_000), (state.Links[0].ThresholdBps, state.Links[0].CeilingBps, state.Links[0].ReleaseBps));
    }

    [Fact]
    public async Task Overrides_are_proposed_in_observe_mode()
    {
        await using Bench bench = new(ApplianceMode.Observe);
        await bench.StartAsync();
        await bench.CycleAsync(10, bench.Surge);
        StateEventDto state = bench.Api.State;
        OverrideDto proposal = Assert.Single(state.Overrides);
        Assert.Equal(("proposed", null, "a"), (proposal.State, proposal.LeaseExpires, proposal.From));
        Assert.All(state.Prefixes, p => Assert.False(p.Override));
        Assert.All(state.Links, l => Assert.Equal(0, l.Overrides + l.OverridesAway));
        Assert.Equal("over_capacity", state.Links[0].State);
    }

    [Fact]
    public async Task Overrides_are_announced_then_confirmed_in_inject_mode_and_the_link_relieved()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        StateEventDto state = bench.Api.State;
        OverrideDto entry = Assert.Single(state.Overrides);
        Assert.Equal(("announced", prefix), (entry.State, entry.Prefix));
        Assert.NotNull(entry.LeaseExpires);
        Assert.Single(state.Decision!.Moves);
        await bench.CycleAsync(10, bench.Surge);
        state = bench.Api.State;
        Assert.Equal("confirmed", Assert.Single(state.Overrides).State);
        Assert.Equal(("relieved", 1), (state.Links[0].State, state.Links[0].OverridesAway));
        Assert.Equal(1, state.Links.Single(l => l.Name == entry.To).Overrides);
        PrefixDto moved = state.Prefixes.Single(p => p.Prefix == prefix);
        Assert.Equal((entry.To, "a", true, 64500u), (moved.Link, moved.NativeLink, moved.Override, moved.OriginAs));
        Assert.True(state.Status.Healthy, string.Join('\n', state.Status.Problems));
        Assert.Equal((bench.Time.GetUtcNow() - new Snmp.ManualTimeProvider().GetUtcNow()).TotalSeconds, state.Status.UptimeSeconds);
    }

    [Fact]
    public async Task Decision_lists_withdrawals_beside_the_plan()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        bench.Loop.SetMode(DecisionMode.Observe);
        DecisionDto decision = bench.Api.GetDecisions(1)[0];
        MoveDto withdrawn = Assert.Single(decision.Releases);
        Assert.Equal((prefix, "The mode is observe."), (withdrawn.Prefix, withdrawn.Reason));
        Assert.Equal("withdrawn_mode_change", decision.Verdict);
    }

    [Fact]
    public async Task Capture_has_rates_state_and_findings_of_each_source()
    {
        await using Bench bench = new(ApplianceMode.Observe, c => c with { Capture = c.Capture with { Sources = [c.Capture.Sources[0] with { Sampling = 4 }] } });
        await bench.StartAsync();
        await bench.CycleAsync(3, () => bench.Send(null, 0, 10));
        CaptureDto capture = bench.Api.State.Status.Capture;
        CaptureSourceDto source = Assert.Single(capture.Sources);
        Assert.Equal((4, "receiving"), (capture.Sampling, source.State));
        Assert.Equal(capture.PacketsPerSecond, 4 * source.FramesPerSecond, 0.5);
        Assert.Contains(capture.Findings, f => f.Code == "no_link_match" && f.Level == "warning");
        Assert.Equal((0, 0), (capture.LossRatio, capture.TotalLossRatio));

        bench.Pipeline.SetSource("mirror0", s => s with { DroppedFrames = s.ReceivedFrames, Freezes = 1 });
        await bench.CycleAsync(1, () => bench.Send(null, 0, 10));
        capture = bench.Api.State.Status.Capture;
        Assert.True(capture.LossRatio > 0.3 && capture.TotalLossRatio > 0.3);
        Assert.Equal("ring_full", capture.Findings[0].Code);
    }
}
