using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Net;

namespace EgressAppliance.Cluster.Merge;

/// <summary>Takes a merged cell.</summary>
/// <param name="prefix">The prefix; <c>default</c>: none matched.</param>
/// <param name="link">Index of the link; -1: none.</param>
/// <param name="packets">Packets.</param>
/// <param name="ipBytes">IP bytes.</param>
/// <param name="seen">Packets that were looked at.</param>
/// <param name="rateFactor">What the counts are multiplied with to stand for a tick; 0: they count in totals only.</param>
public delegate void MergedCellVisitor(IpPrefix prefix, int link, long packets, long ipBytes, double seen, double rateFactor);

/// <summary>
/// Makes one picture of the site out of what its collectors count.
/// </summary>
/// <remarks>
/// Collectors end their ticks at the same multiples of the period, and a controller reads a tick as soon as all of them have been heard, or after a grace. Each delta says how long it
/// counted, by a clock that nobody sets; so what a collector sent since the last read is brought to the length of one tick, be it one delta or, after a late one, two. Rates are
/// right although no two boxes began and ended at the same instant.
///
/// A collector that was not heard is a gap: of the links that it shows nothing is known in this tick, not even what others show of them, and it is told by name. What comes late is counted in the totals
/// whenever it comes, and in the rates if it is not older than a tick: after an outage of the broker a collector sends all that it kept, and an average of a minute ago is no rate of now.
///
/// Collectors of one mirror are counted once: the first in order of configuration that has not gone silent, and once it has, the next from the tick after on. Collectors that see the same
/// frames without the configuration saying so are found by <see cref="CellSketch"/> and told of; their counts are added up.
///
/// Memory is what <see cref="MergeOptions.MaxHeld"/> deltas of each collector take. <see cref="Add"/> may be called from any thread; <see cref="Take"/> by one.
/// </remarks>
public sealed class SiteMerger
{
    /// <summary>Older deltas than the newest of a collector by more ticks count in totals only.</summary>
    private const int FreshTicks = 1;

    /// <summary>Reads in a row in which two collectors resemble each other until it is told.</summary>
    private const int SameReads = 3;

    private const double SameShare = 0.5;
    private readonly MergeOptions _options;
    private readonly Dictionary<string, int> _links;
    private readonly CollectorIntake[] _collectors;
    private readonly Dictionary<string, int> _byName;
    private readonly Dictionary<string, long> _mirrors = [];
    private readonly Dictionary<(int, int), int> _same = [];
    private readonly SortedSet<string> _unknown = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unknownLinks = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _otherPeriod;
    private bool _otherConfig;

    /// <summary>Nothing merged yet.</summary>
    /// <param name="options">Links and collectors.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">Two collectors have one name, or a link's index is none.</exception>
    public SiteMerger(MergeOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (options.Collectors.SelectMany(c => c.Links).Any(l => l < 0 || l >= options.Links.Count))
        {
            throw new ArgumentException("A collector shows a link that there is not.", nameof(options));
        }

        _options = options;
        _links = options.Links.Select((name, i) => (name, i)).ToDictionary(l => l.name, l => l.i, StringComparer.Ordinal);
        _collectors = [.. options.Collectors.Select(c => new CollectorIntake(c, options, time))];
        _byName = options.Collectors.Select((c, i) => (c.Box, i)).ToDictionary(c => c.Box, c => c.i, StringComparer.Ordinal);
    }

    /// <summary>The collectors, in order of configuration. Any thread.</summary>
    public IReadOnlyList<CollectorStatus> Collectors
    {
        get
        {
            lock (_gate)
            {
                return [.. _collectors.Select(c => c.Status)];
            }
        }
    }

    /// <summary>Completes when the next delta is taken. Any thread.</summary>
    public Task Added
    {
        get
        {
            lock (_gate)
            {
                return _added.Task;
            }
        }
    }

