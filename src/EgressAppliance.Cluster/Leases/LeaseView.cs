namespace EgressAppliance.Cluster.Leases;

/// <summary>Where a controller stands.</summary>
public enum LeaseState
{
    /// <summary>It announces nothing, and nothing of it is at any router.</summary>
    Standby,

    /// <summary>It may announce.</summary>
    Leading,

    /// <summary>It may not any more, and what it announced may still be at routers: it must withdraw.</summary>
    Yielding,
}

/// <summary>What a controller knows of the leadership. Immutable.</summary>
public sealed record LeaseView
{
    /// <summary>This box leads.</summary>
    public bool Leads { get; init; }

    /// <summary>The box that has the lease by the database; empty: none.</summary>
    public string Leader { get; init; } = "";

    /// <summary>Number of the leadership.</summary>
    public long Token { get; init; }

    /// <summary>All controllers that said something of late, this one included.</summary>
    public IReadOnlyList<BoxReport> Boxes { get; init; } = [];

    /// <summary>Why the database cannot be asked, in words; null: it can.</summary>
    public string? Problem { get; init; }

    /// <summary>Exchanges with the database.</summary>
    public long Exchanges { get; init; }

    /// <summary>Exchanges that failed.</summary>
    public long Failures { get; init; }
}
