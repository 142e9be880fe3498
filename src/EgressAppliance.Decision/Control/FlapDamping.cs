using EgressAppliance.Net;

namespace EgressAppliance.Decision.Control;

/// <summary>
/// A penalty for each change of a prefix's link by us, which halves over time, in the manner of RFC 2439: a prefix that gathered too much of it keeps its
/// override until the penalty has decayed. It never keeps a link from being relieved. Bounded: what has decayed is forgotten.
/// </summary>
internal sealed class FlapDamping(double suppressAt, double reuseAt, TimeSpan halfLife)
{
    // What is left of a single change after some five half-lives.
    private const double Forgotten = 0.03;

    private readonly Dictionary<IpPrefix, Entry> _entries = [];

    /// <summary>Prefixes remembered.</summary>
    public int Count => _entries.Count;

    /// <summary>What is remembered, sorted.</summary>
    public IReadOnlyList<FlapState> Entries => [.. _entries.OrderBy(e => e.Key).Select(e => new FlapState(e.Key, e.Value.Penalty, e.Value.At, e.Value.Damped))];

    /// <summary>Enters what another one remembered.</summary>
    public void Restore(IReadOnlyList<FlapState> entries)
    {
        foreach (FlapState entry in entries)
        {
            _entries[entry.Prefix] = new Entry(entry.Penalty, entry.At, entry.Damped);
        }
    }

    /// <summary>Notes a change.</summary>
    public void Add(IpPrefix prefix, DateTimeOffset now)
    {
        Entry entry = _entries.GetValueOrDefault(prefix);
        double penalty = Decayed(entry, now) + 1;
        _entries[prefix] = new Entry(penalty, now, entry.Damped || (suppressAt > 0 && penalty >= suppressAt));
    }

    /// <summary>Whether a prefix is to be left where it is.</summary>
    public bool IsDamped(IpPrefix prefix, DateTimeOffset now) =>
        _entries.TryGetValue(prefix, out Entry entry) && entry.Damped && Decayed(entry, now) > reuseAt;

    /// <summary>When a damped prefix may change again; null if it is not damped.</summary>
    public DateTimeOffset? DampedUntil(IpPrefix prefix, DateTimeOffset now) =>
        IsDamped(prefix, now) ? _entries[prefix].At + (halfLife * Math.Log2(_entries[prefix].Penalty / reuseAt)) : null;

    /// <summary>Once a cycle: ends dampings that have decayed and forgets what no longer counts.</summary>
    public void Decay(DateTimeOffset now)
    {
        foreach ((IpPrefix prefix, Entry entry) in _entries)
        {
            double penalty = Decayed(entry, now);
            if (penalty < Forgotten)
            {
                _entries.Remove(prefix);
            }
            else if (entry.Damped && penalty <= reuseAt)
            {
                _entries[prefix] = new Entry(penalty, now, Damped: false);
            }
        }
    }

    private double Decayed(Entry entry, DateTimeOffset now) =>
        entry.Penalty == 0 ? 0 : entry.Penalty * Math.Pow(2, -Math.Max(0, (now - entry.At) / halfLife));

    private readonly record struct Entry(double Penalty, DateTimeOffset At, bool Damped);
}
