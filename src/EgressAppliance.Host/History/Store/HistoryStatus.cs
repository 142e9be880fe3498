using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.History.Store;

/// <summary>How the history is doing. Counts are since start.</summary>
/// <param name="Path">The database.</param>
/// <param name="Problem">Why it is not written, or null.</param>
/// <param name="Notes">What became of it that the operator should know: repaired, at its size.</param>
/// <param name="WaitingTicks">Minutes that wait to be written.</param>
/// <param name="WrittenTicks">Minutes written.</param>
/// <param name="DroppedTicks">Minutes left out because the disk failed for too long or does not keep up.</param>
/// <param name="DroppedEvents">Events left out for the same reason.</param>
/// <param name="Failures">Times that writing failed.</param>
/// <param name="FileBytes">Size of the file and its log.</param>
/// <param name="UsedBytes">Octets of the file that hold something; the rest is used again.</param>
/// <param name="MaxBytes">Most it may be.</param>
/// <param name="TrimmedRows">Rows deleted because the size was reached.</param>
/// <param name="Added">Rows added, by table.</param>
/// <param name="WriteSeconds">How long the transactions took.</param>
public sealed record HistoryStatus(
    string Path, string? Problem, IReadOnlyList<string> Notes, int WaitingTicks, long WrittenTicks, long DroppedTicks, long DroppedEvents, long Failures, long FileBytes, long UsedBytes,
    long MaxBytes, long TrimmedRows, IReadOnlyDictionary<string, long> Added, DurationReading WriteSeconds)
{
    /// <summary>The sinks.</summary>
    public IReadOnlyList<SinkStatus> Sinks { get; init; } = [];
}

/// <summary>How a sink is doing. Counts are since start.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Problem">Why it takes nothing, or null.</param>
/// <param name="Rows">Rows it took.</param>
/// <param name="Failures">Times that it did not take what it was sent.</param>
/// <param name="LagSeconds">How much older the last minute that it has is than the newest in the history; null before the first.</param>
public sealed record SinkStatus(string Name, string? Problem, long Rows, long Failures, double? LagSeconds);
