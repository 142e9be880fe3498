namespace EgressAppliance.Cluster.Leases;

/// <summary>What governs the leadership of a site.</summary>
public sealed record LeaseOptions
{
    /// <summary>Name of the site.</summary>
    public required string Site { get; init; }

    /// <summary>Name of this box, unique within the site.</summary>
    public required string Box { get; init; }

    /// <summary>How long a lease lasts after its last renewal.</summary>
    public required TimeSpan Term { get; init; }

    /// <summary>
    /// How long routes may stand at a router after the last word of a controller that was stopped: the BGP hold time, and the time for which a message may lie unacknowledged in the
    /// kernel before the connection is given up.
    /// </summary>
    public required TimeSpan Silence { get; init; }

    /// <summary>Time between renewals, and between looks of those that do not lead.</summary>
    public TimeSpan Renew { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Largest difference between the rates of two monotonic clocks, as a share.</summary>
    public double Drift { get; init; } = 0.01;

    /// <summary>A leader that could not decide well for this long gives way to a box that could.</summary>
    public TimeSpan YieldAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a controller may announce after the moment at which it asked for a grant.</summary>
    public TimeSpan Voice => (Term * (1 - Drift)) - Silence;

    /// <summary>The shortest term that leaves room for two renewals to fail.</summary>
    public static TimeSpan LeastTerm(TimeSpan silence, TimeSpan renew, double drift = 0.01) => (silence + (2 * renew)) / (1 - drift);
}
