namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// What a box that does not lead knows of the lease: since when, by its own clock, it has not changed. No clock but this one is asked, so that neither a database whose time is set nor
/// one that is moved to another machine lets a box take over too early. One caller at a time.
/// </summary>
/// <param name="options">What governs it.</param>
/// <param name="time">The clock.</param>
public sealed class LeaseWatch(LeaseOptions options, TimeProvider time)
{
    private long _since;

    /// <summary>The lease as it was last seen; null: it was not seen, or is not there.</summary>
    public LeaseRow? Row { get; private set; }

    /// <summary>The highest token ever seen.</summary>
    public long Highest { get; private set; }

    /// <summary>What was read last was not there before.</summary>
    public bool Changed { get; private set; }

    /// <summary>Takes what was read, right after it was.</summary>
    public void Note(LeaseRow? row)
    {
        // From the reply on, not from the question: it may have lain about for as long as this process was stopped, and the row may have been written just before it was read.
        Changed = row is null || Row is null || (row.Token, row.Renewals, row.History) != (Row.Token, Row.Renewals, Row.History);
        if (Changed)
        {
            _since = time.GetTimestamp();
        }

        Row = row;
        Highest = Math.Max(Highest, row?.Token ?? 0);
    }

    /// <summary>
    /// How long until no route of the one that has or had the lease is at any router: it was given back, and what was owed has passed; or it was not renewed for as long as it lasts, counted from when the
    /// latest renewal was seen here, which is later than when its holder counted from. Zero: they are gone. Null: nothing is known.
    /// </summary>
    /// <param name="own">This run of this box, whose own lease it need not wait for: it knows that it is silent.</param>
    public TimeSpan? Wait(Guid own)
    {
        if (Row is null)
        {
            return null;
        }

        // Where the row is of another line of history, or older than what was seen before, someone that it does not name may have been granted the lease until a moment ago.
        bool doubtful = Row.Moved || Row.Token < Highest;
        if (Row.Run == own && !doubtful)
        {
            return TimeSpan.Zero;
        }

        TimeSpan wait = Row.Released && !doubtful ? Row.Term : Row.Term > options.Term ? Row.Term : options.Term;
        TimeSpan left = (wait * (1 + options.Drift)) - time.GetElapsedTime(_since);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
