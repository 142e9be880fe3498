using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>An immutable, interned set of path attributes: equal sets are one object, so that a full table holds each once.</summary>
public sealed class PathAttributes
{
    /// <summary>ORIGIN.</summary>
    public Origin Origin { get; init; }

    /// <summary>The next hop, from NEXT_HOP or MP_REACH_NLRI.</summary>
    public NextHop NextHop { get; init; }

    /// <summary>MULTI_EXIT_DISC, or null.</summary>
    public uint? Med { get; init; }

    /// <summary>LOCAL_PREF, or null.</summary>
    public uint? LocalPref { get; init; }
}
