namespace EgressAppliance.Host.Http;

/// <summary><c>GET /api/v1/cost</c>: the billing months, and what cost mode makes of them. Money is in the currency of the prices.</summary>
/// <param name="Enabled">Cost mode is on.</param>
/// <param name="Verdict">What its latest proposal came to, snake_case; <c>off</c> before the first.</param>
/// <param name="Reason">The same in words.</param>
/// <param name="Decided">When; null before the first.</param>
/// <param name="BillSoFar">What all links with a price will be billed in any case: for each the larger of commit and <see cref="CostLinkDto.StandingBps"/>.</param>
/// <param name="ExpectedBill">The same with the levels that cost mode aims at; null before its first proposal.</param>
/// <param name="Overrides">Overrides that are in force, or proposed, to lower the bill.</param>
/// <param name="Links">Links with a price.</param>
/// <param name="Moves">The latest moves that cost mode made.</param>
/// <param name="Problem">Why the months cannot be written to disk; null if they can.</param>
public sealed record CostDto(
    bool Enabled, string Verdict, string Reason, DateTimeOffset? Decided, decimal BillSoFar, decimal? ExpectedBill, int Overrides,
    IReadOnlyList<CostLinkDto> Links, IReadOnlyList<CostMoveDto> Moves, string? Problem);

/// <summary>The month of a link.</summary>
/// <param name="Name">The link.</param>
/// <param name="PricePerMbit">Price of a Mbit/s.</param>
/// <param name="CommitBps">Paid for in any case; null for none.</param>
/// <param name="Start">Begin of the month.</param>
/// <param name="End">Begin of the next one.</param>
/// <param name="Samples">Samples of the whole month.</param>
/// <param name="Measured">Samples that are over and were measured.</param>
/// <param name="FreeSamples">How many of the largest samples are free.</param>
/// <param name="StandingBps">What will be billed in any case, commit aside.</param>
/// <param name="PercentileBps">What would be billed if the rest of the month were like the part so far.</param>
/// <param name="LevelBps">The rate up to which cost mode fills the link; null without a proposal.</param>
/// <param name="LimitBps">What it may be filled to now: the ceiling while it bursts; null without a proposal.</param>
/// <param name="FreeLeft">Free samples that are left at that level; null without a proposal.</param>
/// <param name="Bursting">It is filled beyond its level now, because the demand does not fit otherwise.</param>
public sealed record CostLinkDto(
    string Name, double PricePerMbit, long? CommitBps, DateTimeOffset Start, DateTimeOffset End, int Samples, int Measured, int FreeSamples,
    long StandingBps, long PercentileBps, long? LevelBps, long? LimitBps, int? FreeLeft, bool Bursting);

/// <summary>A move for money.</summary>
/// <param name="Time">When.</param>
/// <param name="Prefix">The prefix.</param>
/// <param name="From">The link it left.</param>
/// <param name="To">The link it went to.</param>
/// <param name="RateBps">Its rate.</param>
/// <param name="SavingPerMonth">What the month's bill would be higher if its link's excess became billed.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="GivesBack">An override was given back.</param>
public sealed record CostMoveDto(
    DateTimeOffset Time, string Prefix, string From, string To, long RateBps, decimal SavingPerMonth, string Reason, bool GivesBack);
