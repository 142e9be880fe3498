using EgressAppliance.Capture;
using EgressAppliance.Cluster.Merge;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Traffic;

/// <summary>What all collectors of the site count.</summary>
/// <param name="merger">Puts it together.</param>
/// <param name="config">The configuration of this controller.</param>
/// <param name="time">The clock of the timestamps.</param>
public sealed class SiteTraffic(SiteMerger merger, ApplianceConfig config, TimeProvider time) : ITrafficSource
{
    private readonly Dictionary<string, HashSet<int>> _shows =
        (config.Cluster ?? throw new ArgumentException("Only a site has collectors.", nameof(config))).Collectors.ToDictionary(c => c.Box, c => c.Links.ToHashSet());

    /// <summary>The collectors as of the latest reading. Any thread.</summary>
    public IReadOnlyList<CollectorStatus> Collectors => merger.Collectors;

    /// <summary>What a controller must know to merge.</summary>
    /// <param name="config">Its configuration.</param>
    public static MergeOptions OptionsFrom(ApplianceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return new MergeOptions
        {
            Period = config.Decision.Cycle,
            Links = [.. config.Links.Select(l => l.Name)],
            Collectors = [.. (config.Cluster?.Collectors ?? []).Select(c => new CollectorOptions { Box = c.Box, Links = c.Links, Mirror = c.Mirror })],
            ConfigHash = ClusterHash.Of(config),
        };
    }

    /// <inheritdoc/>
    public TrafficReading Take(TrafficVisitor visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        MergedTick merged = merger.Take((prefix, link, packets, bytes, seen, rate) =>
            visit(new TrafficCell(prefix, new LinkId((ushort)(link + 1)), packets, bytes, seen, rate)));
        return new TrafficReading
        {
            Timestamp = time.GetTimestamp(),
            CoveredSeconds = [merged.CoveredElsewhere, .. merged.CoveredSeconds],
            Missing = merged.Missing,
            TablesComplete = merged.TablesComplete,
            Problems = merged.Problems,
            Statistics = new PipelineStatistics
            {
                Frames = merged.Totals.Frames,
                Packets = merged.Totals.Packets,
                IpBytes = merged.Totals.IpBytes,
                NonIp = merged.Totals.NonIp,
                Ignored = merged.Totals.Ignored,
                Undecodable = merged.Totals.Undecodable > 0 ? new Dictionary<string, long> { ["any"] = merged.Totals.Undecodable } : [],
                PoolExhausted = merged.Totals.PoolExhausted,
                UnroutedPackets = merged.Totals.UnroutedPackets,
                UnroutedIpBytes = merged.Totals.UnroutedIpBytes,
                Sources = merged.Sources.ToDictionary(s => s.Key, s => new SourceStatistics(s.Value.Frames, s.Value.Dropped, 0, null)),
            },
        };
    }

    /// <inheritdoc/>
    /// <remarks>Collectors know frames by rules of their own.</remarks>
    public IReadOnlyList<string> Follow(IReadOnlyList<InterfaceState> interfaces) => [];

    /// <inheritdoc/>
    public string Describe(int link) => string.Join(", ", _shows.Where(s => s.Value.Contains(link)).Select(s => s.Key));

    /// <inheritdoc/>
    public bool MayShow(string source, int link) => _shows.TryGetValue(source, out HashSet<int>? links) && links.Contains(link);
}
