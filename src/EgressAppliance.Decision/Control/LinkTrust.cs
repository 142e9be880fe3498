namespace EgressAppliance.Decision.Control;

/// <summary>
/// Remembers the links by which the router does not carry out overrides: an import filter, a next hop it cannot resolve. When several in a row were rolled
/// back by a link and none was confirmed in between, no prefix is moved onto it for a while, each time for twice as long, up to a limit.
/// </summary>
internal sealed class LinkTrust(int failures, TimeSpan first, TimeSpan longest)
{
    private readonly Dictionary<string, Entry> _links = new(StringComparer.Ordinal);

    /// <summary>What is remembered, sorted.</summary>
    public IReadOnlyList<LinkTrustState> Entries =>
        [.. _links.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => new LinkTrustState(e.Key, e.Value.Run, e.Value.Pause, e.Value.Until))];

    /// <summary>Enters what another one remembered.</summary>
    public void Restore(IReadOnlyList<LinkTrustState> entries)
    {
        foreach (LinkTrustState entry in entries)
        {
            _links[entry.Link] = new Entry(entry.Run, entry.Pause, entry.Until);
        }
    }

    /// <summary>Notes that the mirror showed an override on its link.</summary>
    public void Confirmed(string link) => _links.Remove(link);

    /// <summary>Notes that an override was rolled back because its traffic never left by its link.</summary>
    public void RolledBack(string link, DateTimeOffset now)
    {
        Entry entry = _links.GetValueOrDefault(link);
        int run = entry.Run + 1;
        if (run < failures)
        {
            _links[link] = entry with { Run = run };
        }
        else if (now >= entry.Until)
        {
            TimeSpan pause = entry.Pause == TimeSpan.Zero ? first : entry.Pause * 2;
            pause = pause < longest ? pause : longest;
            _links[link] = new Entry(0, pause, now + pause);
        }
    }

    /// <summary>Whether prefixes are not to be moved onto a link for now.</summary>
    public bool IsDistrusted(string link, DateTimeOffset now) => _links.TryGetValue(link, out Entry entry) && now < entry.Until;

    /// <summary>Forgets links that are no longer there.</summary>
    public void Keep(IEnumerable<string> links)
    {
        foreach (string gone in _links.Keys.Except(links, StringComparer.Ordinal).ToArray())
        {
            _links.Remove(gone);
        }
    }

    private readonly record struct Entry(int Run, TimeSpan Pause, DateTimeOffset Until);
}
