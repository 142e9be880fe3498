using System.Collections.Concurrent;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>Jitter, the slot's timers and the thread they run on.</summary>
public sealed class TimerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(0.0, 0.75)]
    [InlineData(0.5, 0.875)]
    [InlineData(1.0, 1.0)]
    public void Jitter_waits_75_to_100_percent(double random, double share) =>
        Assert.Equal(share * 40, Jitter.Apply(TimeSpan.FromSeconds(40), random).TotalSeconds, 6);

    [Fact]
    public void Jitter_differs_from_time_to_time_and_stays_in_bounds()
    {
        TimeSpan[] waits = [.. Enumerable.Range(0, 1000).Select(_ => Jitter.Apply(TimeSpan.FromSeconds(100)))];

        Assert.All(waits, w => Assert.InRange(w.TotalSeconds, 75, 100));
        Assert.InRange(waits.Min().TotalSeconds, 75, 80);
        Assert.InRange(waits.Max().TotalSeconds, 95, 100);
    }

    [Fact]
    public void SlotTimer_restarted_expires_once_and_only_after_the_last_deadline()
    {
        var time = new ManualTimeProvider();
        int expired = 0;
        using var timer = new SlotTimer(time, () => expired++);
        timer.Start(TimeSpan.FromSeconds(3));
        for (int i = 0; i < 5; i++)
        {
            time.Advance(TimeSpan.FromSeconds(2));
            timer.Start(TimeSpan.FromSeconds(3));
        }

        Assert.Equal(0, expired);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(1, expired);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, expired);
        Assert.True(timer.TakeExpiry());
        Assert.False(timer.TakeExpiry());
    }

    [Fact]
    public void SlotTimer_started_sooner_expires_sooner()
    {
        var time = new ManualTimeProvider();
        int expired = 0;
        using var timer = new SlotTimer(time, () => expired++);
        timer.Start(TimeSpan.FromMinutes(1));
        timer.Start(TimeSpan.Zero);

        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(1, expired);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SlotTimer_expiry_is_void_once_the_timer_was_restarted_or_stopped(bool restart)
    {
        var time = new ManualTimeProvider();
        using var timer = new SlotTimer(time, () => { });
        timer.Start(TimeSpan.FromSeconds(3));
        time.Advance(TimeSpan.FromSeconds(3));

        // The message that was waited for came between the expiry and its handling.
        if (restart)
        {
            timer.Start(TimeSpan.FromSeconds(3));
        }
        else
        {
            timer.Stop();
        }

        Assert.False(timer.TakeExpiry());
    }

    [Fact]
    public void SlotTimer_repeated_by_its_own_callback_goes_on()
    {
        var time = new ManualTimeProvider();
        int expired = 0;
        SlotTimer timer = null!;
        timer = new SlotTimer(time, () =>
        {
            expired++;
            timer.Repeat(TimeSpan.FromSeconds(3));
        });
        timer.Start(TimeSpan.FromSeconds(3));

        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(3, expired);
        timer.Dispose();
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void SlotTimer_repeated_too_late_leaves_what_was_done_meanwhile(bool restart, int more)
    {
        var time = new ManualTimeProvider();
        int expired = 0;
        using var timer = new SlotTimer(time, () => expired++);
        timer.Start(TimeSpan.FromSeconds(3));
        time.Advance(TimeSpan.FromSeconds(3));

        // Between the expiry and what its callback does the session ended, and the next one may have begun.
        timer.Stop();
        if (restart)
        {
            timer.Start(TimeSpan.FromSeconds(1));
        }

        timer.Repeat(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1 + more, expired);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1 + more, expired);
    }

    [Fact]
    public void SessionTimers_call_back_in_order_on_a_thread_that_is_not_the_pools()
    {
        TimeProvider timers = SessionTimers.For(TimeProvider.System);
        var fired = new BlockingCollection<(string Name, bool Pool)>();
        using ITimer late = timers.CreateTimer(_ => fired.Add(("late", Thread.CurrentThread.IsThreadPoolThread)), null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
        using ITimer never = timers.CreateTimer(_ => fired.Add(("never", false)), null, TimeSpan.FromMinutes(30), Timeout.InfiniteTimeSpan);
        using ITimer soon = timers.CreateTimer(_ => fired.Add(("soon", Thread.CurrentThread.IsThreadPoolThread)), null, TimeSpan.FromMilliseconds(20), Timeout.InfiniteTimeSpan);
        Assert.True(fired.TryTake(out (string Name, bool Pool) first, Patience));
        never.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        late.Change(TimeSpan.FromMilliseconds(20), Timeout.InfiniteTimeSpan);
        Assert.True(fired.TryTake(out (string Name, bool Pool) second, Patience));
        Assert.Equal([("soon", false), ("late", false)], new[] { first, second });
        ((IDisposable)timers).Dispose();
        Assert.False(soon.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public void SessionTimers_leave_a_clock_that_is_not_the_systems_to_itself()
    {
        var manual = new ManualTimeProvider();

        Assert.Same(manual, SessionTimers.For(manual));
        Assert.Throws<NotSupportedException>(
            () => SessionTimers.For(TimeProvider.System).CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
    }
}
