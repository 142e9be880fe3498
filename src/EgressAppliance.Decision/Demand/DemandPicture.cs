using EgressAppliance.Net;

namespace EgressAppliance.Decision.Demand;

/// <summary>The demands worth planning with, and what the rest amounts to.</summary>
/// <param name="Top">The largest, by rate, largest first.</param>
/// <param name="RestBps">Per link, the sum of all that is not in <see cref="Top"/>, untracked bytes included, bit/s. Links without any are absent.</param>
public sealed record DemandPicture<TKey>(IReadOnlyList<DemandRate<TKey>> Top, IReadOnlyDictionary<LinkId, long> RestBps);
