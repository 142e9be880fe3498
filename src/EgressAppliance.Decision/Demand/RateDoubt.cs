namespace EgressAppliance.Decision.Demand;

/// <summary>A link whose rates must not be decided on.</summary>
/// <param name="Link">The link.</param>
/// <param name="Cause">Why.</param>
/// <param name="Ratio">Mirror rate divided by counter rate, if known.</param>
/// <param name="Factor">See <see cref="RateJudgement.Factor"/>.</param>
public sealed record RateDoubt(string Link, RateCause Cause, double? Ratio = null, int Factor = 0);