    /// <summary>Takes a delta. Any thread.</summary>
    /// <param name="delta">The delta.</param>
    /// <param name="arrival">When it came, <see cref="TimeProvider.GetTimestamp"/>.</param>
    public DeltaRefusal Add(TrafficDelta delta, long arrival)
    {
        ArgumentNullException.ThrowIfNull(delta);
        TaskCompletionSource added;
        lock (_gate)
        {
            if (!_byName.TryGetValue(delta.Box, out int collector))
            {
                const int Most = 8;
                if (_unknown.Count < Most)
                {
                    _unknown.Add(delta.Box);
                }

                return DeltaRefusal.UnknownBox;
            }

            DeltaRefusal refusal = _collectors[collector].Add(delta, arrival);
            _otherPeriod |= refusal == DeltaRefusal.OtherPeriod;
            if (refusal != DeltaRefusal.None)
            {
                return refusal;
            }

            _otherConfig |= delta.ConfigHash != _options.ConfigHash;
            added = _added;
            _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        added.SetResult();
        return DeltaRefusal.None;
    }

    /// <summary>Whether every mirror has been heard of a tick, or a later one, that was not read yet. Any thread.</summary>
    public bool IsComplete(long tick)
    {
        lock (_gate)
        {
            return Array.TrueForAll(_collectors, c => c.NewestTick >= tick
                || (c.Options.Mirror.Length > 0 && Array.Exists(_collectors, o => o.Options.Mirror == c.Options.Mirror && o.NewestTick >= tick)));
        }
    }

    /// <summary>Reads all that has come since the last time.</summary>
    /// <param name="visit">Called for each cell.</param>
    public MergedTick Take(MergedCellVisitor visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        IReadOnlyList<TrafficDelta>[] taken;
        bool[] used;
        lock (_gate)
        {
            taken = [.. _collectors.Select(c => c.Take())];
            used = ChooseMirrors(taken);
        }

        bool[] standsIn = [.. _collectors.Select((c, i) => !used[i] && c.Options.Mirror.Length > 0
            && Enumerable.Range(0, _collectors.Length).Any(o => used[o] && _collectors[o].Options.Mirror == c.Options.Mirror))];
        bool[] known = [.. taken.Select((deltas, i) => standsIn[i] || (used[i] && deltas.Count > 0 && deltas[^1].Health.TableComplete))];
        double seconds = _options.Period.TotalSeconds;
        double[] covered = new double[_options.Links.Count];
        for (int link = 0; link < covered.Length; link++)
        {
            covered[link] = Enumerable.Range(0, _collectors.Length).All(c => known[c] || !_collectors[c].Options.Links.Contains(link)) ? seconds : 0;
        }

        double elsewhere = known.All(k => k) ? seconds : 0;
        CellSketch[] sketches = new CellSketch[_collectors.Length];
        for (int c = 0; c < _collectors.Length; c++)
        {
            sketches[c] = new CellSketch();
            if (used[c])
            {
                Merge(taken[c], covered, elsewhere, sketches[c], visit);
            }
        }

        return new MergedTick
        {
            CoveredSeconds = covered,
            CoveredElsewhere = elsewhere,
            Missing = [.. _collectors.Where((c, i) => !standsIn[i] && taken[i].Count == 0).Select(c => c.Options.Box)],
            TablesComplete = taken.Where((d, i) => used[i] && d.Count > 0).All(d => d[^1].Health.TableComplete),
            Totals = Sum(_collectors.Select(c => c.Total)),
            Sources = _collectors.ToDictionary(c => c.Options.Box, c => (c.Total.Frames, c.Total.KernelDropped)),
            Problems = Problems(taken, standsIn, sketches),
        };
    }

    /// <summary>Of each mirror one collector, and of it the ticks that none was read of yet. Under the lock.</summary>
    private bool[] ChooseMirrors(IReadOnlyList<TrafficDelta>[] taken)
    {
        bool[] used = [.. taken.Select(d => d.Count > 0)];
        foreach (IGrouping<string, int> mirror in Enumerable.Range(0, _collectors.Length).Where(i => _collectors[i].Options.Mirror.Length > 0)
            .GroupBy(i => _collectors[i].Options.Mirror, StringComparer.Ordinal))
        {
            long through = _mirrors.GetValueOrDefault(mirror.Key, long.MinValue);
            bool found = false;
            foreach (int i in mirror)
            {
                taken[i] = [.. taken[i].Where(d => d.Tick > through)];
                used[i] = !found && taken[i].Count > 0;
                if (used[i])
                {
                    found = true;
                    _mirrors[mirror.Key] = taken[i].Max(d => d.Tick);
                }
            }

            foreach (int i in mirror)
            {
                _collectors[i].SetRedundant(found && !used[i]);
            }
        }

        return used;
    }

    private void Merge(IReadOnlyList<TrafficDelta> deltas, double[] covered, double elsewhere, CellSketch sketch, MergedCellVisitor visit)
    {
        long newest = deltas.Max(d => d.Tick);
        double length = deltas.Where(d => IsFresh(d, newest)).Sum(d => d.Length.TotalSeconds);
        double factor = length > 0 ? _options.Period.TotalSeconds / length : 0;
        foreach (TrafficDelta delta in deltas)
        {
            double own = IsFresh(delta, newest) ? factor : 0;
            foreach (LinkDelta cells in delta.Links)
            {
                if (!_links.TryGetValue(cells.Link, out int link))
                {
                    link = -1;
                    if (cells.Link.Length > 0)
                    {
                        _unknownLinks.Add(cells.Link);
                    }
                }

                double rate = (link < 0 ? elsewhere : covered[link]) > 0 ? own : 0;
                for (int i = 0; i < cells.Prefixes.Count; i++)
                {
                    IpPrefix prefix = cells.Prefixes[i];
                    (long packets, long bytes) = (cells.Packets[i], cells.IpBytes[i]);
                    sketch.Add(prefix, link, packets, bytes);
                    visit(prefix, link, packets, bytes, packets / cells.Sampling, rate);
                }
            }
        }
    }

    private static bool IsFresh(TrafficDelta delta, long newest) => newest - delta.Tick <= FreshTicks;

    private List<string> Problems(IReadOnlyList<TrafficDelta>[] taken, bool[] standsIn, CellSketch[] sketches)
    {
        List<string> problems = [];
        for (int i = 0; i < _collectors.Length; i++)
        {
            CollectorStatus status = _collectors[i].Status;
            if (taken[i].Count == 0 && standsIn[i] && status.Missing)
            {
                problems.Add($"Collector {status.Box} is silent; its mirror {status.Mirror} is counted by another.");
            }
            else if (taken[i].Count > 0 && !status.Health.TableComplete)
            {
                problems.Add($"Collector {status.Box} has no complete table yet: its counts have no rates.");
            }

            if (taken[i].Count > 0 && status.Lateness.Duration() > _options.Period)
            {
                problems.Add($"Ticks of collector {status.Box} come {status.Lateness.TotalSeconds:0.#} s after their end: check the clocks of the boxes (NTP), or the broker.");
            }

            problems.AddRange(status.Health.Problems.Select(p => $"{status.Box}: {p}"));
        }

        lock (_gate)
        {
            problems.AddRange(_unknown.Select(box => $"Collector {box} sends counts and is none of cluster.collectors: they are not used."));
            if (_otherPeriod)
            {
                problems.Add($"A collector has ticks of another length than {_options.Period.TotalSeconds:0.###} s (decision.cycle): they are not used.");
            }

            if (_otherConfig)
            {
                problems.Add("Routers or links of a collector's configuration are not those here: make them the same.");
            }

            _otherPeriod = _otherConfig = false;
            _unknown.Clear();
        }

        problems.AddRange(_unknownLinks.Order(StringComparer.Ordinal).Take(8).Select(link => $"A collector counts for link {link}, which is not configured here: it is counted for none."));
        _unknownLinks.Clear();
        problems.AddRange(Same(sketches));
        return problems;
    }

    /// <summary>Collectors that see the same frames for some reads.</summary>
    private IEnumerable<string> Same(CellSketch[] sketches)
    {
        for (int a = 0; a < sketches.Length; a++)
        {
            for (int b = a + 1; b < sketches.Length; b++)
            {
                double resemblance = sketches[a].Resemblance(sketches[b]);
                int run = resemblance >= SameShare ? _same.GetValueOrDefault((a, b)) + 1 : 0;
                _same[(a, b)] = run;
                if (run >= SameReads)
                {
                    yield return $"Collectors {_collectors[a].Options.Box} and {_collectors[b].Options.Box} see the same frames, which are counted twice: give both the same `mirror` in cluster.collectors.";
                }
            }
        }
    }

    private static CollectorCounters Sum(IEnumerable<CollectorCounters> all) => all.Aggregate(new CollectorCounters(), (a, b) => new CollectorCounters
    {
        Frames = a.Frames + b.Frames,
        Packets = a.Packets + b.Packets,
        IpBytes = a.IpBytes + b.IpBytes,
        NonIp = a.NonIp + b.NonIp,
        Ignored = a.Ignored + b.Ignored,
        Undecodable = a.Undecodable + b.Undecodable,
        PoolExhausted = a.PoolExhausted + b.PoolExhausted,
        KernelDropped = a.KernelDropped + b.KernelDropped,
        UnroutedPackets = a.UnroutedPackets + b.UnroutedPackets,
        UnroutedIpBytes = a.UnroutedIpBytes + b.UnroutedIpBytes,
        DeltasDropped = a.DeltasDropped + b.DeltasDropped,
    });
}
