namespace EgressAppliance.Cluster.Leases;

/// <summary>What is asked of the database.</summary>
public enum LeaseAsk
{
    /// <summary>Nothing: report, and look.</summary>
    Look,

    /// <summary>To go on. Granted only if this run of this box still has the lease with this token.</summary>
    Renew,

    /// <summary>The lease, with the next token. Granted only if it is as it was seen.</summary>
    Take,

    /// <summary>To give it back. Granted only if this run of this box had it last, with this token; it may be asked again with less owed.</summary>
    Release,
}

/// <summary>The lease as the database has it.</summary>
/// <param name="Token">Number of the leadership: each take-over has a higher one; 0: there was none yet.</param>
/// <param name="Renewals">Number of the latest change: it grows with every change of the row, from anywhere.</param>
/// <param name="Holder">The box that has it or had it last; empty: none yet.</param>
/// <param name="Run">Its run.</param>
/// <param name="Released">It was given back.</param>
/// <param name="Term">How long it lasts without renewal; where it was given back, how long its routes may still stand.</param>
/// <param name="History">
/// Identifies the server's line of history: another server, or the same one after a promotion or a recovery to a point in time, has another. What was confirmed by one may be unknown to the other.
/// </param>
/// <param name="Moved">The row was written in another line of history: whoever it names may have been succeeded by one that it does not know of.</param>
public sealed record LeaseRow(long Token, long Renewals, string Holder, Guid Run, bool Released, TimeSpan Term, string History = "", bool Moved = false);

/// <summary>What a controller says of itself, or another one has said.</summary>
/// <param name="Box">Its name.</param>
/// <param name="Run">Its run.</param>
/// <param name="Leads">It leads.</param>
/// <param name="Problem">What keeps it from deciding well; empty: nothing.</param>
/// <param name="Details">Anything else, JSON.</param>
public sealed record BoxReport(string Box, Guid Run, bool Leads, string Problem, string Details)
{
    /// <summary>Number of the report: it changes with every one.</summary>
    public long Number { get; init; }

    /// <summary>How long ago it said so: by the clock of this box once it saw a change, before that by the clock of the database. Zero of one's own.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>It was seen to report, by this box's own clock, and not long ago.</summary>
    public bool Fresh { get; init; }
}

/// <summary>A request to the database.</summary>
/// <param name="Ask">What is asked for.</param>
/// <param name="Own">The report that goes with it.</param>
/// <param name="Token">Renew and release: the leadership that it is about. Take: the highest token seen, which the next one must exceed.</param>
/// <param name="Seen">Take: the lease as it was seen.</param>
/// <param name="Term">How long the lease is to last without renewal; release: how long routes may still stand.</param>
public sealed record LeaseRequest(LeaseAsk Ask, BoxReport Own, long Token, LeaseRow? Seen, TimeSpan Term);

/// <summary>What an exchange with the database came to.</summary>
/// <param name="Row">The lease after it; null: there is none, and the next request makes one.</param>
/// <param name="Granted">What was asked for is granted.</param>
/// <param name="Boxes">All controllers that said something of late, this one included.</param>
public sealed record LeaseReply(LeaseRow? Row, bool Granted, IReadOnlyList<BoxReport> Boxes);

/// <summary>Keeps the lease.</summary>
public interface ILeaseStore
{
    /// <summary>
    /// One exchange, in one transaction that is durable when the reply comes. Any exception means that it is not known whether it was made, or will be. One at a time, except that one that was given up may go on
    /// by itself.
    /// </summary>
    Task<LeaseReply> ExchangeAsync(LeaseRequest request, CancellationToken cancellationToken);
}
