using System.Diagnostics;
using System.Globalization;
using EgressAppliance.Comparison.Bgp.Daemons;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Bgp.Peer;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp;

/// <summary>The tables of a router's peers taken in over BMP and, with the connection, lost again.</summary>
/// <param name="Peers">Peers of the router, each with a full table.</param>
/// <param name="Routes">Routes held of them.</param>
/// <param name="LoadCpu">Processor seconds of the station from the connection until all routes were counted.</param>
/// <param name="LoadWall">How long that took.</param>
/// <param name="Loaded">Memory a second later.</param>
/// <param name="PurgeCpu">Processor seconds from the end of the connection until no route was left.</param>
/// <param name="PurgeWall">How long that took.</param>
internal sealed record MonitoringSample(int Peers, long Routes, double LoadCpu, double LoadWall, MemoryUse Loaded, double PurgeCpu, double PurgeWall)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"BMP, {Peers} peers: {Routes} routes, {LoadCpu:0.00} s CPU, {LoadWall:0.00} s, {Loaded.Rss >> 20} MiB; purge {PurgeCpu:0.00} s CPU, {PurgeWall:0.00} s");
}

/// <summary>Shows the appliance's BMP station the full tables of several peers of one router.</summary>
internal static class MonitoringMeasurement
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Measures.</summary>
    /// <param name="tables">One a peer.</param>
    /// <exception cref="ComparisonException">Not all routes are there after five minutes.</exception>
    public static MonitoringSample Run(IReadOnlyList<FeedFile> tables)
    {
        using OwnSpeaker speaker = new(monitoringPort: BgpLab.MonitoringPort);
        long expected = tables.Sum(table => (long)table.Routes);
        speaker.CountMonitoredRoutes();
        double cpu = speaker.Meter.CpuSeconds();
        long start = Stopwatch.GetTimestamp();
        MonitoredRouterScript router = speaker.ConnectStation();
        try
        {
            router.Show([.. tables.Select(table => table.Path)]);
            WaitFor(speaker, expected);
            double loadWall = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double loadCpu = speaker.Meter.CpuSeconds() - cpu;
            Thread.Sleep(Quiet);
            MemoryUse loaded = speaker.Meter.Memory();
            cpu = speaker.Meter.CpuSeconds();
            start = Stopwatch.GetTimestamp();
            router.Dispose();
            WaitFor(speaker, 0);
            return new(tables.Count, expected, loadCpu, loadWall, loaded, speaker.Meter.CpuSeconds() - cpu, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        finally
        {
            router.Dispose();
        }
    }

    private static void WaitFor(OwnSpeaker speaker, long routes)
    {
        long start = Stopwatch.GetTimestamp();
        long held;
        while ((held = speaker.CountMonitoredRoutes()) != routes)
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new ComparisonException($"the BMP station holds {held} routes, not {routes}");
            }

            Thread.Sleep(Interval);
        }
    }
}
