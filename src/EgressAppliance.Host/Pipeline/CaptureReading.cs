using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Flow;

namespace EgressAppliance.Host.Pipeline;

/// <summary>All counters of capture at one moment.</summary>
public sealed record CaptureReading
{
    /// <summary>When, <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Totals of the data path.</summary>
    public required PipelineStatistics Statistics { get; init; }

    /// <summary>IP packets that matched no link, since start.</summary>
    public long UnattributedPackets { get; init; }

    /// <summary>The interfaces of live sources, by name.</summary>
    public IReadOnlyDictionary<string, InterfaceReading> Interfaces { get; init; } = new Dictionary<string, InterfaceReading>();

    /// <summary>Flow export, where there is any.</summary>
    public FlowReading? Flow { get; init; }

    /// <summary>Huge pages.</summary>
    public HugePagesReading HugePages { get; init; } = new("", 0);
}

/// <summary>The counters of one source, its workers added up; or what they gained over a time.</summary>
public readonly record struct SourceCounts
{
    /// <summary>Frames handed to the pipeline.</summary>
    public long Frames { get; private init; }

    /// <summary>Frames the kernel dropped for want of a ring block.</summary>
    public long Dropped { get; private init; }

    /// <summary>Times the ring froze.</summary>
    public long Freezes { get; private init; }

    /// <summary>Frames given up for want of a batch; they are among <see cref="Frames"/>.</summary>
    public long PoolExhausted { get; private init; }

    /// <summary>IP packets.</summary>
    public long Packets { get; private init; }

    /// <summary>Their IP bytes.</summary>
    public long IpBytes { get; private init; }

    /// <summary>Frames that are not IP.</summary>
    public long NonIp { get; private init; }

    /// <summary>Frames to ignored MACs.</summary>
    public long Ignored { get; private init; }

    /// <summary>Undecodable frames that were cut off.</summary>
    public long Truncated { get; private init; }

    /// <summary>Undecodable frames, those cut off included.</summary>
    public long Undecodable { get; private init; }

    /// <summary>Frames longer than usual, of those looked at.</summary>
    public long LongFrames { get; private init; }

    /// <summary>Frames that the NIC dropped.</summary>
    public long NicMissed { get; private init; }

    /// <summary>Frames that the driver or the input queue dropped, or that no protocol takes.</summary>
    public long NicDropped { get; private init; }

    /// <summary>Frames lost for certain: by the NIC, by the kernel, for want of a batch.</summary>
    public long Lost => NicMissed + Dropped + PoolExhausted;

    /// <summary>Lost frames as a share of all that came to the NIC.</summary>
    public double LossRatio => Lost == 0 ? 0 : (double)Lost / Math.Max(Frames + Dropped + NicMissed, 1);

    /// <summary>Those of a source in a reading.</summary>
    public static SourceCounts Of(CaptureReading reading, string source)
    {
        ArgumentNullException.ThrowIfNull(reading);
        SourceStatistics totals = reading.Statistics.Sources.GetValueOrDefault(source);
        InterfaceReading nic = reading.Interfaces.GetValueOrDefault(source) ?? new InterfaceReading();
        SourceCounts sum = new()
        {
            Frames = totals.ReceivedFrames,
            Dropped = totals.DroppedFrames,
            Freezes = totals.Freezes,
            NicMissed = nic.Missed,
            NicDropped = nic.Dropped,
        };
        foreach (ReaderStatistics reader in reading.Statistics.Readers)
        {
            if (reader.Source == source)
            {
                sum = sum with
                {
                    PoolExhausted = sum.PoolExhausted + reader.PoolExhausted,
                    Packets = sum.Packets + reader.Packets,
                    IpBytes = sum.IpBytes + reader.IpBytes,
                    NonIp = sum.NonIp + reader.NonIp,
                    Ignored = sum.Ignored + reader.Ignored,
                    Truncated = sum.Truncated + reader.Undecodable.Where(u => u.Key.StartsWith("truncated_", StringComparison.Ordinal)).Sum(u => u.Value),
                    Undecodable = sum.Undecodable + reader.Undecodable.Values.Sum(),
                    LongFrames = sum.LongFrames + reader.Received.LongFrames,
                };
            }
        }

        return sum;
    }

    /// <summary>What a source gained between two readings; never negative: an interface that was made anew counts from 0.</summary>
    public static SourceCounts Between(CaptureReading before, CaptureReading now, string source)
    {
        SourceCounts a = Of(before, source);
        SourceCounts b = Of(now, source);
        return new SourceCounts
        {
            Frames = Gain(a.Frames, b.Frames),
            Dropped = Gain(a.Dropped, b.Dropped),
            Freezes = Gain(a.Freezes, b.Freezes),
            PoolExhausted = Gain(a.PoolExhausted, b.PoolExhausted),
            Packets = Gain(a.Packets, b.Packets),
            IpBytes = Gain(a.IpBytes, b.IpBytes),
            NonIp = Gain(a.NonIp, b.NonIp),
            Ignored = Gain(a.Ignored, b.Ignored),
            Truncated = Gain(a.Truncated, b.Truncated),
            Undecodable = Gain(a.Undecodable, b.Undecodable),
            LongFrames = Gain(a.LongFrames, b.LongFrames),
            NicMissed = Gain(a.NicMissed, b.NicMissed),
            NicDropped = Gain(a.NicDropped, b.NicDropped),
        };
    }

    /// <summary>The same with other counters of the interface.</summary>
    public SourceCounts WithNic(long missed, long dropped) => this with { NicMissed = missed, NicDropped = dropped };

    /// <summary>Adds two sources.</summary>
    public static SourceCounts operator +(SourceCounts a, SourceCounts b) => Add(a, b);

    /// <summary>Adds two sources.</summary>
    public static SourceCounts Add(SourceCounts a, SourceCounts b) => new()
    {
        Frames = a.Frames + b.Frames,
        Dropped = a.Dropped + b.Dropped,
        Freezes = a.Freezes + b.Freezes,
        PoolExhausted = a.PoolExhausted + b.PoolExhausted,
        Packets = a.Packets + b.Packets,
        IpBytes = a.IpBytes + b.IpBytes,
        NonIp = a.NonIp + b.NonIp,
        Ignored = a.Ignored + b.Ignored,
        Truncated = a.Truncated + b.Truncated,
        Undecodable = a.Undecodable + b.Undecodable,
        LongFrames = a.LongFrames + b.LongFrames,
        NicMissed = a.NicMissed + b.NicMissed,
        NicDropped = a.NicDropped + b.NicDropped,
    };

    private static long Gain(long before, long now) => now >= before ? now - before : now;
}
