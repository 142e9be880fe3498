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

public sealed class InputCollectorTests
{
    private const int Settled = 20;

    [Fact]
    public async Task Collect_scales_by_sampling_and_adds_the_links_overhead()
    {
        await using Bench bench = new(change: c => Bench.WithLink(0, l => l with { OverheadBytes = 38 })(c) with
        {
            Capture = c.Capture with { Sources = [c.Capture.Sources[0] with { Sampling = 10 }] },
        });
        CycleInputs inputs = bench.Collect(Settled, () => bench.Send(Bench.Big, 1, 10));
        Assert.InRange(inputs.MirrorBps[0], 103_790_000, 103_800_000);
        PrefixRate rate = inputs.Rates.Find(IpPrefix.Parse(Bench.Big))!.Value;
        Assert.InRange(rate.RateBps, 103_700_000, 103_900_000);
        Assert.Equal(12_500, rate.PacketsPerSecond, 3);
        Assert.Equal(12_500, inputs.PacketsPerSecond, 3);
        Assert.Equal(inputs.BitsPerSecond, (double)rate.RateBps * 1_000 / 1_038, 0.002 * inputs.BitsPerSecond);
        Assert.Equal(["a", "b", "c"], Bench.Demand(inputs, Bench.Big)!.Paths);
    }

    [Fact]
    public async Task Collect_link_without_match_is_matched_by_what_the_router_knows_and_told_until_then()
    {
        await using Bench bench = new(change: Bench.WithLink(0, l => l with { FindsMac = true }));
        CycleInputs inputs = bench.Collect(1, () => { });
        Assert.Equal(["", "", ""], inputs.Matches);
        Assert.Contains("Frames of a are not known yet, as it has no match: not asked yet.", inputs.Problems);
        Assert.Empty(bench.Pipeline.Rules);

        MacAddress mac = new(0x02_00_00_00_0a_02);
        bench.Interfaces[0] = bench.Interfaces[0] with { Macs = [mac] };
        inputs = bench.Collect(2, () => { });
        Assert.Equal("mac 02:00:00:00:0a:02, found by SNMP", inputs.Matches[0]);
        Assert.DoesNotContain(inputs.Problems, p => p.Contains("no match", StringComparison.Ordinal));
        Assert.Equal([new LinkMatch(new LinkId(1), mac, null, null)], Assert.Single(bench.Pipeline.Rules));
    }

    [Fact]
    public async Task Collect_traffic_without_path_or_prefix_is_residual_of_the_link_it_was_seen_on()
    {
        await using Bench bench = new();
        bench.Learn("192.0.2.0/24");
        CycleInputs inputs = bench.Collect(Settled, () =>
        {
            bench.Send("192.0.2.0/24", 2, 10);
            bench.Send(null, 3, 5);
            bench.Send(null, 0, 40);
        });
        Assert.Null(Bench.Demand(inputs, "192.0.2.0/24"));
        Assert.Equal(0, inputs.Input.Links[0].ResidualBps);
        Assert.InRange(inputs.Input.Links[1].ResidualBps, 10_170_000, 10_190_000);
        Assert.InRange(inputs.Input.Links[2].ResidualBps, 5_080_000, 5_100_000);
        Assert.Equal(Settled * 25_000, inputs.UnattributedPackets);
    }

