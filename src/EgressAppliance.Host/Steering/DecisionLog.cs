using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Steering;

/// <summary>The latest decisions in memory, bounded. Thread-safe.</summary>
/// <param name="capacity">Decisions kept; the oldest goes first.</param>
public sealed class DecisionLog(int capacity = 1000)
{
    private readonly Lock _gate = new();
    private readonly Queue<DecisionDto> _entries = new();
    private readonly Dictionary<string, long> _verdicts = [];

    // The changes of each prefix in the decisions kept, oldest first: an explanation must not go through all of them.
    private readonly Dictionary<string, Queue<PrefixChangeDto>> _changes = new(StringComparer.Ordinal);

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
                Forget(_entries.Dequeue());
            }

            _entries.Enqueue(decision);
            Note(decision, decision.Moves, "moved");
            Note(decision, decision.Releases, "released");
            _verdicts[decision.Verdict] = _verdicts.GetValueOrDefault(decision.Verdict) + 1;
        }
    }

    /// <summary>At most <paramref name="limit"/> changes of a prefix among the decisions kept, newest first.</summary>
    public IReadOnlyList<PrefixChangeDto> ChangesOf(string prefix, int limit)
    {
        lock (_gate)
        {
            return _changes.TryGetValue(prefix, out Queue<PrefixChangeDto>? changes) ? [.. changes.Reverse().Take(limit)] : [];
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

    private void Note(DecisionDto decision, IReadOnlyList<MoveDto> moves, string change)
    {
        foreach (MoveDto move in moves)
        {
            if (!_changes.TryGetValue(move.Prefix, out Queue<PrefixChangeDto>? changes))
            {
                _changes.Add(move.Prefix, changes = new Queue<PrefixChangeDto>());
            }

            changes.Enqueue(new PrefixChangeDto(decision.Time, decision.Id, decision.Mode, change, move.From, move.To, move.RateBps, move.Reason));
        }
    }

    private void Forget(DecisionDto decision)
    {
        foreach (MoveDto move in decision.Moves.Concat(decision.Releases))
        {
            Queue<PrefixChangeDto> changes = _changes[move.Prefix];
            changes.Dequeue();
            if (changes.Count == 0)
            {
                _changes.Remove(move.Prefix);
            }
        }
    }
}
