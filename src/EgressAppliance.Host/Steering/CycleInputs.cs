using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Flow;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.RouteFeed;

namespace EgressAppliance.Host.Steering;

/// <summary>Everything that was read for one cycle: what the decision maker is given, and beside it what only the page shows. Immutable.</summary>
public sealed record CycleInputs
{
    /// <summary>What the decision maker is given.</summary>
    public required CycleInput Input { get; init; }

    /// <summary>The largest prefixes.</summary>
    public required RateView Rates { get; init; }

    /// <summary>Mirror rate of each link, layer-2 overhead added, bit/s, in order of configuration.</summary>
    public required IReadOnlyList<long> MirrorBps { get; init; }

    /// <summary>What has been seen of each link since start, in the same order.</summary>
    public required IReadOnlyList<LinkTotal> Totals { get; init; }

    /// <summary>How far these can be believed, in the same order.</summary>
    public required IReadOnlyList<LinkBelief> Beliefs { get; init; }

    /// <summary>The links' interfaces, in order of configuration.</summary>
    public required IReadOnlyList<InterfaceState> Interfaces { get; init; }

    /// <summary>How frames of each link are known, in words, in the same order; empty where they are not.</summary>
    public required IReadOnlyList<string> Matches { get; init; }

    /// <summary>The routers' SNMP agents.</summary>
    public required IReadOnlyList<RouterState> Agents { get; init; }

    /// <summary>The routers' BGP sessions.</summary>
    public required IReadOnlyList<PeerStatus> Peers { get; init; }

    /// <summary>How the routers' own choices compare with the paths that they should prefer, of the largest prefixes.</summary>
    public required ChoiceCounts Choices { get; init; }

    /// <summary>Totals of the data path.</summary>
    public required PipelineStatistics Statistics { get; init; }

    /// <summary>IP packets that matched no link, since start.</summary>
    public required long UnattributedPackets { get; init; }

    /// <summary>When the counters were read, <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public required long Timestamp { get; init; }

    /// <summary>IP packets per second over the cycle, scaled up by the sampling rate.</summary>
    public required double PacketsPerSecond { get; init; }

    /// <summary>IP bits per second over the cycle, scaled up by the sampling rate.</summary>
    public required double BitsPerSecond { get; init; }

    /// <summary>What flow export did; null where there is none.</summary>
    public FlowReading? Flow { get; init; }

    /// <summary>The links, in order of configuration, whose rates flow export tells and no mirror.</summary>
    public required IReadOnlyList<bool> FlowFed { get; init; }

    /// <summary>What is wrong beside what the decision maker judges, in words.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
