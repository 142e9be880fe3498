using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Steering;

/// <summary>The latest decisions in memory, bounded. Thread-safe.</summary>
/// <param name="capacity">Decisions kept; the oldest goes first.</param>
public sealed class DecisionLog(int capacity = 1000)
{
    private readonly Lock _gate = new();
    private readonly Queue<DecisionDto> _entries = new();
    private readonly Dictionary<string, long> _verdicts = [];

    /// <summary>Cycles by verdict since start.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Verdicts
    {
        get
        {
            lock (_gate)
            {
                return [.. _verdicts.OrderBy(v => v.Key, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Adds the newest.</summary>
    public void Add(DecisionDto decision)
    {
        lock (_gate)
        {
            if (_entries.Count == capacity)
            {
                _entries.Dequeue();
            }

            _entries.Enqueue(decision);
            _verdicts[decision.Verdict] = _verdicts.GetValueOrDefault(decision.Verdict) + 1;
        }
    }

    /// <summary>At most <paramref name="limit"/> changes of a prefix among the decisions kept, newest first.</summary>
    public IReadOnlyList<PrefixChangeDto> ChangesOf(string prefix, int limit)
    {
        lock (_gate)
        {
            return
            [
                .. _entries.Reverse()
                    .SelectMany(d => d.Moves.Select(m => (Move: m, Change: "moved")).Concat(d.Releases.Select(m => (Move: m, Change: "released")))
                        .Where(c => c.Move.Prefix == prefix)
                        .Select(c => new PrefixChangeDto(d.Time, d.Id, d.Mode, c.Change, c.Move.From, c.Move.To, c.Move.RateBps, c.Move.Reason)))
                    .Take(limit),
            ];
        }
    }

    /// <summary>At most <paramref name="limit"/>, newest first; those before the decision with the id <paramref name="before"/>, if it is given.</summary>
    public IReadOnlyList<DecisionDto> Latest(int limit, long? before = null)
    {
        lock (_gate)
        {
            return [.. _entries.Reverse().Where(d => before is null || d.Id < before).Take(limit)];
        }
    }
}
