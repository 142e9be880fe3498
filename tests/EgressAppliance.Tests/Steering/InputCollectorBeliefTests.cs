using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

/// <summary>What mirror and interface counters say of each other, and what follows for the rates.</summary>
public sealed class InputCollectorBeliefTests
{
    private const int Settled = 20;

    [Theory]
    [InlineData(1.0, RateCause.Agree)]
    [InlineData(2.0, RateCause.Duplicated)]
    [InlineData(0.8, RateCause.MirrorLoss)]
    [InlineData(0.01, RateCause.Sampling)]
    [InlineData(0.0, RateCause.MirrorSilent)]
    public async Task Collect_names_what_the_mirror_does(double ratio, RateCause cause)
    {
        await using Bench bench = new();
        bench.SetOut(40_000_000 * 1.018);
        CycleInputs inputs = bench.Collect(Settled, () =>
        {
            bench.Send(Bench.Big, 1, 40 * ratio);
            bench.Send(null, 2, 40);
            bench.Send(null, 3, 40);
        });
        LinkBelief belief = inputs.Beliefs[0];
        Assert.Equal((cause, RateCause.Agree), (belief.Judgement.Cause, inputs.Beliefs[1].Judgement.Cause));
        Assert.InRange(40_720_000, inputs.MirrorBps[0] - belief.ErrorBps - 100_000, inputs.MirrorBps[0] + belief.ErrorBps + 100_000);
        Assert.Equal(RateCauses.Forbids(belief.Judgement) ? ["a"] : [], (inputs.Input.Health.Doubts ?? []).Select(d => d.Link));
        Assert.Equal(cause == RateCause.MirrorLoss ? 1 : 0, inputs.Problems.Count(p => p.Contains("the mirror shows 80 %", StringComparison.Ordinal)));

        // Down to the prefix, as far as it is shown at all.
        if (inputs.Rates.Find(IpPrefix.Parse(Bench.Big)) is { } rate)
        {
            Assert.InRange(40_720_000, (rate.RateBps * (1 - rate.ErrorRatio)) - 100_000, (rate.RateBps * (1 + rate.ErrorRatio)) + 100_000);
            Assert.Equal(cause != RateCause.Agree, rate.ErrorRatio > 0.1);
        }

        Assert.Equal(ratio == 0, inputs.Rates.Find(IpPrefix.Parse(Bench.Big)) is null);
        Assert.True((Bench.Demand(inputs, Bench.Big)?.ErrorRatio ?? 0) <= 1, "plans take errors up to 1");
        if (cause == RateCause.MirrorLoss)
        {
            Assert.InRange(Bench.Demand(inputs, Bench.Big)!.ErrorRatio!.Value, 0.24, 0.26);
            Assert.InRange(inputs.Input.Links[0].ResidualBps, 8_000_000, 8_300_000);
            Assert.Null(inputs.Input.Links[0].ErrorRatio);
        }
    }

    [Fact]
    public async Task Collect_mirror_that_doubles_is_doubted_in_the_same_cycle()
    {
        await using Bench bench = new();
        bench.SetOut(40_000_000 * 1.018);
        Assert.Null(bench.Collect(Settled, () => Send(40)).Input.Health.Doubts);
        CycleInputs doubled = bench.Collect(() => Send(80));
        Assert.Equal([RateCause.Sudden, RateCause.Sudden, RateCause.Sudden], doubled.Input.Health.Doubts!.Select(d => d.Cause));
        bench.SetOut(80_000_000 * 1.018);
        Assert.Null(bench.Collect(() => Send(80)).Input.Health.Doubts);

        // When it is the mirror that comes back, what it has left in the averages would still look like an overload.
        bench.Collect(Settled, () => Send(80));
        Assert.Equal(3, bench.Collect(4, () => Send(160)).Input.Health.Doubts!.Count);
        CycleInputs back = bench.Collect(() => Send(80));
        Assert.Equal([RateCause.Sudden, RateCause.Sudden, RateCause.Sudden], back.Input.Health.Doubts!.Select(d => d.Cause));
        int cycles = 1;
        for (; bench.Collect(() => Send(80)).Input.Health.Doubts is not null; cycles++)
        {
            Assert.InRange(cycles, 1, 12);
        }

        Assert.InRange(cycles, 2, 12);

        void Send(double mbps)
        {
            bench.Send(Bench.Big, 1, mbps);
            bench.Send(null, 2, mbps);
            bench.Send(null, 3, mbps);
        }
    }

    [Fact]
    public async Task Collect_prefixes_of_a_link_that_loses_frames_are_reckoned_with_as_larger_on_others()
    {
        await using Bench bench = new();
        bench.SetOut(40_000_000 * 1.018);
        CycleInputs lossy = bench.Collect(Settled, () =>
        {
            bench.Send(Bench.Big, 1, 32);
            bench.Send(null, 2, 40);
            bench.Send(null, 3, 40);
        });

        // A fifth of what fits under the ceiling of b may be missing from the prefixes that come there from a, but no more than lacks on a.
        Assert.Equal(bench.Config.Links[0].Ceiling, lossy.Input.Links[0].Ceiling);
        double reserve = bench.Config.Links[1].Ceiling - lossy.Input.Links[1].Ceiling;
        Assert.InRange(reserve * 100_000_000, 8_000_000, 8_300_000);
        Assert.Equal(bench.Config.Links[1].Threshold, lossy.Input.Links[1].Threshold);
    }

    [Fact]
    public async Task Collect_mirror_that_shows_much_before_the_counter_does_is_doubted_until_then()
    {
        await using Bench bench = new();
        bench.SetOut(null);
        for (int i = 0; i < bench.Interfaces.Count; i++)
        {
            bench.Interfaces[i] = bench.Interfaces[i] with { IfIndex = (uint)i + 1 };
        }

        CycleInputs unknown = bench.Collect(3, () => bench.Send(Bench.Big, 1, 60));
        RateDoubt doubt = Assert.Single(unknown.Input.Health.Doubts!);
        Assert.Equal(("a", RateCause.Unconfirmed), (doubt.Link, doubt.Cause));
        bench.SetOut(60_000_000 * 1.018);
        Assert.Null(bench.Collect(() => bench.Send(Bench.Big, 1, 60)).Input.Health.Doubts?.FirstOrDefault(d => d.Link == "a"));
    }

    [Fact]
    public async Task Collect_router_that_no_longer_answers_is_named()
    {
        await using Bench bench = new();
        bench.SetOut(40_000_000 * 1.018);
        bench.Collect(Settled, () => bench.Send(Bench.Big, 1, 40));
        bench.PollsFail = true;
        CycleInputs inputs = bench.Collect(14, () => bench.Send(Bench.Big, 1, 40));
        bool polled = bench.Config.Routers[0].Snmp is not null;
        Assert.Equal(polled ? RateCause.CounterMissing : RateCause.Agree, inputs.Beliefs[0].Judgement.Cause);
        Assert.True(polled);
    }
}
