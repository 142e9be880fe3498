using EgressAppliance.Host.Interfaces;

namespace EgressAppliance.Host.Traffic;

/// <summary>Takes a cell.</summary>
/// <param name="cell">The cell; valid during the call.</param>
public delegate void TrafficVisitor(in TrafficCell cell);

/// <summary>
/// Where the control loop has its traffic from: the data path of this box (<see cref="LocalTraffic"/>), or the collectors of the site over a broker
/// (<c>SiteTraffic</c>). All behind it is the same. One caller at a time.
/// </summary>
public interface ITrafficSource
{
    /// <summary>Reads what was counted since the last time.</summary>
    /// <param name="visit">Called for each cell, in no order.</param>
    TrafficReading Take(TrafficVisitor visit);

    /// <summary>Takes what the routers say of the links' interfaces: frames may be known by it.</summary>
    /// <param name="interfaces">The links' interfaces, in order of configuration.</param>
    /// <returns>Links whose frames cannot be told, and why; empty if there are none.</returns>
    IReadOnlyList<string> Follow(IReadOnlyList<InterfaceState> interfaces);

    /// <summary>How frames of a link are known, in words; empty if they are not.</summary>
    /// <param name="link">Index of the link.</param>
    string Describe(int link);

    /// <summary>Whether a source, one of <see cref="Dataplane.Pipeline.PipelineStatistics.Sources"/>, may show a link.</summary>
    /// <param name="source">Its name.</param>
    /// <param name="link">Index of the link.</param>
    bool MayShow(string source, int link);
}
