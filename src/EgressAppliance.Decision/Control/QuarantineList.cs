using EgressAppliance.Net;

namespace EgressAppliance.Decision.Control;

/// <summary>Prefixes that are left alone for a while. Bounded: when full, the entry that would end first makes room.</summary>
internal sealed class QuarantineList(TimeSpan duration, int limit)
{
    private readonly Dictionary<IpPrefix, DateTimeOffset> _until = [];

    /// <summary>Every entry, those whose time is over and that nobody has asked for since included; sorted.</summary>
    public IReadOnlyList<QuarantinedPrefix> Entries => [.. _until.OrderBy(e => e.Key).Select(e => new QuarantinedPrefix(e.Key, e.Value))];

    /// <summary>Enters what another list held.</summary>
    public void Restore(IReadOnlyList<QuarantinedPrefix> entries)
    {
        foreach (QuarantinedPrefix entry in entries)
        {
            _until[entry.Prefix] = entry.Until;
        }
    }

    public void Add(IpPrefix prefix, DateTimeOffset now)
    {
        if (_until.Count >= limit && !_until.ContainsKey(prefix))
        {
            _until.Remove(_until.OrderBy(e => e.Value).ThenBy(e => e.Key).First().Key);
        }

        _until[prefix] = now + duration;
    }

    /// <summary>When the quarantine of a prefix ends; null if it is in none.</summary>
    public DateTimeOffset? Until(IpPrefix prefix, DateTimeOffset now) => _until.TryGetValue(prefix, out DateTimeOffset until) && until > now ? until : null;

    /// <summary>The prefixes still in quarantine, sorted.</summary>
    public IReadOnlyList<IpPrefix> Current(DateTimeOffset now)
    {
        foreach (IpPrefix ended in _until.Where(e => e.Value <= now).Select(e => e.Key).ToArray())
        {
            _until.Remove(ended);
        }

        return [.. _until.Keys.Order()];
    }
}
