using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Config;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

public sealed class SteeringLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Cycles_come_a_little_early_or_late_by_the_jitter()
    {
        await using Bench bench = new(change: c => c with { Decision = c.Decision with { CycleJitter = 0.2 } });
        await bench.StartAsync();
        List<double> lengths = [];
        double since = 0;
        while (lengths.Count < 8)
        {
            int before = bench.Cycles;
            bench.Time.Advance(TimeSpan.FromMilliseconds(100));
            since += 0.1;

            // The loop works on a thread of its own; it sets its timer anew right after a cycle.
            await Task.Delay(5);
            if (bench.Cycles > before)
            {
                lengths.Add(since);
                since = 0;
            }

            Assert.True(since < 10, "no cycle came");
        }

        // A busy machine may be a step or some late to look; never early.
        Assert.All(lengths.Skip(1), length => Assert.InRange(length, 3.8, 7));
        Assert.True(lengths.Skip(1).Distinct().Count() > 1, string.Join(' ', lengths));
    }

    [Fact]
    public async Task Observe_proposes_and_never_announces()
    {
        await using Bench bench = new(ApplianceMode.Observe);
        await bench.StartAsync();
        await bench.CycleAsync(10, bench.Surge);
        Assert.NotEmpty(bench.Last!.Overrides);
        Assert.Empty(bench.Speaker.Calls);
    }

    [Fact]
    public async Task Inject_announces_and_keeps_renewing_without_announcing_again()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        await bench.CycleAsync(12, bench.Surge);
        Assert.Equal(prefix, Assert.Single(bench.Last!.Overrides).Prefix.ToString());
        Assert.Equal(["announce " + prefix], bench.Speaker.Calls);
    }

    [Fact]
    public async Task Each_cycle_gives_one_heartbeat_and_one_result()
    {
        await using Bench bench = new();
        await bench.StartAsync();
        Assert.Equal((1, 1), (bench.Cycles, bench.Speaker.Heartbeats));
        await bench.CycleAsync(3);
        Assert.Equal((4, 4), (bench.Cycles, bench.Speaker.Heartbeats));
    }

    [Fact]
    public async Task SetMode_observe_withdraws()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        bench.Loop.SetMode(DecisionMode.Observe);
        Assert.Empty(bench.Speaker.Announced());
        Assert.Equal("withdraw " + prefix, bench.Speaker.Calls[^1]);
        Assert.Equal(DecisionMode.Observe, bench.Loop.Mode);
    }

    [Fact]
    public async Task WithdrawAll_goes_to_the_speaker_first_and_leaves_observe()
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        Assert.Equal(1, bench.Loop.WithdrawAll(out _));
        Assert.Equal("withdraw-all", bench.Speaker.Calls[1]);
        Assert.Empty(bench.Speaker.Announced());
        await bench.CycleAsync(5, bench.Surge);
        Assert.Empty(bench.Speaker.Announced());
        Assert.Equal(DecisionMode.Observe, bench.Last!.Mode);
        Assert.Equal(1, bench.Installer.Changes.Single(c => c.Key == "withdrawn").Value);
    }

    [Fact]
    public async Task WithdrawAll_works_while_a_cycle_hangs_in_its_inputs()
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        using ManualResetEventSlim release = new();
        Task stuck = await HangAsync(bench, release);
        Assert.Equal(1, await Task.Run(() => bench.Loop.WithdrawAll(out _)).WaitAsync(Patience));
        Assert.Empty(bench.Speaker.Announced());
        Assert.Equal(DecisionMode.Observe, bench.Loop.Mode);
        release.Set();
        await stuck.WaitAsync(Patience);
        Assert.Empty(bench.Speaker.Announced());
    }

    [Fact]
    public async Task WithdrawAll_between_a_cycles_decision_and_its_announcement_wins()
    {
        await using Bench bench = new();
        Task<int>? button = null;
        bench.Speaker.OnAnnounce = () =>
        {
            button = Task.Run(() => bench.Loop.WithdrawAll(out _));
            SpinWait.SpinUntil(() => bench.Speaker.Calls.Contains("withdraw-all"), Patience);
        };
        await bench.StartAsync();
        for (int i = 0; i < 20 && button is null; i++)
        {
            await bench.CycleAsync(1, bench.Surge);
        }

        await button!.WaitAsync(Patience);
        Assert.Empty(bench.Speaker.Announced());
        Assert.Equal(DecisionMode.Observe, bench.Loop.Mode);
    }

    [Fact]
    public async Task Lost_override_reported_while_a_cycle_waits_for_the_speaker_does_not_deadlock()
    {
        await using Bench bench = new();
        bool returned = false;
        bench.Speaker.OnAnnounce = () => returned = Task.Run(() => bench.Speaker.Lose(Bench.Big)).Wait(Patience);
        await bench.RelieveAsync();
        Assert.True(returned);
        Assert.Equal(1, bench.Installer.Changes.Single(c => c.Key == "lost").Value);
    }

    [Fact]
    public async Task Lost_override_leaves_the_ledger()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        bench.Speaker.Learn(prefix, "100.64.1.2");
        await Task.Run(() => bench.Speaker.Lose(prefix)).WaitAsync(Patience);
        await bench.CycleAsync(1, bench.Surge);
        Assert.DoesNotContain(bench.Last!.Overrides, o => o.Prefix.ToString() == prefix);
    }

    [Fact]
    public async Task Override_that_the_speaker_holds_no_more_leaves_the_ledger_though_nobody_told()
    {
        await using Bench bench = new();
        await bench.StartAsync();
        Assert.Equal((OperatorResult.Done, OverrideRefusal.None), bench.Loop.AddOverride(IpPrefix.Parse(Bench.Second), "b"));
        Assert.Single(bench.Speaker.Announced());
        bench.Speaker.Drop(Bench.Second);
        await bench.CycleAsync();
        Assert.Empty(bench.Last!.Overrides);
    }

    [Fact]
    public async Task Announcement_that_the_ledger_does_not_know_is_withdrawn()
    {
        await using Bench bench = new();
        string prefix = await bench.RelieveAsync();
        bench.Speaker.Stray("192.0.2.0/24", "100.64.2.2");
        await bench.CycleAsync(1, bench.Surge);
        Assert.Equal([prefix], bench.Speaker.Announced().Keys);
        Assert.Contains("withdraw 192.0.2.0/24", bench.Speaker.Calls);
    }

    [Fact]
    public async Task Leases_end_while_a_cycle_hangs_and_ledger_and_speaker_agree_when_it_goes_on()
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        using ManualResetEventSlim release = new();
        Task stuck = await HangAsync(bench, release);
        bench.Time.Advance(TimeSpan.FromSeconds(24));
        Assert.Single(bench.Speaker.Announced());
        bench.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.Empty(bench.Speaker.Announced());
        release.Set();
        await stuck.WaitAsync(Patience);
        await bench.CycleAsync();
        await Bench.UntilAsync(() => bench.Speaker.Announced().Keys.Order().SequenceEqual(bench.Last!.Overrides.Select(o => o.Prefix.ToString()).Order()));
        Assert.Equal(1, bench.Installer.Changes.Single(c => c.Key == "withdrawn").Value);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Setting_the_time_of_day_neither_ends_nor_prolongs_leases(int hours)
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        bench.Wall.Step = TimeSpan.FromHours(hours);
        await bench.CycleAsync(1, bench.Surge);
        Assert.Single(bench.Speaker.Announced());
        Assert.Equal(bench.Wall.GetUtcNow(), bench.Last!.Time);
        Assert.Equal(bench.Wall.GetUtcNow().AddSeconds(30), Assert.Single(bench.Last.Overrides).LeaseExpires);
        using ManualResetEventSlim release = new();
        Task stuck = await HangAsync(bench, release);
        bench.Time.Advance(TimeSpan.FromSeconds(27));
        Assert.Empty(bench.Speaker.Announced());
        release.Set();
        await stuck.WaitAsync(Patience);
    }

    [Fact]
    public async Task Cycle_that_throws_withdraws_everything_and_ends_the_loop()
    {
        await using Bench bench = new();
        await bench.RelieveAsync();
        int heartbeats = bench.Speaker.Heartbeats;
        bench.Pipeline.OnSnapshot = () => throw new InvalidOperationException("a bug");
        await bench.CycleAsync();
        Exception thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => bench.Loop.Completion);
        Assert.Equal("a bug", thrown.Message);
        Assert.Empty(bench.Speaker.Announced());
        Assert.Equal("withdraw-all", bench.Speaker.Calls[^1]);
        Assert.Equal(heartbeats, bench.Speaker.Heartbeats);
    }

    [Fact]
    public async Task Dispose_withdraws()
    {
        Bench bench = new();
        await bench.RelieveAsync();
        await bench.DisposeAsync();
        Assert.Empty(bench.Speaker.Announced());
        Assert.True(bench.Loop.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Dispose_withdraws_at_once_though_a_cycle_hangs_and_that_cycle_announces_nothing_more()
    {
        Bench bench = new();
        await bench.RelieveAsync();
        using ManualResetEventSlim release = new();
        Task stuck = await HangAsync(bench, release);
        Task disposing = bench.DisposeAsync().AsTask();
        await Bench.UntilAsync(() => bench.Speaker.Announced().Count == 0);
        Assert.False(disposing.IsCompleted);
        release.Set();
        await disposing.WaitAsync(Patience);
        await stuck.WaitAsync(Patience);
        Assert.Single(bench.Speaker.Calls, c => c.StartsWith("announce", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AddOverride_tells_when_the_speaker_refuses_and_keeps_no_entry()
    {
        await using Bench bench = new();
        await bench.StartAsync();
        IpPrefix second = IpPrefix.Parse(Bench.Second);
        bench.Speaker.RefuseToCreate[second] = OverrideRefusal.EmptyAsPath;
        Assert.Equal((OperatorResult.Done, OverrideRefusal.EmptyAsPath), bench.Loop.AddOverride(second, "b"));
        Assert.Equal(OperatorResult.NoOverride, bench.Loop.ReleaseOverride(second));
        bench.Speaker.RefuseToCreate.Clear();
        bench.Speaker.RefuseToAnnounce[second] = OverrideRefusal.TooMany;
        Assert.Equal((OperatorResult.Done, OverrideRefusal.TooMany), bench.Loop.AddOverride(second, "b"));
        Assert.Empty(bench.Speaker.Announced());
    }

    /// <summary>Makes the next cycle hang at its beginning; the task ends when that cycle does.</summary>
    private static async Task<Task> HangAsync(Bench bench, ManualResetEventSlim release)
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Pipeline.OnSnapshot = () =>
        {
            bench.Pipeline.OnSnapshot = null;
            entered.SetResult();
            Assert.True(release.Wait(Patience));
        };
        bench.Surge();
        int before = bench.Cycles;
        _ = Task.Run(() => bench.Time.Advance(bench.Config.Decision.Cycle));
        await entered.Task.WaitAsync(Patience);
        return Bench.UntilAsync(() => bench.Cycles > before || bench.Loop.Completion.IsCompleted);
    }
}
