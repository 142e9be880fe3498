using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

public sealed class LeadershipTests
{
    [Fact]
    public async Task Standby_reads_and_shows_all_and_announces_nothing()
    {
        FakeLeadership standing = new();
        await using Bench bench = new(leadership: standing);
        await bench.StartAsync();
        await bench.CycleAsync(10, bench.Surge);
        Assert.Empty(bench.Speaker.Calls);
        Assert.Equal((Verdict.Standby, true), (bench.Last!.Verdict, bench.Last.Healthy));
        Assert.Equal("standby", bench.Api.State.Status.Verdict);
        Assert.Equal(120, bench.Inputs.Latest!.MirrorBps[0] / 1e6, 4.0);
        Assert.Equal(11, bench.Speaker.Heartbeats);
        Assert.Empty(standing.Saved);
    }

    [Fact]
    public async Task Box_that_does_not_lead_refuses_commands_and_says_who_does()
    {
        await using Bench bench = new(leadership: new FakeLeadership());
        await bench.StartAsync();
        foreach (OperationResult result in (OperationResult[])[await bench.Api.SetModeAsync("observe", default), bench.Api.AddOverride(Bench.Big, "b"), bench.Api.ReleaseOverride(Bench.Big)])
        {
            Assert.Equal(OperationStatus.Refused, result.Status);
            Assert.Contains("ctl1", result.Detail, StringComparison.Ordinal);
        }

        // But for the red button, whose order another box carries out.
        Assert.Equal(new StopNotice(0, StopReach.Told, "not decided"), await bench.Api.StopAsync(default));
    }

    [Fact]
    public async Task Leader_goes_on_with_what_the_one_before_saved()
    {
        FakeLeadership first = new() { MayAnnounce = true };
        string saved;
        IReadOnlyDictionary<string, string> announced;
        await using (Bench bench = new(leadership: first))
        {
            await bench.StartAsync();
            Assert.True(bench.Loop.Lead(null, DecisionMode.Inject));
            for (int i = 0; i < 20 && bench.Speaker.Announced().Count == 0; i++)
            {
                await bench.CycleAsync(1, bench.Surge);
            }

            announced = bench.Speaker.Announced();
            Assert.Single(announced);
            saved = first.Saved[^1];
        }

        FakeLeadership second = new();
        await using Bench other = new(leadership: second);
        await other.StartAsync();
        await other.CycleAsync(8, () => Native(other));
        Assert.Empty(other.Speaker.Calls);
        Assert.False(other.Loop.Lead(saved, DecisionMode.Inject), "led without leave");
        Assert.Empty(other.Speaker.Calls);

        second.MayAnnounce = true;
        Assert.False(other.Loop.Lead("{ no state", DecisionMode.Inject));
        Assert.True(other.Loop.Lead(saved, DecisionMode.Inject));
        Assert.Equal(announced, other.Speaker.Announced());
        Assert.Equal(DecisionMode.Inject, other.Loop.Mode);
        Assert.Equal(OperationStatus.Done, (await other.Api.SetModeAsync("inject", default)).Status);
        Assert.Equal(0, second.Stops);

        // The plan stands: the next cycles keep it and announce nothing more.
        int calls = other.Speaker.Calls.Count;
        await other.CycleAsync(4, other.Surge);
        Assert.Equal(announced, other.Speaker.Announced());
        Assert.Equal(calls, other.Speaker.Calls.Count);
        Assert.Equal(Verdict.Holding, other.Last!.Verdict);

        // Observe is an order like the red button: it must outlive this leader. On one that has just ceased to lead it is not said to be done.
        Assert.Equal(OperationStatus.Done, (await other.Api.SetModeAsync("observe", default)).Status);
        Assert.Equal((1, 0), (second.Stops, other.Speaker.Announced().Count));
        second.Deposed = true;
        Assert.Equal(new OperationResult(OperationStatus.Refused, "not decided"), await other.Api.SetModeAsync("observe", default));
    }

    [Fact]
    public async Task Leader_that_may_not_announce_any_more_withdraws_at_once_and_stands_by()
    {
        FakeLeadership standing = new() { MayAnnounce = true };
        await using Bench bench = new(leadership: standing);
        await bench.StartAsync();
        Assert.True(bench.Loop.Lead(null, DecisionMode.Inject));
        for (int i = 0; i < 20 && bench.Speaker.Announced().Count == 0; i++)
        {
            await bench.CycleAsync(1, bench.Surge);
        }

        Assert.Single(bench.Speaker.Announced());
        standing.MayAnnounce = false;

        // Long before the next cycle, which may hang.
        bench.Time.Advance(TimeSpan.FromMilliseconds(100));
        await Bench.UntilAsync(() => bench.Speaker.Announced().Count == 0);
        int saved = standing.Saved.Count;
        await bench.CycleAsync(3, bench.Surge);
        Assert.Equal(Verdict.Standby, bench.Last!.Verdict);
        Assert.False(bench.Loop.Leads);
        Assert.Empty(bench.Last.Overrides);
        Assert.Empty(bench.Speaker.Announced());
        Assert.Equal(saved, standing.Saved.Count);
    }

