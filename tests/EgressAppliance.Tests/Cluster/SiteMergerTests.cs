using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Cluster.Merge;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Cluster;

public class SiteMergerTests
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private static readonly IpPrefix P = IpPrefix.Parse("192.0.2.0/24");
    private static readonly IpPrefix Q = IpPrefix.Parse("2001:db8::/32");
    private readonly ManualTimeProvider _time = new();
    private readonly Dictionary<string, long> _sequence = [];

    [Fact]
    public void Cells_of_all_collectors_are_brought_to_the_length_of_a_tick()
    {
        SiteMerger merger = Make(Shows("c1", 0), Shows("c2", 0, 1));
        Add(merger, "c1", 1, seconds: 5, ("a", P, 10, 1000));
        Add(merger, "c2", 1, seconds: 10, ("a", P, 20, 4000), ("b", Q, 2, 200));
        (MergedTick tick, List<Cell> cells) = Take(merger);
        Assert.Equal([5, 5], tick.CoveredSeconds);
        Assert.Empty(tick.Missing);
        Assert.True(tick.TablesComplete);
        Assert.Equal([new(P, 0, 10, 1000, 1), new(P, 0, 20, 4000, 0.5), new(Q, 1, 2, 200, 0.5)], cells);
    }

    [Fact]
    public void Missing_collector_is_a_gap_of_its_links_and_of_no_others()
    {
        SiteMerger merger = Make(Shows("c1", 0), Shows("c2", 0, 1), Shows("c3", 2));
        Add(merger, "c1", 1, 5, ("a", P, 10, 1000));
        Add(merger, "c3", 1, 5, ("c", P, 1, 100), ("", P, 3, 300));
        Assert.False(merger.IsComplete(1));
        (MergedTick tick, List<Cell> cells) = Take(merger);
        Assert.Equal([0, 0, 5], tick.CoveredSeconds);
        Assert.Equal(0, tick.CoveredElsewhere);
        Assert.Equal(["c2"], tick.Missing);

        // What others show of the link counts in totals, and in no rate.
        Assert.Equal([new(P, 0, 10, 1000, 0), new(P, 2, 1, 100, 1), new(P, -1, 3, 300, 0)], cells);
        Assert.Equal([false, true, false], merger.Collectors.Select(c => c.Missing));
        Assert.Equal(1, merger.Collectors[1].Gaps);
    }

    [Fact]
    public void Late_delta_is_averaged_with_the_next_and_one_that_is_older_counts_in_totals_only()
    {
        SiteMerger merger = Make(Shows("c1", 0));
        Take(merger);
        Add(merger, "c1", 1, 5, ("a", P, 5, 500));
        Add(merger, "c1", 2, 5, ("a", P, 10, 1000));
        Add(merger, "c1", 3, 5, ("a", P, 20, 2000));
        (MergedTick tick, List<Cell> cells) = Take(merger);
        Assert.Equal([5], tick.CoveredSeconds);
        Assert.Equal([new(P, 0, 5, 500, 0), new(P, 0, 10, 1000, 0.5), new(P, 0, 20, 2000, 0.5)], cells);
    }

    [Fact]
    public void Collector_without_a_table_has_no_rates()
    {
        SiteMerger merger = Make(Shows("c1", 0));
        Assert.Equal(DeltaRefusal.None, merger.Add(Delta("c1", 1, 5, [("a", default, 5, 500)]) with { Health = new CollectorHealth { TableComplete = false } }, _time.GetTimestamp()));
        (MergedTick tick, List<Cell> cells) = Take(merger);
        Assert.False(tick.TablesComplete);
        Assert.Equal([0], tick.CoveredSeconds);
        Assert.Equal([new(default, 0, 5, 500, 0)], cells);
        Assert.Empty(tick.Missing);
        Assert.Contains(tick.Problems, p => p.Contains("no complete table", StringComparison.Ordinal));
    }

    [Fact]
    public void Duplicates_old_runs_unknown_boxes_and_other_periods_are_refused()
    {
        SiteMerger merger = Make(Shows("c1", 0));
        TrafficDelta first = Delta("c1", 1, 5, [("a", P, 5, 500)]);
        Assert.Equal(DeltaRefusal.None, merger.Add(first, 0));
        Assert.Equal(DeltaRefusal.Duplicate, merger.Add(first, 0));
        Assert.Equal(DeltaRefusal.OldRun, merger.Add(first with { Run = 1, Sequence = 9 }, 0));
        Assert.Equal(DeltaRefusal.OtherPeriod, merger.Add(first with { Period = TimeSpan.FromSeconds(1), Sequence = 2 }, 0));
        Assert.Equal(DeltaRefusal.UnknownBox, merger.Add(first with { Box = "c9" }, 0));
        Assert.Equal(DeltaRefusal.None, merger.Add(first with { Sequence = 4, Tick = 4 }, 0));
        (MergedTick tick, List<Cell> cells) = Take(merger);
        Assert.Equal(2, cells.Count);
        Assert.Contains(tick.Problems, p => p.Contains("c9", StringComparison.Ordinal));
        Assert.Contains(tick.Problems, p => p.Contains("another length", StringComparison.Ordinal));
        CollectorStatus status = merger.Collectors[0];
        Assert.Equal((2, 2, 1, 2), (status.Deltas, status.Lost, status.Duplicates, status.Refused));
        Assert.Empty(Take(merger).Tick.Problems);
    }

    [Fact]
    public void Run_with_an_older_clock_is_believed_once_the_one_before_is_silent()
    {
        SiteMerger merger = Make(Shows("c1", 0));
        TrafficDelta delta = Delta("c1", 1, 5, [("a", P, 5, 500)]);
        merger.Add(delta, _time.GetTimestamp());
        TrafficDelta other = delta with { Run = delta.Run - 1000, Sequence = 1, Tick = 2 };
        Assert.Equal(DeltaRefusal.OldRun, merger.Add(other, _time.GetTimestamp()));
        _time.Advance((3 * Period) + TimeSpan.FromSeconds(1));
        Assert.Equal(DeltaRefusal.None, merger.Add(other, _time.GetTimestamp()));
        Assert.Equal(1, merger.Collectors[0].Restarts);
    }

    [Fact]
    public void Mirror_of_two_collectors_is_counted_once_and_goes_over_when_the_first_is_silent()
    {
        SiteMerger merger = Make(Shows("c1", 0) with { Mirror = "m" }, Shows("c2", 0) with { Mirror = "m" });
        Add(merger, "c1", 1, 5, ("a", P, 10, 1000));
        Assert.True(merger.IsComplete(1));
        Add(merger, "c2", 1, 5, ("a", P, 10, 1001));
        Assert.Equal([new(P, 0, 10, 1000, 1)], Take(merger).Cells);
        Assert.Equal([false, true], merger.Collectors.Select(c => c.Redundant));

        Add(merger, "c2", 2, 5, ("a", P, 20, 2000));
        (MergedTick tick, List<Cell> cells) = Take(merger);
        Assert.Equal([new(P, 0, 20, 2000, 1)], cells);
        Assert.Empty(tick.Missing);
        Assert.Equal([5], tick.CoveredSeconds);
        Assert.Contains(tick.Problems, p => p.Contains("c1 is silent", StringComparison.Ordinal));

        // What the first had for that tick comes late: the second's was counted.
        Add(merger, "c1", 2, 5, ("a", P, 20, 2002));
        Add(merger, "c1", 3, 5, ("a", P, 30, 3000));
        Add(merger, "c2", 3, 5, ("a", P, 30, 3003));
        Assert.Equal([new(P, 0, 30, 3000, 1)], Take(merger).Cells);

        (tick, _) = Take(merger);
        Assert.Equal(["c1", "c2"], tick.Missing);
        Assert.Equal([0], tick.CoveredSeconds);
    }

    [Fact]
    public void Same_frames_in_two_collectors_are_recognised_and_a_shared_link_is_not_taken_for_it()
    {
        Random random = new(5);
        SiteMerger merger = Make(Shows("c1", 0), Shows("c2", 0), Shows("c3", 0));
        for (int tick = 1; tick <= 4; tick++)
        {
            (string, IpPrefix, long, long)[] cells = [.. Enumerable.Range(0, 500).Select(i => ("a", Number(i), (long)random.Next(1, 20), (long)random.Next(40, 20_000)))];
            Add(merger, "c1", tick, 5, cells);

            // The same mirror, cut a moment later: some cells have another packet.
            Add(merger, "c2", tick, 5, [.. cells.Select(c => random.Next(10) == 0 ? (c.Item1, c.Item2, c.Item3 + 1, c.Item4 + 100) : c)]);

            // The other half of the same flows: the same prefixes, packets of its own.
            Add(merger, "c3", tick, 5, [.. cells.Select(c => (c.Item1, c.Item2, (long)random.Next(1, 20), (long)random.Next(40, 20_000)))]);
            string[] problems = [.. Take(merger).Tick.Problems.Where(p => p.Contains("see the same frames", StringComparison.Ordinal))];
            Assert.Equal(tick < 3 ? 0 : 1, problems.Length);
            Assert.All(problems, p => Assert.Contains("c1 and c2", p, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Totals_never_fall_and_begin_with_what_came_first()
    {
        SiteMerger merger = Make(Shows("c1", 0));
        TrafficDelta delta = Delta("c1", 1, 5, [("a", P, 5, 500)]) with { Sequence = 7 };
        merger.Add(delta with { Counters = new CollectorCounters { Frames = 1000, KernelDropped = 10 } }, 0);
        Assert.Equal((0, 0), (Take(merger).Tick.Totals.Frames, merger.Collectors[0].Lost));
        merger.Add(delta with { Sequence = 8, Counters = new CollectorCounters { Frames = 1500, KernelDropped = 30 } }, 0);
        Assert.Equal((500, 20), Take(merger).Tick.Sources["c1"]);
        merger.Add(delta with { Run = delta.Run + 1, Sequence = 2, Counters = new CollectorCounters { Frames = 70 } }, 0);
        Assert.Equal((570, 20), Take(merger).Tick.Sources["c1"]);
        Assert.Equal((1, 1), (merger.Collectors[0].Restarts, merger.Collectors[0].Lost));
    }

    [Fact]
    public void What_is_held_is_bounded_and_the_oldest_goes()
    {
        SiteMerger merger = new(Options(1, Shows("c1", 0)) with { MaxHeld = 3 }, _time);
        for (int tick = 1; tick <= 10; tick++)
        {
            Add(merger, "c1", tick, 5, ("a", P, tick, tick));
        }

        Assert.Equal([8, 9, 10], Take(merger).Cells.Select(c => c.Packets));
        Assert.Equal(7, merger.Collectors[0].Lost);
    }

    [Fact]
    public async Task Added_completes_with_a_delta_that_is_taken()
    {
        SiteMerger merger = Make(Shows("c1", 0));
        Task added = merger.Added;
        TrafficDelta delta = Delta("c1", 1, 5, []);
        merger.Add(delta with { Box = "other" }, 0);
        Assert.False(added.IsCompleted);
        merger.Add(delta, 0);
        await added.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(merger.Added.IsCompleted);
        Assert.True(merger.IsComplete(1));
        Assert.False(merger.IsComplete(2));
        Take(merger);
        Assert.False(merger.IsComplete(1));
    }

    /// <summary>Deltas in any order of boxes, lost, doubled and late: totals are those of all that was taken, and each rate is what came divided by the time that it is of.</summary>
    [Fact]
    public void Random_deliveries_agree_with_a_plain_sum()
    {
        Random random = new(11);
        for (int round = 0; round < 300; round++)
        {
            int boxes = random.Next(1, 5);
            CollectorOptions[] shows = [.. Enumerable.Range(0, boxes).Select(b => Shows($"c{b}", [.. Enumerable.Range(0, 3).Where(_ => random.Next(2) == 0)]))];
            SiteMerger merger = new(Options(3, shows), _time);
            _sequence.Clear();
            Dictionary<(IpPrefix, int), long> sent = [], got = [];
            List<TrafficDelta> late = [];
            for (int tick = 1; tick <= 12; tick++)
            {
                Dictionary<string, List<TrafficDelta>> arrived = shows.ToDictionary(s => s.Box, _ => new List<TrafficDelta>());
                foreach (TrafficDelta delta in late.ToArray())
                {
                    arrived[delta.Box].Add(delta);
                }

                late.Clear();
                foreach (CollectorOptions box in shows)
                {
                    TrafficDelta delta = Delta(box.Box, tick, 5 + random.NextDouble(), [.. box.Links.Select(l => (Names[l], Number(random.Next(4)), (long)random.Next(1, 9), (long)random.Next(1, 9999)))]);
                    switch (random.Next(6))
                    {
                        case 0:
                            break;
                        case 1:
                            late.Add(delta);
                            break;
                        default:
                            arrived[box.Box].Add(delta);
                            break;
                    }
                }

                foreach (TrafficDelta delta in arrived.Values.SelectMany(d => d))
                {
                    Assert.Equal(DeltaRefusal.None, merger.Add(delta, 0));
                    if (random.Next(4) == 0)
                    {
                        Assert.Equal(DeltaRefusal.Duplicate, merger.Add(delta, 0));
                    }

                    foreach (LinkDelta link in delta.Links)
                    {
                        Sum(sent, (link.Prefixes[0], Array.IndexOf(Names, link.Link)), link.IpBytes[0]);
                    }
                }

                (MergedTick merged, List<Cell> cells) = Take(merger);
                double[] rates = new double[3];
                foreach (Cell cell in cells)
                {
                    Sum(got, (cell.Prefix, cell.Link), cell.Bytes);
                    rates[cell.Link] += cell.Bytes * cell.Factor / 5;
                }

                Assert.Equal(shows.Where(s => arrived[s.Box].Count == 0).Select(s => s.Box), merged.Missing);
                for (int link = 0; link < 3; link++)
                {
                    CollectorOptions[] of = [.. shows.Where(s => s.Links.Contains(link))];
                    bool known = of.All(s => arrived[s.Box].Count > 0);
                    Assert.Equal(known ? 5 : 0, merged.CoveredSeconds[link]);
                    double expected = !known ? 0 : of.Sum(s =>
                    {
                        TrafficDelta[] fresh = [.. arrived[s.Box].Where(d => d.Tick >= arrived[s.Box][^1].Tick - 1)];
                        return fresh.Sum(d => d.Links.Where(l => l.Link == Names[link]).Sum(l => l.IpBytes[0])) / fresh.Sum(d => d.Length.TotalSeconds);
                    });
                    Assert.Equal(expected, rates[link], 6);
                }
            }

            Assert.Equal(sent.OrderBy(s => s.Key), got.OrderBy(s => s.Key));
        }
    }

    private static readonly string[] Names = ["a", "b", "c"];

    private static void Sum(Dictionary<(IpPrefix, int), long> into, (IpPrefix, int) key, long bytes) => into[key] = into.GetValueOrDefault(key) + bytes;

    private static IpPrefix Number(int i) => IpPrefix.Create(IpAddr.FromIPv4(0x0A000000u + ((uint)i << 8)), 24);

    private static CollectorOptions Shows(string box, params int[] links) => new() { Box = box, Links = links };

    private static MergeOptions Options(int links, params CollectorOptions[] collectors) => new() { Period = Period, Links = Names[..links], Collectors = collectors };

    /// <summary>With the links up to the highest that is shown.</summary>
    private SiteMerger Make(params CollectorOptions[] collectors) => new(Options(collectors.SelectMany(c => c.Links).DefaultIfEmpty(0).Max() + 1, collectors), _time);

    private void Add(SiteMerger merger, string box, long tick, double seconds, params (string Link, IpPrefix Prefix, long Packets, long Bytes)[] cells) =>
        Assert.Equal(DeltaRefusal.None, merger.Add(Delta(box, tick, seconds, cells), _time.GetTimestamp()));

    private TrafficDelta Delta(string box, long tick, double seconds, (string Link, IpPrefix Prefix, long Packets, long Bytes)[] cells) => new()
    {
        Site = "fra1",
        Box = box,
        Run = 1_000_000,
        Sequence = _sequence[box] = _sequence.GetValueOrDefault(box) + 1,
        Tick = tick,
        Period = Period,
        Length = TimeSpan.FromSeconds(seconds),
        Links = [.. cells.GroupBy(c => c.Link).Select(l => new LinkDelta
        {
            Link = l.Key, Prefixes = [.. l.Select(c => c.Prefix)], Packets = [.. l.Select(c => c.Packets)], IpBytes = [.. l.Select(c => c.Bytes)],
        })],
        Health = new CollectorHealth { TableComplete = true },
    };

    private static (MergedTick Tick, List<Cell> Cells) Take(SiteMerger merger)
    {
        List<Cell> cells = [];
        MergedTick tick = merger.Take((prefix, link, packets, bytes, seen, rate) =>
        {
            Assert.Equal(packets, seen);
            cells.Add(new Cell(prefix, link, packets, bytes, rate));
        });
        return (tick, cells);
    }

    private readonly record struct Cell(IpPrefix Prefix, int Link, long Packets, long Bytes, double Factor);
}
