using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Traffic;

/// <summary>What this box's own data path counts.</summary>
/// <param name="pipeline">The data path.</param>
/// <param name="table">Gives ids their prefixes.</param>
/// <param name="config">The configuration.</param>
public sealed class LocalTraffic(ICapturePipeline pipeline, PrefixTable table, ApplianceConfig config) : ITrafficSource
{
    private readonly int _sampling = SamplingOf(config);
    private readonly LinkRules _rules = new(config.Links);

    /// <summary>The switch mirrors one frame in this many.</summary>
    /// <param name="config">The configuration.</param>
    public static int SamplingOf(ApplianceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config.Capture.Sources.Select(s => s.Sampling).DefaultIfEmpty(1).Max();
    }

    /// <inheritdoc/>
    public TrafficReading Take(TrafficVisitor visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        CounterSnapshot counters = pipeline.TakeSnapshot();
        foreach (CounterCell cell in counters.Cells)
        {
            // Flow export is scaled record by record, capture as a whole, here.
            int scale = cell.Sampling is null ? _sampling : 1;
            long packets = cell.Packets * scale;
            IpPrefix prefix = cell.PrefixId == 0 ? default : table.PrefixOf(cell.PrefixId);
            visit(new TrafficCell(prefix, cell.Link, packets, cell.IpBytes * scale, packets / (cell.Sampling ?? _sampling)));
        }

        // Only now: until the cells are read, the ids in them must not be given to other prefixes.
        table.Tick();
        return new TrafficReading { Timestamp = counters.Timestamp, Statistics = counters.Statistics };
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Follow(IReadOnlyList<InterfaceState> interfaces)
    {
        if (_rules.Update(interfaces))
        {
            pipeline.SetLinks(_rules.Matches);
        }

        return _rules.Problems;
    }

    /// <inheritdoc/>
    public string Describe(int link) => _rules.Describe(link);

    /// <inheritdoc/>
    public bool MayShow(string source, int link) => config.Links[link].MatchSource is not { } own || own == source;
}
