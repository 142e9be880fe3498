using System.Diagnostics;
using System.Globalization;
using EgressAppliance.Comparison.Bgp.Daemons;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Bgp.Peer;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp;

/// <summary>A table taken in and, with the session, lost again.</summary>
/// <param name="Routes">Routes held at the end of the load.</param>
/// <param name="LoadCpu">Processor seconds from the session's start until all routes were counted.</param>
/// <param name="LoadCpuQuiet">The same and a second more, in which much is done that was put off.</param>
/// <param name="LoadWall">Seconds from the first octet sent until all routes were counted.</param>
/// <param name="Loaded">Memory that second later.</param>
/// <param name="PurgeCpu">Processor seconds from the end of the connection until no route was left.</param>
/// <param name="PurgeWall">How long that took.</param>
/// <param name="Emptied">Memory a second after that.</param>
internal sealed record LoadSample(
    long Routes, double LoadCpu, double LoadCpuQuiet, double LoadWall, MemoryUse Loaded, double PurgeCpu, double PurgeWall, MemoryUse Emptied)
{
    /// <summary>Managed heap with the table, bytes, dead objects included; only of the appliance's speaker.</summary>
    public long? LoadedHeap { get; init; }

    /// <summary>The same without the table.</summary>
    public long? EmptiedHeap { get; init; }

    /// <summary>Microseconds that the question for a prefix's paths in the order of preference takes; only of the appliance's speaker.</summary>
    public double? PathQuestion { get; init; }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Routes} routes, {LoadCpu:0.00} s CPU ({LoadCpuQuiet:0.00} a second later), {LoadWall:0.00} s, {Loaded.Rss >> 20} MiB; purge {PurgeCpu:0.00} s CPU, {PurgeWall:0.00} s, {Emptied.Rss >> 20} MiB");
}

/// <summary>Loads a table into a speaker from one router and drops the session, once or again and again.</summary>
/// <param name="feed">The table, as an external peer sends it.</param>
internal sealed class LoadMeasurement(FeedFile feed)
{
    /// <summary>Share of the routes that a daemon must take for its figures to count: each has reasons of its own to refuse a few.</summary>
    private const double LeastShare = 0.999;

    /// <summary>Seconds; so many that a daemon which is busy for minutes keeps its session.</summary>
    private const ushort HoldTime = 3600;

    private const int PathQuestions = 20_000;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    /// <summary>One session of a running speaker.</summary>
    /// <exception cref="ComparisonException">It did not take the table.</exception>
    public LoadSample Run(Speaker speaker)
    {
        PeerIdentity identity = new(FeedOptions.ExternalAs, 0xC633_6402, HoldTime, feed.Paths > 1);
        double cpu = speaker.Meter.CpuSeconds();
        ScriptedPeer peer = speaker.Connect(0, identity);
        try
        {
            long start = Stopwatch.GetTimestamp();
            Task<TimeSpan> sending = Task.Factory.StartNew(
                () =>
                {
                    NetworkNamespace.PinThread(0);
                    return peer.SendTable(feed.Path);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            long routes = speaker.WaitFor(feed.Routes, peer);
            double loadWall = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double loadCpu = speaker.Meter.CpuSeconds() - cpu;
            if (peer.Ended is { } ended || routes < feed.Routes * LeastShare)
            {
                throw new ComparisonException($"{routes} of {feed.Routes} routes were taken: {peer.Ended}");
            }

            sending.Wait();
            Thread.Sleep(Quiet);
            double quietCpu = speaker.Meter.CpuSeconds() - cpu;
            MemoryUse loaded = speaker.Meter.Memory();
            OwnSpeaker? own = speaker as OwnSpeaker;
            long? loadedHeap = own?.HeapBytes();
            double? question = own?.PathQuestionMicroseconds(PathQuestions);

            cpu = speaker.Meter.CpuSeconds();
            start = Stopwatch.GetTimestamp();
            peer.Dispose();
            speaker.WaitFor(0, null);
            double purgeWall = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double purgeCpu = speaker.Meter.CpuSeconds() - cpu;
            Thread.Sleep(Quiet);
            return new(routes, loadCpu, quietCpu, loadWall, loaded, purgeCpu, purgeWall, speaker.Meter.Memory())
            {
                LoadedHeap = loadedHeap,
                EmptiedHeap = own?.HeapBytes(),
                PathQuestion = question,
            };
        }
        finally
        {
            peer.Dispose();
        }
    }
}
