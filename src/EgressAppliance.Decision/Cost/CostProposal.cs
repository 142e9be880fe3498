using EgressAppliance.Net;

namespace EgressAppliance.Decision.Cost;

/// <summary>A move that nothing but money asks for.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="From">The link it leaves.</param>
/// <param name="To">The link it goes to; its native link if an override is to be given back.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="SavingPerMonth">
/// What the month's bill would be higher if the prefix stayed and what its link carries beyond its level now became billed, in the currency of the prices; what it makes dearer
/// on the other link is nothing, as that stays under its level. 0 for a move that makes room or gives back.
/// </param>
/// <param name="Reason">Why.</param>
/// <param name="GivesBack">The override is withdrawn rather than announced anew: <paramref name="To"/> is the native link.</param>
public sealed record CostProposal(IpPrefix Prefix, string From, string To, long RateBps, decimal SavingPerMonth, CostReason Reason, bool GivesBack);
