namespace EgressAppliance.Decision.Cost;

/// <summary>How the month of a link stands.</summary>
/// <param name="Link">The link.</param>
/// <param name="Start">Begin of the month.</param>
/// <param name="End">Begin of the next one.</param>
/// <param name="Samples">Samples of the whole month.</param>
/// <param name="Measured">Samples that are over and were measured.</param>
/// <param name="FreeSamples">How many of the largest are free.</param>
/// <param name="StandingBps">What will be billed in any case, commit aside, bit/s (<see cref="BillingMonth.StandingBps"/>).</param>
/// <param name="PercentileSoFarBps">What would be billed if the rest were like the part so far, bit/s (<see cref="BillingMonth.PercentileSoFarBps"/>).</param>
public sealed record BillingStatus(
    string Link, DateTimeOffset Start, DateTimeOffset End, int Samples, int Measured, int FreeSamples, long StandingBps, long PercentileSoFarBps);
