using EgressAppliance.Host.History.Store;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.History.Store;

public sealed class MinuteMeterTests
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Add_uneven_cycles_are_weighed_by_their_time()
    {
        MinuteMeter meter = new(10, TimeSpan.FromSeconds(60));
        meter.Add(Begin.AddSeconds(1), [Reading(0)], []);
        meter.Add(Begin.AddSeconds(11), [Reading(100)], []);
        meter.Add(Begin.AddSeconds(51), [Reading(200, counter: 50)], []);
        HistoryTick tick = meter.Finish()!;
        LinkSample link = Assert.Single(tick.Links);
        Assert.Equal((51, (0 + (100 * 10) + (200 * 40)) / 51, 200, 50L, null), (tick.Seconds, link.MirrorBps, link.MirrorMaxBps, link.CounterBps, link.NativeBps));
    }

    [Fact]
    public void Add_a_cycle_over_the_end_of_a_minute_counts_for_both()
    {
        MinuteMeter meter = new(10, TimeSpan.FromSeconds(60));
        Assert.Empty(meter.Add(Begin.AddSeconds(1), [Reading(100)], []));
        Assert.Empty(meter.Add(Begin.AddSeconds(40), [Reading(100, counter: 30)], [Prefix(1, 60)]));
        HistoryTick tick = Assert.Single(meter.Add(Begin.AddSeconds(70), [Reading(400, native: 10)], [Prefix(1, 120)]));
        Assert.Equal((Begin, 60), (tick.Minute, tick.Seconds));
        LinkSample link = Assert.Single(tick.Links);
        Assert.Equal((200, 400, 30L, 10L), (link.MirrorBps, link.MirrorMaxBps, link.CounterBps, link.NativeBps));
        Assert.Equal(((60 * 39) + (120 * 20)) / 60, Assert.Single(tick.Prefixes).Bps);
        HistoryTick rest = Assert.IsType<HistoryTick>(meter.Finish());
        Assert.Equal((Begin.AddMinutes(1), 10, 400), (rest.Minute, rest.Seconds, rest.Links[0].MirrorBps));
        Assert.Null(meter.Finish());
    }

    [Fact]
    public void Add_after_a_gap_or_with_a_clock_set_back_counts_for_no_time_that_was_not_measured()
    {
        MinuteMeter meter = new(10, TimeSpan.FromSeconds(15));
        meter.Add(Begin.AddSeconds(30), [Reading(1)], []);
        HistoryTick first = Assert.Single(meter.Add(Begin.AddMinutes(10), [Reading(2)], []));
        Assert.Equal((Begin, 1), (first.Minute, first.Seconds));
        HistoryTick second = Assert.Single(meter.Add(Begin.AddMinutes(10).AddSeconds(5), [Reading(3)], []));
        Assert.Equal((Begin.AddMinutes(9), 1), (second.Minute, second.Seconds));

        // An hour back: the cycle itself stands for nothing, the next for its own time.
        Assert.Empty(meter.Add(Begin.AddMinutes(-50), [Reading(4)], []));
        HistoryTick third = Assert.Single(meter.Add(Begin.AddMinutes(-50).AddSeconds(5), [Reading(5)], []));
        Assert.Equal((Begin.AddMinutes(10), 5, 3), (third.Minute, third.Seconds, third.Links[0].MirrorBps));
        Assert.Equal((Begin.AddMinutes(-50), 5, 5), (meter.Finish() is { } t ? (t.Minute, t.Seconds, t.Links[0].MirrorBps) : default));
    }

    [Fact]
    public void Add_overload_is_told_in_seconds_of_load_and_native_load()
    {
        MinuteMeter meter = new(10, TimeSpan.FromSeconds(60));
        meter.Add(Begin, [Reading(0)], []);
        meter.Add(Begin.AddSeconds(10), [Reading(96)], []);
        meter.Add(Begin.AddSeconds(30), [Reading(50, counter: 97, native: 120)], []);
        meter.Add(Begin.AddSeconds(50), [Reading(50, native: 120)], []);
        LinkSample link = Assert.Single(meter.Finish()!.Links);
        Assert.Equal((30, 40), (link.OverloadSeconds, link.NativeOverloadSeconds));
    }

    [Fact]
    public void Add_keeps_the_largest_prefixes_of_the_minute()
    {
        MinuteMeter meter = new(2, TimeSpan.FromSeconds(60));
        meter.Add(Begin, [], []);
        meter.Add(Begin.AddSeconds(20), [], [Prefix(1, 90), Prefix(2, 50), Prefix(3, 20)]);
        meter.Add(Begin.AddSeconds(50), [], [Prefix(3, 80), Prefix(2, 50), Prefix(4, 1)]);
        HistoryTick tick = meter.Finish()!;
        Assert.Equal([(3, 56L), (2, 50L)], tick.Prefixes.Select(p => ((int)(p.Prefix.Address.IPv4Value >> 8 & 0xff), p.Bps)));
    }

    private static LinkReading Reading(long mirror, long? counter = null, long? native = null) => new("a", mirror, counter, native, native, 100, 95, 0, 0);

    private static PrefixSample Prefix(int number, long bps) => new(IpPrefix.Create(IpAddr.FromIPv4(0x0a000000u + ((uint)number << 8)), 24), "a", bps);
}
