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
    long MaxBytes, long TrimmedRows, IReadOnlyDictionary<string, long> Added, DurationHistogram WriteSeconds)
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

/// <summary>How many durations were at most so long, as a Prometheus histogram counts them. Immutable.</summary>
/// <param name="Counts">Durations at most as long as each of <see cref="Bounds"/>.</param>
/// <param name="Count">All durations.</param>
/// <param name="Sum">Their sum, seconds.</param>
public sealed record DurationHistogram(IReadOnlyList<long> Counts, long Count, double Sum)
{
    /// <summary>Upper bounds, seconds.</summary>
    public static IReadOnlyList<double> Bounds { get; } = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

    /// <summary>None yet.</summary>
    public static DurationHistogram Empty { get; } = new(new long[Bounds.Count], 0, 0);

    /// <summary>With one more.</summary>
    public DurationHistogram With(TimeSpan duration)
    {
        double seconds = duration.TotalSeconds;
        return new DurationHistogram([.. Counts.Select((c, i) => seconds <= Bounds[i] ? c + 1 : c)], Count + 1, Sum + seconds);
    }
}
