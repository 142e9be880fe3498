using EgressAppliance.Decision.Demand;

namespace EgressAppliance.Host.Steering;

/// <summary>How far the mirror rate of a link can be believed.</summary>
/// <param name="Judgement">What the interface counter says of it.</param>
/// <param name="ErrorBps">How wrong it may be either way, by sampling, loss and the counter, bit/s.</param>
public readonly record struct LinkBelief(RateJudgement Judgement, long ErrorBps);
