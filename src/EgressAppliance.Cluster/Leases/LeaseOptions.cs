namespace EgressAppliance.Cluster.Leases;

/// <summary>What governs the leadership of a site.</summary>
public sealed record LeaseOptions
{
    /// <summary>Largest difference between the rates of two monotonic clocks that is allowed for, as a share.</summary>
    public const double DefaultDrift = 0.01;

    /// <summary>Terms for which a box that cannot decide well leaves a free lease to those that can.</summary>
    public const int PatientTerms = 3;

    /// <summary>Terms for which a box that gave the lease back leaves it to any other.</summary>
    public const int StandBackTerms = 2;

    /// <summary>Default of <see cref="Margin"/>.</summary>
    public static readonly TimeSpan DefaultMargin = TimeSpan.FromMilliseconds(250);

    /// <summary>Name of the site.</summary>
    public required string Site { get; init; }

    /// <summary>Name of this box, unique within the site.</summary>
    public required string Box { get; init; }

    /// <summary>How long a lease lasts after its last renewal.</summary>
    public required TimeSpan Term { get; init; }

    /// <summary>
    /// How long routes may stand at a router after the last word of a controller that was stopped: the BGP hold time, and the time for which a message may lie unacknowledged in the
    /// kernel before the connection is given up (TCP_USER_TIMEOUT).
    /// </summary>
    public required TimeSpan Silence { get; init; }

    /// <summary>Time between renewals, and between looks of those that do not lead.</summary>
    public TimeSpan Renew { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How late, after it was asked for, a permission to speak may be acted upon: what a process can be held up between asking <see cref="SiteLease.MayAnnounce"/> and handing the message to the
    /// kernel, and what a clock can fail to count while a virtual machine is moved. With the BGP hold time as its value any stop at that very instruction is harmless, however long.
    /// </summary>
    public TimeSpan Margin { get; init; } = DefaultMargin;

    /// <summary>Largest difference between the rates of two monotonic clocks, as a share.</summary>
    public double Drift { get; init; } = DefaultDrift;

    /// <summary>A leader that could not decide well for this long gives way to a box that could.</summary>
    public TimeSpan YieldAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a controller may announce after the moment at which it asked for a grant.</summary>
    public TimeSpan Voice => (Term * (1 - Drift)) - Silence - Margin;

    /// <summary>How long after its last permission routes of a controller may stand at a router.</summary>
    public TimeSpan Owed => Silence + Margin;

    /// <summary>The shortest term that leaves room for a renewal to fail and to be tried again.</summary>
    public static TimeSpan LeastTerm(TimeSpan silence, TimeSpan renew, double drift = DefaultDrift, TimeSpan? margin = null) =>
        (silence + (margin ?? DefaultMargin) + (2 * renew)) / (1 - drift);

    /// <summary>Throws if a lease with these options would be of no use.</summary>
    /// <exception cref="ArgumentException">The message names the key of the configuration, and the remedy.</exception>
    public void Validate()
    {
        Require(Site.Length > 0, "the name of the site (site) is empty: give it one");
        Require(Box.Length > 0, "the name of this box (box) is empty: give it one that no other box of the site has");
        Require(Renew > TimeSpan.Zero && Silence >= TimeSpan.Zero && Margin >= TimeSpan.Zero && YieldAfter >= TimeSpan.Zero, "no time of the lease may be negative, and that between renewals not zero");
        Require(Drift is >= 0 and < 0.5, "the drift of the clocks must be 0 to 0.5");
        TimeSpan least = LeastTerm(Silence, Renew, Drift, Margin);
        Require(
            Term >= least,
            $"cluster.lease {Term.TotalSeconds:0.##}s is too short: routes may outlive a controller by {Owed.TotalSeconds:0.##} s (routers[].bgp.hold_time, and what is late on the way), and two renewals must fit " +
            $"in as well; set cluster.lease to {Math.Ceiling(least.TotalSeconds * 10) / 10:0.#}s or more, or lower routers[].bgp.hold_time");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new ArgumentException(message);
        }
    }
}
