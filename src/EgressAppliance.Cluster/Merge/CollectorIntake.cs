using EgressAppliance.Cluster.Deltas;

namespace EgressAppliance.Cluster.Merge;

/// <summary>What has come from one collector: in order, each once, bounded. Not safe for concurrent use.</summary>
/// <param name="options">The collector.</param>
/// <param name="merge">What holds for all.</param>
/// <param name="time">The clock of the arrivals, and the time of day.</param>
internal sealed class CollectorIntake(CollectorOptions options, MergeOptions merge, TimeProvider time)
{
    /// <summary>A run that began earlier by its clock is believed after so many ticks without the one before: a clock that was wrong has been set.</summary>
    private const int SilentTicks = 3;

    private readonly Queue<TrafficDelta> _held = new();
    private CollectorStatus _status = new() { Box = options.Box, Mirror = options.Mirror };
    private CollectorCounters? _base;
    private CollectorCounters _total = new();
    private long _run;
    private long _sequence;
    private long _arrived = time.GetTimestamp();

    public CollectorOptions Options => options;

    /// <summary>As of the latest call.</summary>
    public CollectorStatus Status => _status;

    /// <summary>Counters since this box listens.</summary>
    public CollectorCounters Total => _total;

    /// <summary>Tick of the newest delta held, or null.</summary>
    public long? NewestTick { get; private set; }

    public DeltaRefusal Add(TrafficDelta delta, long arrival)
    {
        DeltaRefusal refusal = Judge(delta, arrival);
        if (refusal != DeltaRefusal.None)
        {
            _status = refusal == DeltaRefusal.Duplicate
                ? _status with { Duplicates = _status.Duplicates + 1 } : _status with { Refused = _status.Refused + 1 };
            return refusal;
        }

        bool restarted = _run != 0 && delta.Run != _run;
        long lost = _run == 0 ? 0 : restarted ? delta.Sequence - 1 : delta.Sequence - _sequence - 1;
        (_run, _sequence, _arrived) = (delta.Run, delta.Sequence, arrival);
        if (_held.Count >= merge.MaxHeld)
        {
            _held.Dequeue();
            lost++;
        }

        _held.Enqueue(delta);
        NewestTick = delta.Tick;
        DateTimeOffset end = EndOf(delta);
        _status = _status with
        {
            LastTick = end,
            Lateness = time.GetUtcNow() - end,
            Deltas = _status.Deltas + 1,
            Cells = delta.Links.Sum(l => l.Prefixes.Count),
            Lost = _status.Lost + lost,
            Restarts = _status.Restarts + (restarted ? 1 : 0),
            BitsPerSecond = delta.Length > TimeSpan.Zero ? (long)(delta.Links.Sum(l => Sum(l.IpBytes)) * 8 / delta.Length.TotalSeconds) : 0,
            Counters = delta.Counters,
            Health = delta.Health,
        };
        if (restarted || _base is null)
        {
            // What was counted before this box listened is none of its totals.
            _base = delta.Sequence == 1 || restarted ? new CollectorCounters() : delta.Counters;
        }

        _total = Add(_total, delta.Counters, _base);
        _base = delta.Counters;
        return DeltaRefusal.None;
    }

    /// <summary>Takes all that is held, oldest first.</summary>
    public IReadOnlyList<TrafficDelta> Take()
    {
        TrafficDelta[] all = [.. _held];
        _held.Clear();
        NewestTick = null;
        _status = _status with { Missing = all.Length == 0, Gaps = _status.Gaps + (all.Length == 0 ? 1 : 0) };
        return all;
    }

    /// <summary>Notes whether another collector stands in for it.</summary>
    public void SetRedundant(bool redundant) => _status = _status with { Redundant = redundant };

    private DeltaRefusal Judge(TrafficDelta delta, long arrival)
    {
        if (delta.Period != merge.Period)
        {
            return DeltaRefusal.OtherPeriod;
        }

        if (delta.Run == _run)
        {
            return delta.Sequence <= _sequence ? DeltaRefusal.Duplicate : DeltaRefusal.None;
        }

        return delta.Run > _run || time.GetElapsedTime(_arrived, arrival) > SilentTicks * merge.Period ? DeltaRefusal.None : DeltaRefusal.OldRun;
    }

    private static DateTimeOffset EndOf(TrafficDelta delta) =>
        DateTimeOffset.UnixEpoch + TimeSpan.FromTicks((long)Math.Clamp((double)delta.Tick * delta.Period.Ticks, 0, (DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks / 2));

    private static double Sum(IReadOnlyList<long> values)
    {
        double sum = 0;
        foreach (long value in values)
        {
            sum += value;
        }

        return sum;
    }

    private static CollectorCounters Add(CollectorCounters total, CollectorCounters now, CollectorCounters before)
    {
        return new CollectorCounters
        {
            Frames = total.Frames + More(now.Frames, before.Frames),
            Packets = total.Packets + More(now.Packets, before.Packets),
            IpBytes = total.IpBytes + More(now.IpBytes, before.IpBytes),
            NonIp = total.NonIp + More(now.NonIp, before.NonIp),
            Ignored = total.Ignored + More(now.Ignored, before.Ignored),
            Undecodable = total.Undecodable + More(now.Undecodable, before.Undecodable),
            PoolExhausted = total.PoolExhausted + More(now.PoolExhausted, before.PoolExhausted),
            KernelDropped = total.KernelDropped + More(now.KernelDropped, before.KernelDropped),
            UnroutedPackets = total.UnroutedPackets + More(now.UnroutedPackets, before.UnroutedPackets),
            UnroutedIpBytes = total.UnroutedIpBytes + More(now.UnroutedIpBytes, before.UnroutedIpBytes),
            DeltasDropped = total.DeltasDropped + More(now.DeltasDropped, before.DeltasDropped),
        };

        // A counter that fell within a run would be a fault of the collector: the totals here never fall.
        static long More(long now, long before) => Math.Max(0, now - before);
    }
}
