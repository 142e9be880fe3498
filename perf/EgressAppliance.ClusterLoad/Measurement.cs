using System.Diagnostics;
using System.Globalization;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Cluster.Merge;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Host.Traffic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.ClusterLoad;

/// <summary>
/// A controller's work for a tick, from the octets that the broker delivers to the picture that is planned with: decode, merge, estimate, choose the largest. All on one thread; the
/// processor time of the whole process is taken, so that what the garbage collector does beside it counts.
/// </summary>
internal static class Measurement
{
    private const int WarmUp = 3;

    public static int Run(string folder, int collectors)
    {
        ApplianceConfig config = LoadSite.Controller(collectors);
        ManualClock time = new();
        LinkDirectory links = new(config.Links);
        using EgressAppliance.Net.PrefixTable table = new();
        BgpSpeaker speaker = new(SpeakerOptions.From(config, links), null, time, NullLoggerFactory.Instance, table);
        SiteMerger merger = new(SiteTraffic.OptionsFrom(config), time);
        InterfaceState[] interfaces = [.. config.Links.Select(l => new InterfaceState { Link = l.Name, Router = l.Router, Interface = l.Interface, CapacityBps = l.CapacityBps })];
        InputCollector inputs = new(config, new SiteTraffic(merger, config, time), () => interfaces, () => [], speaker, links, new SteadyClock(time));
        Process process = Process.GetCurrentProcess();
        List<(double Cpu, double Decode, double Merge)> rows = [];
        for (int tick = 1; File.Exists(Name(folder, 0, tick)); tick++)
        {
            byte[][] messages = [.. Enumerable.Range(0, collectors).Select(c => File.ReadAllBytes(Name(folder, c, tick)))];
            time.Advance(LoadSite.Period);
            process.Refresh();
            TimeSpan before = process.TotalProcessorTime;
            long start = Stopwatch.GetTimestamp();
            foreach (byte[] message in messages)
            {
                if (!DeltaCodec.TryDecode(message, out TrafficDelta? delta, out _) || merger.Add(delta!, time.GetTimestamp()) != DeltaRefusal.None)
                {
                    Console.Error.WriteLine($"{folder}: tick {tick} was not taken");
                    return 1;
                }
            }

            double decode = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            CycleInputs read = inputs.Collect([]);
            double merge = Stopwatch.GetElapsedTime(start).TotalMilliseconds - decode;
            process.Refresh();
            double cpu = (process.TotalProcessorTime - before).TotalMilliseconds;
            if (read.Input.Health.MissingCollectors is not null)
            {
                Console.Error.WriteLine("a collector is missing");
                return 1;
            }

            if (tick > WarmUp)
            {
                rows.Add((cpu, decode, merge));
            }
        }

        process.Refresh();
        (double medianCpu, double medianDecode, double medianMerge) = (Median(rows.Select(r => r.Cpu)), Median(rows.Select(r => r.Decode)), Median(rows.Select(r => r.Merge)));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{collectors} {medianCpu:F0} {rows.Max(r => r.Cpu):F0} {medianDecode:F0} {medianMerge:F0} {process.PeakWorkingSet64 / 1048576} {GC.GetTotalMemory(true) / 1048576}"));
        return 0;
    }

    private static string Name(string folder, int collector, int tick) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{collector}-{tick}.delta"));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>A clock that the measurement moves.</summary>
    private sealed class ManualClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_ticks);
    }
}
