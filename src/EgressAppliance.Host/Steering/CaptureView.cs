using EgressAppliance.Capture;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Steering;

/// <summary>Turns a report of capture into the document of the API.</summary>
public static class CaptureView
{
    /// <summary>Adds what the report knows to the totals: sources, rates, loss and findings.</summary>
    public static CaptureDto Complete(CaptureDto totals, CaptureReport report)
    {
        ArgumentNullException.ThrowIfNull(totals);
        ArgumentNullException.ThrowIfNull(report);
        string[] names = [.. report.Now.Statistics.Sources.Keys.Order(StringComparer.Ordinal)];
        SourceCounts gained = default;
        SourceCounts sinceStart = default;
        foreach (string name in names)
        {
            gained += SourceCounts.Between(report.Before, report.Now, name);
            sinceStart += SinceStart(report, name);
        }

        return totals with
        {
            Sources = [.. names.Select(name => Source(report, name))],
            IntervalSeconds = Math.Round(report.Interval.TotalSeconds, 1),
            LossRatio = Round(gained.LossRatio),
            TotalLossRatio = Round(sinceStart.LossRatio),
            HugePages = report.Now.HugePages.Setting,
            HugePagesBytes = report.Now.HugePages.GrantedBytes,
            Findings = [.. report.Findings.Select(f => new CaptureFindingDto(f.Source, LevelName(f.Level), f.Code, f.Message, f.Advice))],
        };
    }

    private static CaptureSourceDto Source(CaptureReport report, string name)
    {
        SourceStatistics source = report.Now.Statistics.Sources[name];
        SourceCounts gain = SourceCounts.Between(report.Before, report.Now, name);
        SourceCounts total = SinceStart(report, name);
        double seconds = report.Interval.TotalSeconds;
        return new CaptureSourceDto(name, source.ReceivedFrames, source.DroppedFrames, source.Freezes, source.Message)
        {
            State = CaptureState.Of(source, gain, report.Now.Interfaces.GetValueOrDefault(name), seconds > 0),
            PoolExhausted = total.PoolExhausted,
            Packets = total.Packets,
            IpBytes = total.IpBytes,
            NonIp = total.NonIp,
            Ignored = total.Ignored,
            Undecodable = total.Undecodable,
            NicMissed = total.NicMissed,
            NicDropped = total.NicDropped,
            FramesPerSecond = seconds > 0 ? Math.Round(gain.Frames / seconds, 1) : 0,
            BitsPerSecond = seconds > 0 ? Math.Round(gain.IpBytes * 8.0 / seconds) : 0,
            LossRatio = Round(gain.LossRatio),
            TotalLossRatio = Round(total.LossRatio),
            WorkerFrames = [.. report.Now.Statistics.Readers.Where(r => r.Source == name).Select(r => r.Received.ReceivedFrames)],
        };
    }

    /// <summary>Our counters begin with us; an interface's with its creation, so that its first reading is taken off.</summary>
    private static SourceCounts SinceStart(CaptureReport report, string name)
    {
        SourceCounts ours = SourceCounts.Of(report.Now, name);
        SourceCounts gained = SourceCounts.Between(report.First, report.Now, name);
        return ours.WithNic(gained.NicMissed, gained.NicDropped);
    }

    private static string LevelName(FindingLevel level) => level switch
    {
        FindingLevel.Loss => "loss",
        FindingLevel.Warning => "warning",
        _ => "hint",
    };

    private static double Round(double ratio) => Math.Round(ratio, 9);
}
