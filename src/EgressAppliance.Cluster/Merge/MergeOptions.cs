namespace EgressAppliance.Cluster.Merge;

/// <summary>What a controller must know to merge.</summary>
public sealed record MergeOptions
{
    /// <summary>Planned length of a tick, the same on all boxes.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Names of the links.</summary>
    public required IReadOnlyList<string> Links { get; init; }

    /// <summary>The collectors that must be heard.</summary>
    public required IReadOnlyList<CollectorOptions> Collectors { get; init; }

    /// <summary>Fingerprint of what all boxes must agree on.</summary>
    public string ConfigHash { get; init; } = "";

    /// <summary>Deltas of one collector held between two reads at most; beyond it the oldest goes.</summary>
    public int MaxHeld { get; init; } = 24;
}

/// <summary>One collector.</summary>
public sealed record CollectorOptions
{
    /// <summary>Its name.</summary>
    public required string Box { get; init; }

    /// <summary>Indices of the links that its mirrors show, wholly or in part: of these nothing is known while it is missing.</summary>
    public required IReadOnlyList<int> Links { get; init; }

    /// <summary>Name of the mirror that it has in common with other collectors, which is counted once; empty: its mirror is its own.</summary>
    public string Mirror { get; init; } = "";
}
