using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;

namespace EgressAppliance.Host.Pipeline;

/// <summary>What capture did over the last interval and since start.</summary>
/// <param name="First">The first reading.</param>
/// <param name="Before">The reading at the interval's begin.</param>
/// <param name="Now">The latest reading.</param>
/// <param name="Interval">Time between the two; zero at first.</param>
/// <param name="Findings">What the operator should know, the worst first.</param>
public sealed record CaptureReport(
    CaptureReading First, CaptureReading Before, CaptureReading Now, TimeSpan Interval, IReadOnlyList<CaptureFinding> Findings);

/// <summary>
/// Keeps the readings of the last seconds, so that rates and loss are shown over an interval that does not depend on the cycle. One thread.
/// </summary>
public sealed class CaptureMonitor
{
    private static readonly TimeSpan HugePagesPeriod = TimeSpan.FromMinutes(1);

    private readonly CaptureConfig _config;
    private readonly TimeProvider _time;
    private readonly Func<string, InterfaceReading> _readInterface;
    private readonly Func<HugePagesReading> _readHugePages;
    private readonly Queue<CaptureReading> _readings = new();
    private CaptureReading? _first;
    private HugePagesReading? _hugePages;
    private long _hugePagesRead;

    /// <summary>A monitor of this machine.</summary>
    public CaptureMonitor(CaptureConfig config, TimeProvider time)
        : this(config, time, name => InterfaceReading.Read(name), HugePagesReading.Read)
    {
    }

    /// <summary>A monitor of what is given.</summary>
    /// <param name="config">What is captured.</param>
    /// <param name="time">The clock of the readings' time stamps.</param>
    /// <param name="readInterface">Reads an interface.</param>
    /// <param name="readHugePages">Reads the state of huge pages.</param>
    public CaptureMonitor(CaptureConfig config, TimeProvider time, Func<string, InterfaceReading> readInterface, Func<HugePagesReading> readHugePages)
    {
        _config = config;
        _time = time;
        _readInterface = readInterface;
        _readHugePages = readHugePages;
    }

    /// <summary>Length of the interval; the reading next to it is taken.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Takes the counters of a cycle, and reads the interfaces.</summary>
    public CaptureReport Update(long timestamp, PipelineStatistics statistics, long unattributedPackets, FlowReading? flow = null)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        if (_hugePages is null || _time.GetElapsedTime(_hugePagesRead, timestamp) >= HugePagesPeriod)
        {
            _hugePages = _readHugePages();
            _hugePagesRead = timestamp;
        }

        CaptureReading now = new()
        {
            Timestamp = timestamp,
            Statistics = statistics,
            UnattributedPackets = unattributedPackets,
            Flow = flow,
            Interfaces = _config.Sources.Where(s => s.Backend != CaptureBackend.PcapFile).Select(s => s.Interface).Distinct()
                .ToDictionary(name => name, _readInterface),
            HugePages = _hugePages,
        };
        _first ??= now;
        _readings.Enqueue(now);

        // The oldest that is kept is the youngest that is as old as the interval; cycles are not exact to the millisecond.
        TimeSpan wanted = Interval - TimeSpan.FromMilliseconds(500);
        while (_readings.Count > 2 && _time.GetElapsedTime(_readings.ElementAt(1).Timestamp, timestamp) >= wanted)
        {
            _readings.Dequeue();
        }

        CaptureReading before = _readings.Peek();
        TimeSpan interval = _time.GetElapsedTime(before.Timestamp, timestamp);
        return new CaptureReport(_first, before, now, interval, CaptureAdvice.Find(_config, before, now, interval));
    }
}