    [Fact]
    public async Task Told_to_stand_by_it_withdraws_and_decides_nothing()
    {
        FakeLeadership standing = new() { MayAnnounce = true };
        await using Bench bench = new(leadership: standing);
        await bench.StartAsync();
        Assert.True(bench.Loop.Lead(null, DecisionMode.Inject));
        for (int i = 0; i < 20 && bench.Speaker.Announced().Count == 0; i++)
        {
            await bench.CycleAsync(1, bench.Surge);
        }

        bench.Loop.StandBy();
        Assert.Empty(bench.Speaker.Announced());
        await bench.CycleAsync(5, bench.Surge);
        Assert.Empty(bench.Speaker.Announced());
        Assert.Equal(Verdict.Standby, bench.Last!.Verdict);
    }

    [Fact]
    public async Task Collector_decides_nothing_whatever_its_mode()
    {
        await using Bench bench = new(leadership: NoLeadership.Instance);
        await bench.StartAsync();
        await bench.CycleAsync(10, bench.Surge);
        Assert.Empty(bench.Speaker.Calls);
        Assert.Equal("collecting", bench.Api.State.Status.Verdict);
        Assert.False(bench.Loop.Lead(null, DecisionMode.Inject));
    }

    [Fact]
    public async Task What_keeps_it_from_deciding_well_is_reported()
    {
        FakeLeadership standing = new();
        await using Bench bench = new(leadership: standing);
        await bench.StartAsync();
        await bench.CycleAsync(2, bench.Surge);
        Assert.Null(standing.Reported);
        bench.Speaker.Peers[0] = bench.Speaker.Peers[0] with { State = SessionState.Connect };
        await bench.CycleAsync(1, bench.Surge);
        Assert.Contains("BGP", standing.Reported, StringComparison.Ordinal);
        Assert.False(bench.Last!.Healthy);
    }

    [Fact]
    public void TakeOver_announces_all_anew_and_keeps_their_age()
    {
        DateTimeOffset start = DateTimeOffset.UnixEpoch;
        ControllerState state = new()
        {
            Id = 7,
            Mode = DecisionMode.Inject,
            Verdict = Verdict.Holding,
            Overrides = [new OverrideEntry { Prefix = IpPrefix.Parse(Bench.Big), From = "a", To = "b", Since = start, LeaseExpires = start, Reason = ReasonCode.RelieveOverload, State = OverrideState.Confirmed }],
        };
        DateTimeOffset now = start.AddSeconds(40);
        CycleOutcome outcome = DecisionController.FromState(new ControllerOptions(), state).TakeOver(now);
        OverrideEntry entry = Assert.Single(outcome.Announce);
        Assert.Equal((OverrideState.Proposed, start, now, now + new ControllerOptions().Lease), (entry.State, entry.Since, entry.LastConfirmed, entry.LeaseExpires));
        Assert.Empty(outcome.Withdraw);
        Assert.Equal((8, Verdict.Holding), (outcome.Id, outcome.Verdict));

        Assert.Empty(DecisionController.FromState(new ControllerOptions(), state).TakeOver(start.AddSeconds(61)).Overrides);
        CycleOutcome observing = DecisionController.FromState(new ControllerOptions(), state with { Mode = DecisionMode.Observe }).TakeOver(now);
        Assert.Empty(observing.Announce);
        Assert.Single(observing.Overrides);
    }

    /// <summary>What plain BGP does, whoever announces: all by link a.</summary>
    private static void Native(Bench bench)
    {
        bench.Send(Bench.Big, 1, 60);
        bench.Send(Bench.Second, 1, 60);
    }

    private sealed class FakeLeadership : ILeadership
    {
        private volatile bool _may;

        public Verdict? Idle => Verdict.Standby;

        public bool MayAnnounce
        {
            get => _may;
            set => _may = value;
        }

        public string Leader => "ctl1";

        public List<string> Saved { get; } = [];

        public string? Reported { get; private set; }

        /// <summary>The lease is gone, and the loop has not been told.</summary>
        public bool Deposed { get; set; }

        /// <summary>Orders that it was told of.</summary>
        public int Stops { get; private set; }

        public void Decided(CycleOutcome outcome, ControllerState state, TimeSpan offset) => Saved.Add(EgressAppliance.Decision.Journal.SavedController.Write(state, offset));

        public void Report(string? problem, IReadOnlyList<PeerStatus> peers) => Reported = problem;

        public Task<StopNotice> StopAsync(Func<(int Count, bool Decided)> withdraw, CancellationToken cancellationToken)
        {
            Stops++;
            (int count, bool decided) = Deposed ? (0, false) : withdraw();
            return Task.FromResult(new StopNotice(count, decided ? StopReach.Here : StopReach.Told, decided ? "" : "not decided"));
        }
    }
}
