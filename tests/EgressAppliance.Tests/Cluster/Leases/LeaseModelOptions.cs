using EgressAppliance.Cluster.Leases;

namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>A flaw that a model may have, to show that the checker finds it.</summary>
internal enum LeaseFlaw
{
    None,

    /// <summary>A grant counts from when its reply came.</summary>
    CountsFromReply,

    /// <summary>Holders speak until the lease expires, although routes outlive their words.</summary>
    ForgetsSilence,

    /// <summary>Standbys trust the clock of the database alone.</summary>
    TrustsServerClock,

    /// <summary>Standbys take a row for good that a promoted server has from before its promotion, and holders renew it.</summary>
    IgnoresHistory,

    /// <summary>A row that was deleted begins as the first one did.</summary>
    BeginsAtZero,

    /// <summary>What is owed on giving back is not waited for.</summary>
    OwesNothing,
}

/// <summary>What happens in a model, in milliseconds.</summary>
internal sealed record LeaseModelOptions
{
    public int HoldTime { get; init; } = 3000;

    public int SendTimeout { get; init; } = 1000;

    public int Term { get; init; } = 8000;

    public int Margin { get; init; } = 250;

    public double Drift { get; init; } = 0.01;

    /// <summary>Share of the messages before which, after it was asked whether to speak, the process is stopped, for about as long as its session lives; after half of those it is stopped again at once.</summary>
    public double StopsWhileSending { get; init; }

    /// <summary>After each message it is asked again, and the session ended if the answer is no.</summary>
    public bool AsksAgain { get; init; } = true;

    public LeaseFlaw Flaw { get; init; }

    /// <summary>The time of trouble; after it all is well.</summary>
    public int Trouble { get; init; } = 40_000;

    public LeaseOptions Lease(string box) => new()
    {
        Site = "site",
        Box = box,
        Term = TimeSpan.FromMilliseconds(Term),
        Silence = TimeSpan.FromMilliseconds(Flaw == LeaseFlaw.ForgetsSilence ? 0 : HoldTime + SendTimeout),
        Margin = TimeSpan.FromMilliseconds(Margin),
        Drift = Drift,
    };
}
