using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>A prefix with its paths, in the order in which the router prefers them.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Paths">At least one path.</param>
public readonly record struct RibPrefix(IpPrefix Prefix, IReadOnlyList<RibPath> Paths);

/// <summary>
/// A walk over a whole table in steps, each short enough to be taken under the table's lock. What changes during the walk may be seen or not; what does
/// not change is seen once.
/// </summary>
public interface IRibWalk
{
    /// <summary>The next prefixes, at most <paramref name="maximum"/>; none when the walk is over. Valid until the next call.</summary>
    IReadOnlyList<RibPrefix> Next(int maximum);
}
