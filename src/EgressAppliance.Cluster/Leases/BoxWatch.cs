namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// What the controllers of a site say, and which of them still say something, told by the numbers of their reports and this box's own clock: the clock of the database may be set.
/// One caller at a time.
/// </summary>
/// <param name="options">What governs the lease.</param>
/// <param name="time">The clock.</param>
internal sealed class BoxWatch(LeaseOptions options, TimeProvider time)
{
    /// <summary>Reports that may be missed, and then some for a slow one.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, (Guid Run, long Number, long? Since)> _seen = [];

    /// <summary>What they said last.</summary>
    public IReadOnlyList<BoxReport> Boxes { get; private set; } = [];

    private TimeSpan Limit => (3 * options.Renew) + Slack;

    /// <summary>Takes what was read.</summary>
    public void Note(IReadOnlyList<BoxReport> boxes, Guid own)
    {
        long now = time.GetTimestamp();
        HashSet<string> gone = [.. _seen.Keys];
        foreach (BoxReport box in boxes)
        {
            gone.Remove(box.Box);
            if (!_seen.TryGetValue(box.Box, out (Guid Run, long Number, long? Since) seen))
            {
                // When it said so is not known yet.
                _seen[box.Box] = (box.Run, box.Number, null);
            }
            else if ((seen.Run, seen.Number) != (box.Run, box.Number))
            {
                _seen[box.Box] = (box.Run, box.Number, now);
            }
        }

        foreach (string name in gone)
        {
            _seen.Remove(name);
        }

        Boxes = [.. boxes.Select(b => b.Run == own ? b with { Age = TimeSpan.Zero, Fresh = true }
            : _seen[b.Box].Since is { } since ? b with { Age = time.GetElapsedTime(since, now), Fresh = time.GetElapsedTime(since, now) < Limit }
            : b with { Fresh = false })];
    }

    /// <summary>Whether a box could not decide well.</summary>
    public bool IsBad(string box) => Boxes.Any(b => b.Box == box && b.Problem.Length > 0);

    /// <summary>Whether another box could decide well.</summary>
    public bool AnyReady(string own) => Boxes.Any(b => b.Box != own && b.Problem.Length == 0 && _seen[b.Box].Since is { } since && time.GetElapsedTime(since) < Limit);
}
