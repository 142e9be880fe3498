namespace EgressAppliance.Decision.Cost;

/// <summary>How a priced link stands in its month.</summary>
/// <param name="Name">The link.</param>
/// <param name="LoadBps">Present load with the overrides in force, bit/s.</param>
/// <param name="StandingBps">What will be billed in any case, bit/s, commit aside.</param>
/// <param name="LevelBps">The rate up to which it can be filled for the rest of the month at no additional cost, bit/s; what it aims to be billed.</param>
/// <param name="LimitBps">What it may be filled to now: a little less than the level, at most the ceiling; the ceiling while it bursts.</param>
/// <param name="FreeSamples">The month's free samples.</param>
/// <param name="FreeLeft">How many of them are left with this level.</param>
/// <param name="Bursting">It is the one, or one of those, that is filled beyond its level now because the demand does not fit otherwise.</param>
public sealed record CostLink(string Name, long LoadBps, long StandingBps, long LevelBps, long LimitBps, int FreeSamples, int FreeLeft, bool Bursting);