    [Fact]
    public async Task Collect_traffic_on_another_link_than_the_routes_say_is_told_after_some_cycles()
    {
        await using Bench bench = new();
        CycleInputs first = bench.Collect(() =>
        {
            bench.Send(Bench.Big, 2, 10);
            bench.Send(Bench.Second, 1, 200);
        });
        CycleInputs later = bench.Collect(Settled, () =>
        {
            bench.Send(Bench.Big, 2, 10);
            bench.Send(Bench.Second, 1, 10);
        });

        Assert.DoesNotContain(first.Problems, IsElsewhere);
        Assert.Contains(later.Problems, IsElsewhere);
        bench.Collect(Settled, () => bench.Send(Bench.Big, 2, 10), [Entry(Bench.Big, "b", bench.Clock.GetUtcNow())]);
        CycleInputs native = bench.Collect(Settled, () => bench.Send(Bench.Second, 1, 10));
        Assert.DoesNotContain(native.Problems, IsElsewhere);

        static bool IsElsewhere(string problem) => problem.Contains("leaves by another link than the routes' attributes say", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collect_prefix_that_plain_BGP_sends_by_no_configured_link_is_not_offered_to_the_planner()
    {
        await using Bench bench = new();
        bench.Learn("192.0.2.0/24", "10.9.9.9", "100.64.2.2");
        CycleInputs inputs = bench.Collect(Settled, () => bench.Send("192.0.2.0/24", 0, 10));
        Assert.Null(Bench.Demand(inputs, "192.0.2.0/24"));
        Assert.All(inputs.Input.Links, l => Assert.Equal(0, l.ResidualBps));
    }

    [Fact]
    public async Task Collect_small_overridden_prefix_is_given_by_itself_and_leaves_the_residual()
    {
        await using Bench bench = new();
        uint[] ids = [.. Enumerable.Range(0, InputCollector.MaxPrefixes).Select(i => bench.Learn($"10.{i / 250}.{i % 250}.0/24", "100.64.1.2"))];
        uint small = bench.Learn("192.0.2.0/24", "100.64.1.2", "100.64.2.2");
        OverrideEntry[] overrides = [Entry("192.0.2.0/24", "b", bench.Clock.GetUtcNow()), Entry("198.18.0.0/15", "b", bench.Clock.GetUtcNow())];
        CycleInputs without = bench.Collect(3, Send);
        Assert.Null(Bench.Demand(without, "192.0.2.0/24"));
        long residual = without.Input.Links[1].ResidualBps;
        Assert.True(residual > 0);
        CycleInputs with = bench.Collect(Send, overrides);
        Assert.True(Bench.Demand(with, "192.0.2.0/24")!.RateBps > 0);
        Assert.Equal(["a", "b"], Bench.Demand(with, "192.0.2.0/24")!.Paths);
        Assert.Equal(0, with.Input.Links[1].ResidualBps);
        Assert.Equal(0, Bench.Demand(with, "198.18.0.0/15")!.RateBps);
        Assert.Empty(Bench.Demand(with, "198.18.0.0/15")!.Paths);
        Assert.Equal(with.Input.Prefixes.Count, with.Input.Prefixes.Select(p => p.Prefix).Distinct().Count());

        void Send()
        {
            foreach (uint id in ids)
            {
                bench.Pipeline.Count(id, 1, 20, 20_000);
            }

            bench.Pipeline.Count(small, 2, 10, 10_000);
        }
    }

    [Fact]
    public async Task Collect_link_of_unknown_capacity_is_never_a_target_and_reported()
    {
        await using Bench bench = new(change: Bench.WithLink(1, l => l with { CapacityBps = null }));
        bench.Interfaces[1] = bench.Interfaces[1] with { Error = "no answer" };
        CycleInputs inputs = bench.Collect();
        Assert.True(inputs.Input.Links[1].Drain);
        Assert.True(inputs.Input.Links[1].CapacityBps > 1L << 40);
        string problem = Assert.Single(inputs.Problems);
        Assert.Contains("capacity of b", problem);
        Assert.Contains("no answer", problem);

        bench.Interfaces[1] = bench.Interfaces[1] with { CapacityBps = 10_000_000, Error = null };
        inputs = bench.Collect();
        Assert.False(inputs.Input.Links[1].Drain);
        Assert.Equal(10_000_000, inputs.Input.Links[1].CapacityBps);
        Assert.Empty(inputs.Problems);
    }

    [Theory]
    [InlineData(OperStatus.Up, true)]
    [InlineData(OperStatus.Unknown, true)]
    [InlineData(OperStatus.Dormant, true)]
    [InlineData(OperStatus.Down, false)]
    [InlineData(OperStatus.NotPresent, false)]
    [InlineData(OperStatus.LowerLayerDown, false)]
    public async Task Collect_takes_links_as_up_unless_the_router_says_down(OperStatus status, bool up)
    {
        await using Bench bench = new();
        bench.Interfaces[0] = bench.Interfaces[0] with { OperStatus = status };
        Assert.Equal(up, bench.Collect().Input.Links[0].Up);
    }

    [Fact]
    public async Task Collect_silence_is_a_fault_unless_counters_say_idle()
    {
        await using Bench bench = new();
        Assert.Equal(TimeSpan.Zero, bench.Collect(() => bench.Send(Bench.Big, 1, 10)).Input.Health.CaptureAge);
        CycleInputs silent = bench.Collect(4);
        Assert.Equal(TimeSpan.FromSeconds(20), silent.Input.Health.CaptureAge);
        Assert.Contains("mirror0", Assert.Single(silent.Problems));

        bench.SetOut(50_000);
        Assert.Equal(TimeSpan.Zero, bench.Collect().Input.Health.CaptureAge);
        bench.Pipeline.SetSource("mirror0", s => s with { Message = "interface down" });
        CycleInputs unavailable = bench.Collect();
        Assert.Equal(TimeSpan.FromSeconds(30), unavailable.Input.Health.CaptureAge);
        Assert.Contains("interface down", Assert.Single(unavailable.Problems));
        bench.Pipeline.SetSource("mirror0", s => s with { Message = null });
        bench.SetOut(null);
        Assert.Equal(TimeSpan.FromSeconds(35), bench.Collect().Input.Health.CaptureAge);
    }

    [Fact]
    public async Task Collect_silence_of_one_of_two_sources_is_a_fault_though_the_other_delivers()
    {
        await using Bench bench = new(change: Bench.WithLink(2, l => l with { MatchSource = "mirror1" }));
        bench.Collect(() =>
        {
            bench.Send(Bench.Big, 1, 10);
            bench.Send(null, 3, 1, "mirror1");
        });
        CycleInputs inputs = bench.Collect(4, () => bench.Send(null, 3, 1, "mirror1"));
        Assert.Equal(TimeSpan.FromSeconds(20), inputs.Input.Health.CaptureAge);

        // Links a and b may come by the silent source; c comes by the other only.
        bench.Interfaces[0] = bench.Interfaces[0] with { OutBps = 0 };
        inputs = bench.Collect(() => bench.Send(null, 3, 1, "mirror1"));
        Assert.Equal(TimeSpan.FromSeconds(25), inputs.Input.Health.CaptureAge);
        bench.Interfaces[1] = bench.Interfaces[1] with { OutBps = 0 };
        Assert.Equal(TimeSpan.Zero, bench.Collect(() => bench.Send(null, 3, 1, "mirror1")).Input.Health.CaptureAge);
    }

    [Fact]
    public async Task Collect_busy_link_of_unknown_capacity_is_not_idle()
    {
        await using Bench bench = new(change: Bench.WithLink(0, l => l with { CapacityBps = null }));
        bench.SetOut(0);
        bench.Interfaces[0] = bench.Interfaces[0] with { OutBps = 5e9 };
        Assert.Equal(TimeSpan.FromSeconds(20), bench.Collect(4).Input.Health.CaptureAge);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Collect_loss_counts_kernel_drops_and_exhausted_pool_as_shares_of_all_frames(bool kernel)
    {
        await using Bench bench = new();
        CycleInputs inputs = bench.Collect(Settled, () =>
        {
            if (kernel)
            {
                bench.Pipeline.Count(1, 1, 1000, 1_000_000);
                bench.Pipeline.SetSource("mirror0", s => s with { DroppedFrames = s.DroppedFrames + 1000 });
            }
            else
            {
                bench.Pipeline.Count(1, 1, 500, 500_000);
                bench.Pipeline.Statistics = bench.Pipeline.Statistics with
                {
                    Frames = bench.Pipeline.Statistics.Frames + 500,
                    PoolExhausted = bench.Pipeline.Statistics.PoolExhausted + 500,
                };
            }
        });
        Assert.Equal(0.5, inputs.Input.Health.CaptureLoss, 2);
        Assert.Equal(0.5, inputs.Input.Links[0].ErrorRatio!.Value, 2);
    }

    [Fact]
    public async Task Collect_loss_in_a_cycle_hard_upon_another_hardly_counts()
    {
        await using Bench bench = new();
        bench.Collect(Settled, () => bench.Send(Bench.Big, 1, 10));
        bench.Time.Advance(TimeSpan.FromMilliseconds(2));
        bench.Pipeline.SetSource("mirror0", s => s with { DroppedFrames = 1 });
        Assert.InRange(bench.Inputs.Collect([]).Input.Health.CaptureLoss, 1e-9, 0.001);
    }

    [Fact]
    public async Task Collect_attribution_is_unknown_while_idle_and_else_the_attributed_share()
    {
        await using Bench bench = new();
        Assert.Null(bench.Collect(() => bench.Pipeline.Count(0, 0, 10, 1000)).Input.Health.AttributionRatio);
        CycleInputs inputs = bench.Collect(Settled, () =>
        {
            bench.Send(Bench.Big, 1, 30);
            bench.Send(Bench.Second, 0, 10);
        });
        Assert.Equal(0.75, inputs.Input.Health.AttributionRatio!.Value, 2);
    }

    [Fact]
    public async Task Collect_counters_age_is_known_only_where_SNMP_is_configured()
    {
        await using Bench without = new(change: c => c with { Routers = [Bench.Router("edge1", snmp: false)] });
        Assert.Null(without.Collect().Input.Health.CountersAge);
        await using Bench bench = new();
        bench.PollsFail = true;
        Assert.Equal(TimeSpan.FromSeconds(10), bench.Collect(2).Input.Health.CountersAge);
        bench.PollsFail = false;
        Assert.Equal(TimeSpan.Zero, bench.Collect().Input.Health.CountersAge);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Collect_ages_do_not_follow_when_the_time_of_day_is_set(int hours)
    {
        await using Bench bench = new();
        DateTimeOffset before = bench.Collect(() => bench.Send(Bench.Big, 1, 10)).Input.Now;
        bench.Interfaces[0] = bench.Interfaces[0] with { LastPoll = bench.Wall.GetUtcNow() };
        bench.PollsFail = true;
        bench.Collect();
        bench.Wall.Step = TimeSpan.FromHours(hours);
        CycleInputs after = bench.Collect();
        Assert.Equal(TimeSpan.FromSeconds(10), after.Input.Now - before);
        Assert.Equal(TimeSpan.FromSeconds(10), after.Input.Health.CaptureAge);
        Assert.InRange(after.Input.Health.CountersAge!.Value, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task Collect_time_spent_in_reading_makes_the_inputs_as_old()
    {
        await using Bench bench = new();
        bench.Collect(() => bench.Send(Bench.Big, 1, 10));
        bench.Speaker.OnGetPeers = () => bench.Time.Advance(TimeSpan.FromSeconds(40));
        CycleInputs inputs = bench.Collect(() => bench.Send(Bench.Big, 1, 10));
        Assert.Equal(TimeSpan.FromSeconds(40), inputs.Input.Health.CaptureAge);
        Assert.Equal(bench.Clock.GetUtcNow(), inputs.Input.Now);
    }

    [Fact]
    public async Task Collect_route_feed_is_good_only_if_every_peer_is()
    {
        await using Bench bench = new();
        PeerStatus good = FakeSpeaker.MakePeer("edge2");
        bench.Speaker.Peers.Add(good);
        Assert.Equal((true, true, true), Feed());
        bench.Speaker.Peers[1] = good with { State = SessionState.OpenConfirm };
        Assert.Equal((false, true, true), Feed());
        bench.Speaker.Peers[1] = good with { TableComplete = false };
        Assert.Equal((true, false, true), Feed());
        bench.Speaker.Peers[1] = good with { AddPath = false };
        Assert.Equal((true, true, false), Feed());
        PeerMonitoring shown = new(InUse: true, Trusted: true, BmpTable.AdjRibInPrePolicy, []);
        bench.Speaker.Peers[1] = good with { AddPath = false, Bmp = shown };
        Assert.Equal((true, true, true), Feed());
        bench.Speaker.Peers[1] = good with { AddPath = false, Bmp = shown with { Trusted = false } };
        Assert.Equal((true, true, false), Feed());

        (bool, bool, bool) Feed()
        {
            InputHealth health = bench.Collect().Input.Health;
            return (health.RouteFeedUp, health.RibComplete, health.AllPathsKnown);
        }
    }

    [Fact]
    public async Task Collect_override_without_traffic_is_observed_where_the_routers_say_they_send_it()
    {
        await using Bench bench = new();
        IpPrefix big = IpPrefix.Parse(Bench.Big);
        OverrideEntry[] overrides = [Entry(Bench.Big, "b", bench.Clock.GetUtcNow())];
        bench.Collect();
        Assert.Empty(bench.Collect(null, overrides).Input.ObservedLinks);
        bench.Speaker.LocRib[big] = [FakeSpeaker.Path("100.64.2.2")];
        Assert.Equal("b", bench.Collect(null, overrides).Input.ObservedLinks[big]);
        Assert.Empty(bench.Collect().Input.ObservedLinks);

        // What the mirror shows is worth more.
        Assert.Equal("a", bench.Collect(() => bench.Send(Bench.Big, 1, 10), overrides).Input.ObservedLinks[big]);
        bench.Speaker.LocRib[big] = [FakeSpeaker.Path("100.64.1.2"), FakeSpeaker.Path("100.64.2.2")];
        Assert.Empty(bench.Collect(null, overrides).Input.ObservedLinks);
        bench.Speaker.LocRib[big] = [FakeSpeaker.Path("192.0.2.99")];
        Assert.Empty(bench.Collect(null, overrides).Input.ObservedLinks);
    }

    [Fact]
    public async Task Collect_observed_link_needs_a_majority_of_this_cycle()
    {
        await using Bench bench = new();
        IpPrefix big = IpPrefix.Parse(Bench.Big);
        OverrideEntry[] overrides = [Entry(Bench.Big, "b", bench.Clock.GetUtcNow())];
        bench.Collect();
        CycleInputs inputs = bench.Collect(Majority, overrides);
        Assert.Equal("b", inputs.Input.ObservedLinks[big]);
        Assert.Empty(bench.Collect(null, overrides).Input.ObservedLinks);
        Assert.Equal("b", bench.Collect(Majority).Input.ObservedLinks[big]);
        Assert.Empty(bench.Collect(() => Spread(30, 30, 40), overrides).Input.ObservedLinks);

        void Majority() => Spread(30, 60, 0);
        void Spread(double a, double b, double c)
        {
            bench.Send(Bench.Big, 1, a);
            bench.Send(Bench.Big, 2, b);
            bench.Send(Bench.Big, 3, c);
        }
    }

    private static OverrideEntry Entry(string prefix, string to, DateTimeOffset now) => new()
    {
        Prefix = IpPrefix.Parse(prefix),
        From = "a",
        To = to,
        Since = now,
        Reason = ReasonCode.RelieveOverload,
        LeaseExpires = now.AddSeconds(30),
    };

    [Fact]
    public async Task Collect_prefix_of_few_sampled_packets_has_a_wide_error_and_its_mean_only_under_an_override()
    {
        await using Bench bench = new(change: c => c with { Capture = c.Capture with { Sources = [c.Capture.Sources[0] with { Sampling = 100 }] } });
        OverrideEntry[] overrides = [Entry(Bench.Second, "b", bench.Clock.GetUtcNow())];
        CycleInputs inputs = bench.Collect(
            30,
            () =>
            {
                bench.Pipeline.Count(bench.Id(Bench.Big), 1, 200, 200_000);
                bench.Pipeline.Count(bench.Id(Bench.Second), 2, 8, 8_000);
            },
            overrides);
        PrefixDemand big = Bench.Demand(inputs, Bench.Big)!;
        PrefixDemand small = Bench.Demand(inputs, Bench.Second)!;
        Assert.InRange(big.ErrorRatio!.Value, 0.05, 0.1);
        Assert.InRange(small.ErrorRatio!.Value / big.ErrorRatio.Value, 4.5, 5.5);
        Assert.Equal(0, big.MeanBps);
        Assert.InRange((double)small.MeanBps / small.RateBps, 0.95, 1.05);
        PrefixRate shown = inputs.Rates.Find(IpPrefix.Parse(Bench.Big))!.Value;
        Assert.InRange((double)shown.MeanBps / shown.RateBps, 0.95, 1.05);
        Assert.Equal(big.ErrorRatio.Value, shown.ErrorRatio, 9);

        // The limits of a link shrink by what sampling errs by at the threshold, where there would be more packets than there are now.
        Assert.InRange(inputs.Input.Links[0].ErrorRatio!.Value, 0.01, inputs.Beliefs[0].ErrorBps / (double)inputs.MirrorBps[0]);
        Assert.Null((await IdleError()).ErrorRatio);

        static async Task<LinkState> IdleError()
        {
            await using Bench idle = new();
            return idle.Collect(Settled).Input.Links[0];
        }
    }
}
