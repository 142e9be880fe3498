namespace EgressAppliance.Host.Http;

// The HTTP API's documents of the history; see ApiModels.cs and docs/history.md.

/// <summary><c>GET /api/v1/history/links?link=&amp;from=&amp;to=&amp;step=</c></summary>
/// <param name="StepSeconds">Length of a step: 60, 300, 3600 or 86400.</param>
/// <param name="From">Begin of what is told.</param>
/// <param name="To">Its end.</param>
/// <param name="Links">The links that have samples in it, by name.</param>
public sealed record HistoryLinksDto(int StepSeconds, DateTimeOffset From, DateTimeOffset To, IReadOnlyList<HistoryLinkDto> Links);

/// <summary>One link's past.</summary>
/// <param name="Link">The link.</param>
/// <param name="Points">Its steps in order of time; those in which nothing was measured are left out.</param>
public sealed record HistoryLinkDto(string Link, IReadOnlyList<HistoryPointDto> Points);

/// <summary>One step of a link.</summary>
/// <param name="Time">Its begin.</param>
/// <param name="MirrorBps">Average rate seen on the mirror.</param>
/// <param name="MirrorMaxBps">Its largest value of one cycle.</param>
/// <param name="CounterBps">Average rate by the interface counter, or null.</param>
/// <param name="NativeBps">Average load without our overrides, or null.</param>
/// <param name="PlannedBps">Average load with the plan in force, or null.</param>
/// <param name="CapacityBps">Capacity; 0 if unknown.</param>
/// <param name="ThresholdBps">Relieve above.</param>
/// <param name="OverloadSeconds">Seconds over the threshold.</param>
/// <param name="NativeOverloadSeconds">Seconds in which the load without our overrides was over the threshold.</param>
public sealed record HistoryPointDto(
    DateTimeOffset Time, long MirrorBps, long MirrorMaxBps, long? CounterBps, long? NativeBps, long? PlannedBps, long CapacityBps, long ThresholdBps, int OverloadSeconds,
    int NativeOverloadSeconds);

/// <summary><c>GET /api/v1/history/prefixes?prefix=&amp;link=&amp;from=&amp;to=&amp;top=&amp;step=</c></summary>
/// <param name="StepSeconds">Length of a step.</param>
/// <param name="From">Begin of what is told.</param>
/// <param name="To">Its end.</param>
/// <param name="Prefixes">The largest by mean rate, largest first.</param>
public sealed record HistoryPrefixesDto(int StepSeconds, DateTimeOffset From, DateTimeOffset To, IReadOnlyList<HistoryPrefixDto> Prefixes);

/// <summary>One prefix on one link.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it left by, or null if by none that was configured.</param>
/// <param name="MeanBps">Mean over all steps; one in which it was not among the largest counts as nothing.</param>
/// <param name="Points">The steps in which it was among the largest.</param>
public sealed record HistoryPrefixDto(string Prefix, string? Link, long MeanBps, IReadOnlyList<HistoryRateDto> Points);

/// <summary>A rate at a time.</summary>
/// <param name="Time">Begin of the step.</param>
/// <param name="Bps">Average rate.</param>
public sealed record HistoryRateDto(DateTimeOffset Time, long Bps);

/// <summary><c>GET /api/v1/history/events?kind=&amp;from=&amp;to=&amp;limit=&amp;cursor=</c>, newest first.</summary>
/// <param name="Events">The events.</param>
/// <param name="Cursor">For <c>cursor=</c> of the next page; null on the last.</param>
public sealed record HistoryEventsDto(IReadOnlyList<HistoryEventDto> Events, string? Cursor);

/// <summary>Something that happened.</summary>
/// <param name="Time">When.</param>
/// <param name="Kind">What, snake_case; docs/history.md lists them.</param>
/// <param name="Subject">Router, link or capture source, or null.</param>
/// <param name="Prefix">The prefix, or null.</param>
/// <param name="From">The link that is left, or null.</param>
/// <param name="To">The link that is gone to, or null.</param>
/// <param name="Bps">A rate, or null.</param>
/// <param name="Count">A number that goes with the kind, or null.</param>
/// <param name="Code">Reason code, or null.</param>
/// <param name="Text">The reason in words, or null.</param>
public sealed record HistoryEventDto(
    DateTimeOffset Time, string Kind, string? Subject, string? Prefix, string? From, string? To, long? Bps, long? Count, string? Code, string? Text);

