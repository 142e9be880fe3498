namespace EgressAppliance.Cluster.Leases;

/// <summary>The lease as the database has it.</summary>
/// <param name="Token">Number of the leadership: each take-over has a higher one; 0: there was none yet.</param>
/// <param name="Renewals">Number of the latest change: it changes with every renewal, and with nothing else.</param>
/// <param name="Holder">The box that has it.</param>
/// <param name="Run">Its run.</param>
/// <param name="Released">It gave it back.</param>
/// <param name="Term">How long it lasts without renewal; where it was given back, how long its routes may still stand.</param>
public sealed record LeaseRow(long Token, long Renewals, string Holder, Guid Run, bool Released, TimeSpan Term);

/// <summary>What a controller says of itself, or another one has said.</summary>
/// <param name="Box">Its name.</param>
/// <param name="Run">Its run.</param>
/// <param name="Problem">What keeps it from deciding well; empty: nothing.</param>
/// <param name="Age">How long ago it said so, by the clock of the database; zero of one's own.</param>
/// <param name="Details">Anything else, JSON.</param>
public sealed record BoxReport(string Box, Guid Run, string Problem, TimeSpan Age, string Details);

/// <summary>What one exchange with the database came to.</summary>
/// <param name="Row">The lease after it; null: there is none yet.</param>
/// <param name="Granted">What was asked for, a renewal or the leadership, is granted.</param>
/// <param name="Boxes">All controllers that said something of late.</param>
public sealed record LeaseReply(LeaseRow? Row, bool Granted, IReadOnlyList<BoxReport> Boxes);

/// <summary>Keeps the lease. Every call is one transaction, durable when it returns; any exception means that it is not known whether it was made.</summary>
public interface ILeaseStore
{
    /// <summary>Reports, and looks.</summary>
    Task<LeaseReply> LookAsync(BoxReport own, CancellationToken cancellationToken);

    /// <summary>Renews; granted only if this run of this box still has the lease with this token.</summary>
    Task<LeaseReply> RenewAsync(BoxReport own, long token, CancellationToken cancellationToken);

    /// <summary>Takes the lease with the next token; granted only if it is as it was seen.</summary>
    /// <param name="own">The report.</param>
    /// <param name="seen">The lease as it was seen; null: none was there.</param>
    /// <param name="term">How long it is to last without renewal.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<LeaseReply> TakeAsync(BoxReport own, LeaseRow? seen, TimeSpan term, CancellationToken cancellationToken);

    /// <summary>Gives it back; granted only if this run of this box still has it with this token.</summary>
    /// <param name="own">The report.</param>
    /// <param name="token">Its token.</param>
    /// <param name="owed">How long routes may still stand.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<LeaseReply> ReleaseAsync(BoxReport own, long token, TimeSpan owed, CancellationToken cancellationToken);
}
