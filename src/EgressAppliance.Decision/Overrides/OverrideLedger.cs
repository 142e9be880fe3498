using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Overrides;

/// <summary>
/// The overrides in force. Every entry holds a lease that only a working decision cycle renews: when cycles stop, leases run out, and
/// <see cref="Expired"/> — which needs nothing but a list of entries and a clock, so that a watchdog can call it — names what to withdraw.
/// Not safe for concurrent use.
/// </summary>
/// <param name="lease">How long an entry lasts without renewal.</param>
public sealed class OverrideLedger(TimeSpan lease)
{
    private readonly SortedDictionary<IpPrefix, OverrideEntry> _entries = [];

    /// <summary>How many overrides are in force.</summary>
    public int Count => _entries.Count;

    /// <summary>The entries sorted by prefix, as they are now.</summary>
    public IReadOnlyList<OverrideEntry> Entries => [.. _entries.Values];

    /// <summary>The entry of a prefix.</summary>
    public bool TryGet(IpPrefix prefix, out OverrideEntry? entry) => _entries.TryGetValue(prefix, out entry);

    /// <summary>Enters an override, or redirects the one in force: since, lease and state start anew.</summary>
    /// <returns>The entry.</returns>
    public OverrideEntry Put(IpPrefix prefix, string from, string to, long rateBps, ReasonCode reason, OverrideSource source, DateTimeOffset now)
    {
        bool replaces = _entries.TryGetValue(prefix, out OverrideEntry? before);
        OverrideEntry entry = new()
        {
            Prefix = prefix,
            From = before?.From is { Length: > 0 } native ? native : from,
            To = to,
            RateBps = rateBps,
            Since = now,
            Reason = reason,
            Source = source,
            LeaseExpires = now + lease,
            Replaces = replaces,
        };
        _entries[prefix] = entry;
        return entry;
    }

    /// <summary>Renews the lease of an entry and notes its rate and native link.</summary>
    /// <returns>False if there is no such entry.</returns>
    public bool Renew(IpPrefix prefix, DateTimeOffset now, long? rateBps = null, string? from = null)
    {
        if (!_entries.TryGetValue(prefix, out OverrideEntry? entry))
        {
            return false;
        }

        _entries[prefix] = entry with
        {
            LeaseExpires = now + lease,
            RateBps = rateBps ?? entry.RateBps,
            From = string.IsNullOrEmpty(from) ? entry.From : from,
        };
        return true;
    }

    /// <summary>Gives an entry another reason; all else stays.</summary>
    /// <returns>False if there is no such entry.</returns>
    public bool SetReason(IpPrefix prefix, ReasonCode reason)
    {
        if (!_entries.TryGetValue(prefix, out OverrideEntry? entry))
        {
            return false;
        }

        _entries[prefix] = entry with { Reason = reason };
        return true;
    }

    /// <summary>Notes that an earlier announcement of the prefix, of which the ledger knows nothing any more, may still stand at the router.</summary>
    /// <returns>The entry; null if there is none.</returns>
    public OverrideEntry? Replacing(IpPrefix prefix) =>
        _entries.TryGetValue(prefix, out OverrideEntry? entry) ? _entries[prefix] = entry with { Replaces = true } : null;

    /// <summary>Notes that the router was given the route.</summary>
    /// <returns>False if there is no such entry.</returns>
    public bool Announced(IpPrefix prefix)
    {
        if (!_entries.TryGetValue(prefix, out OverrideEntry? entry))
        {
            return false;
        }

        if (entry.State == OverrideState.Proposed)
        {
            _entries[prefix] = entry with { State = OverrideState.Announced };
        }

        return true;
    }

    /// <summary>Notes that the mirror shows the prefix on the override's link.</summary>
    /// <returns>False if there is no such entry.</returns>
    public bool Confirmed(IpPrefix prefix, DateTimeOffset now)
    {
        if (!_entries.TryGetValue(prefix, out OverrideEntry? entry))
        {
            return false;
        }

        _entries[prefix] = entry with { State = OverrideState.Confirmed, LastConfirmed = now };
        return true;
    }

    /// <summary>
    /// Makes the entries of another controller's ledger this one's: no router has any of them yet, their leases begin anew, and so does the time within which they must be seen to have landed.
    /// Since when they are in force stays. What was last renewed too long ago is left out: nobody knows what has become of its need.
    /// </summary>
    /// <param name="now">Now.</param>
    /// <param name="within">How long ago a lease may have ended.</param>
    public void Resume(DateTimeOffset now, TimeSpan within)
    {
        foreach (OverrideEntry entry in Entries)
        {
            if (now - entry.LeaseExpires > within)
            {
                _entries.Remove(entry.Prefix);
                continue;
            }

            _entries[entry.Prefix] = entry with { State = OverrideState.Proposed, LeaseExpires = now + lease, LastConfirmed = now, Replaces = false };
        }
    }

    /// <summary>Takes an entry out.</summary>
    public bool Remove(IpPrefix prefix, out OverrideEntry? entry) => _entries.Remove(prefix, out entry);

    /// <summary>Enters what another ledger held, as it was.</summary>
    internal void Restore(IReadOnlyList<OverrideEntry> entries)
    {
        foreach (OverrideEntry entry in entries)
        {
            _entries[entry.Prefix] = entry;
        }
    }

    /// <summary>Takes all entries out and returns what they were.</summary>
    public IReadOnlyList<OverrideEntry> Clear()
    {
        IReadOnlyList<OverrideEntry> all = Entries;
        _entries.Clear();
        return all;
    }

    /// <summary>The entries as the planner wants them.</summary>
    /// <param name="now">Now.</param>
    /// <param name="damped">Tells which prefixes changed links too often of late.</param>
    /// <param name="costMode">Cost mode has those that were made to lower the bill.</param>
    public IReadOnlyList<ActiveOverride> Active(DateTimeOffset now, Func<IpPrefix, bool> damped, bool costMode = false) =>
        [.. _entries.Values.Select(e => new ActiveOverride(
            e.Prefix, e.To, Math.Max(0, (now - e.Since).TotalSeconds), e.Source == OverrideSource.Operator, damped(e.Prefix), costMode && e.Reason == ReasonCode.SaveCost))];

    /// <summary>Those of the entries whose lease has run out. For a watchdog that holds the list a cycle published.</summary>
    public static IReadOnlyList<OverrideEntry> Expired(IReadOnlyList<OverrideEntry> entries, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return [.. entries.Where(e => e.LeaseExpires <= now)];
    }
}
