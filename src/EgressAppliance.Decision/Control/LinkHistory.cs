using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Control;

/// <summary>
/// What the controller remembers of each link's projected load so that it does not act on blips: in which of the last cycles it was over its
/// threshold, and how high its native load was in the last minutes. Bounded by the number of links and cycles.
/// </summary>
internal sealed class LinkHistory(int confirmCycles, int confirmOf, TimeSpan peakWindow)
{
    private readonly Dictionary<string, Entry> _links = new(StringComparer.Ordinal);

    /// <summary>What is remembered, sorted by link.</summary>
    public IReadOnlyList<LinkHistoryState> Entries =>
        [.. _links.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => new LinkHistoryState(e.Key, [.. e.Value.Over], e.Value.Peaks))];

    /// <summary>Enters what another one remembered.</summary>
    public void Restore(IReadOnlyList<LinkHistoryState> entries)
    {
        foreach (LinkHistoryState state in entries)
        {
            Entry entry = new();
            foreach (bool over in state.Over)
            {
                entry.Over.Enqueue(over);
            }

            entry.Restore(state.Peaks);
            _links[state.Link] = entry;
        }
    }

    /// <summary>The links with what is remembered of them.</summary>
    public IReadOnlyList<LinkState> Annotate(IReadOnlyList<LinkState> links, DateTimeOffset now) =>
        [.. links.Select(link =>
        {
            Entry? entry = _links.GetValueOrDefault(link.Name);
            return link with
            {
                Unconfirmed = (entry?.Over.Count(over => over) ?? 0) < confirmCycles - 1,
                NativePeakBps = entry?.Peak(now - peakWindow),
            };
        })];

    /// <summary>Notes what a cycle's projection said.</summary>
    public void Note(DecisionSnapshot snapshot, Plan plan)
    {
        if (plan.Links.Count == 0)
        {
            // The snapshot contradicts itself: it may name a link twice.
            return;
        }

        Dictionary<string, LinkState> states = snapshot.Links.ToDictionary(l => l.Name, StringComparer.Ordinal);
        foreach (PlannedLink link in plan.Links)
        {
            if (!_links.TryGetValue(link.Name, out Entry? entry))
            {
                _links[link.Name] = entry = new Entry();
            }

            entry.Over.Enqueue(link.CurrentBps > LinkLimits.Of(states[link.Name] with { Unconfirmed = false }).TriggerBps);
            while (entry.Over.Count > Math.Max(0, confirmOf - 1))
            {
                entry.Over.Dequeue();
            }

            entry.Add(snapshot.Time, link.NativeBps, snapshot.Time - peakWindow);
        }

        foreach (string gone in _links.Keys.Where(name => !states.ContainsKey(name)).ToArray())
        {
            _links.Remove(gone);
        }
    }

    private sealed class Entry
    {
        // Falling from first to last: a load that a later one exceeds will never be the highest again.
        private readonly List<LoadPeak> _peaks = [];

        public IReadOnlyList<LoadPeak> Peaks => [.. _peaks];

        /// <summary>Over its threshold, for each of the last cycles.</summary>
        public Queue<bool> Over { get; } = new();

        public long? Peak(DateTimeOffset since)
        {
            foreach (LoadPeak peak in _peaks)
            {
                if (peak.Time >= since)
                {
                    return peak.Bps;
                }
            }

            return null;
        }

        public void Add(DateTimeOffset time, long bps, DateTimeOffset since)
        {
            while (_peaks.Count > 0 && _peaks[^1].Bps <= bps)
            {
                _peaks.RemoveAt(_peaks.Count - 1);
            }

            _peaks.RemoveAll(p => p.Time < since);
            _peaks.Add(new LoadPeak(time, bps));
        }

        public void Restore(IReadOnlyList<LoadPeak> peaks) => _peaks.AddRange(peaks);
    }
}
