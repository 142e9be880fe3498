namespace EgressAppliance.Decision.Demand;

/// <summary>What a link carries by mirror and counter.</summary>
/// <param name="MirrorBps">By the mirror in the latest tick, not averaged, bit/s.</param>
/// <param name="CounterBps">By the latest poll of the interface counter, bit/s; null if not known.</param>
/// <param name="CapacityBps">Capacity, bit/s; 0 while unknown.</param>
/// <param name="Up">The link is up.</param>
/// <param name="CounterMissing">The router has not answered for the counter for too long.</param>
/// <param name="GrownShare">How much of what it carried has grown, see <see cref="DemandEstimator{TKey}.GrownShare"/>.</param>
/// <param name="LoadBps">By the averaged demands, bit/s: what is planned with; null if not known.</param>
/// <param name="CounterAwaited">The router answers for the counter, and two readings that differ are still to come before it gives a rate.</param>
public readonly record struct LinkRates(long MirrorBps, long? CounterBps, long CapacityBps, bool Up = true, bool CounterMissing = false, double GrownShare = 1,
    long? LoadBps = null, bool CounterAwaited = false);