/// <summary>One item of <c>GET /api/v1/history/months?link=&amp;from=&amp;to=</c>: a link's billing month, newest first. Money is in the currency of the prices.</summary>
/// <param name="Link">The link.</param>
/// <param name="Month">Year and month of its first day, as <c>2026-11</c>.</param>
/// <param name="Start">Its begin.</param>
/// <param name="End">Begin of the next one.</param>
/// <param name="Basis">What the percentile is of: <c>counter</c>, or <c>mirror</c> where there was none.</param>
/// <param name="Percentile">Percentile that is billed.</param>
/// <param name="Samples">Samples of the whole month.</param>
/// <param name="Measured">Samples that are over and were measured.</param>
/// <param name="P95Bps">The percentile of the measured samples.</param>
/// <param name="StandingBps">What is billed in any case, commit aside: samples that were not measured count as 0.</param>
/// <param name="NativeP95Bps">The percentile under plain BGP.</param>
/// <param name="CommitBps">Commit, or null.</param>
/// <param name="PricePerMbit">Price of a Mbit/s, or null.</param>
/// <param name="Bill">Price × the larger of percentile and commit, or null.</param>
/// <param name="NativeBill">The same under plain BGP.</param>
/// <param name="Saving">What was saved; negative if it cost more; null without a price.</param>
/// <param name="VolumeBytes">Octets sent.</param>
/// <param name="PeakBps">Largest sample.</param>
/// <param name="NativePeakBps">Largest sample under plain BGP.</param>
/// <param name="OverloadMinutes">Minutes over the threshold.</param>
/// <param name="NativeOverloadMinutes">Minutes over it under plain BGP.</param>
/// <param name="AvoidedOverloadMinutes">What of them was avoided.</param>
public sealed record HistoryMonthDto(
    string Link, string Month, DateTimeOffset Start, DateTimeOffset End, string Basis, int Percentile, int Samples, int Measured, long P95Bps, long StandingBps, long NativeP95Bps,
    long? CommitBps, double? PricePerMbit, decimal? Bill, decimal? NativeBill, decimal? Saving, long VolumeBytes, long PeakBps, long NativePeakBps, double OverloadMinutes,
    double NativeOverloadMinutes, double AvoidedOverloadMinutes);

/// <summary><c>GET /api/v1/history/status</c>; <c>history status</c> prints the same of a file.</summary>
/// <param name="Path">The database.</param>
/// <param name="SizeBytes">Size of the file and its log.</param>
/// <param name="UsedBytes">What of the file holds something.</param>
/// <param name="MaxSizeBytes">Most it may be; null where only the file is known.</param>
/// <param name="Problems">Why it is not written, and what is wrong with sinks; empty if all is well.</param>
/// <param name="Notes">What became of it that the operator should know.</param>
/// <param name="WaitingTicks">Minutes that wait to be written.</param>
/// <param name="DroppedTicks">Minutes left out since start.</param>
/// <param name="TrimmedRows">Rows deleted since start because the size was reached.</param>
/// <param name="Tables">The tables.</param>
/// <param name="Sinks">The sinks.</param>
public sealed record HistoryStatusDto(
    string Path, long SizeBytes, long UsedBytes, long? MaxSizeBytes, IReadOnlyList<string> Problems, IReadOnlyList<string> Notes, int WaitingTicks, long DroppedTicks, long TrimmedRows,
    IReadOnlyList<HistoryTableDto> Tables, IReadOnlyList<HistorySinkDto> Sinks);

/// <summary>A table of the history.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Oldest">Time of the oldest, or null.</param>
/// <param name="Newest">Time of the newest, or null.</param>
public sealed record HistoryTableDto(string Name, long Rows, DateTimeOffset? Oldest, DateTimeOffset? Newest);

/// <summary>A sink of the history.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Problem">Why it takes nothing, or null.</param>
/// <param name="LagSeconds">How much older its last minute is than the newest, or null before the first.</param>
/// <param name="Rows">Rows it took since start.</param>
/// <param name="Failures">Times since start that it did not take what it was sent.</param>
public sealed record HistorySinkDto(string Name, string? Problem, double? LagSeconds, long Rows, long Failures);
