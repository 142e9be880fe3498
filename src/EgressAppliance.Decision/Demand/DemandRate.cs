using EgressAppliance.Net;

namespace EgressAppliance.Decision.Demand;

/// <summary>The estimated rate of one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="RateBps">Rate, bit/s.</param>
/// <param name="Link">The link that carried most of its bytes in the latest tick in which it had any.</param>
/// <param name="LinkMajority">That link carried at least half of them: what confirms an override.</param>
public readonly record struct DemandRate<TKey>(TKey Key, long RateBps, LinkId Link, bool LinkMajority);
