namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// What a box that does not lead knows of the lease: since when, by its own clock, it has not changed. No clock but this one is asked, so that neither a database whose time is set nor
/// one that is moved to another machine lets a box take over too early. One caller at a time.
/// </summary>
/// <param name="options">What governs it.</param>
/// <param name="time">The clock.</param>
public sealed class LeaseWatch(LeaseOptions options, TimeProvider time)
{
    private LeaseRow? _row;
    private bool _seen;
    private long _since;

    /// <summary>The lease as it was last seen.</summary>
    public LeaseRow? Row => _row;

    /// <summary>It was given back: it is worth looking often.</summary>
    public bool IsAboutToBeFree => _row is { Released: true };

    /// <summary>Takes what was read.</summary>
    public void Note(LeaseRow? row)
    {
        if (!_seen || row?.Token != _row?.Token || row?.Renewals != _row?.Renewals)
        {
            (_seen, _since) = (true, time.GetTimestamp());
        }

        _row = row;
    }

    /// <summary>
    /// Whether routes of the one that has or had the lease have gone from every router: nobody ever had it; it was given back, and what was owed has passed; or it was not renewed for as long as it lasts,
    /// counted from when the latest renewal was seen here, which is later than when its holder counted from.
    /// </summary>
    /// <param name="own">This run of this box, whose own lease it need not wait for: it knows that it is silent.</param>
    public bool IsFree(Guid own)
    {
        if (!_seen)
        {
            return false;
        }

        if (_row is null || _row.Run == own)
        {
            return true;
        }

        TimeSpan unchanged = time.GetElapsedTime(_since);
        TimeSpan wait = _row.Released ? _row.Term : _row.Term > options.Term ? _row.Term : options.Term;
        return unchanged >= wait * (1 + options.Drift);
    }
}
