using EgressAppliance.Net;

namespace EgressAppliance.Simulator.Routing;

/// <summary>A path that the router's iBGP peers shall know of, or its end.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="PathId">ADD-PATH identifier, never 0; a path that goes and comes back has a new one.</param>
/// <param name="Route">The path, or null: withdrawn.</param>
public readonly record struct PathChange(IpPrefix Prefix, uint PathId, SimulatedRoute? Route);

/// <summary>How an override changed.</summary>
public enum OverrideChangeKind
{
    /// <summary>The router took a route for a prefix that had none of ours, or by another link than before.</summary>
    Installed,

    /// <summary>The route was withdrawn by its sender.</summary>
    Withdrawn,

    /// <summary>The route went because the session ended.</summary>
    SessionLost,

    /// <summary>The route cannot be used: its next hop is on no link that is up, or the AS_PATH holds the router's own AS.</summary>
    Ignored,
}

/// <summary>An override came, changed or went, as the router sees it.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Prefix">The prefix.</param>
/// <param name="NativeLink">Index of the link that plain BGP uses for the prefix, or -1.</param>
/// <param name="OverrideLink">Index of the link of the override's next hop, or -1.</param>
public readonly record struct OverrideChange(OverrideChangeKind Kind, IpPrefix Prefix, int NativeLink, int OverrideLink);

/// <summary>Where a packet goes.</summary>
/// <param name="Link">Index of the link it leaves by, or -1: no route.</param>
/// <param name="NativeLink">Index of the link it would leave by without overrides, or -1.</param>
/// <param name="Blackholed">The link's provider has no route for the destination: what leaves there is lost.</param>
public readonly record struct ForwardingDecision(int Link, int NativeLink, bool Blackholed);

/// <summary>Told of every change of paths, in order, under the router's lock: implementations only note it and return.</summary>
public interface IPathObserver
{
    /// <summary>A path came, changed or went.</summary>
    void PathChanged(in PathChange change);

    /// <summary>Another path is best for the prefix, or none.</summary>
    void BestChanged(IpPrefix prefix);
}
