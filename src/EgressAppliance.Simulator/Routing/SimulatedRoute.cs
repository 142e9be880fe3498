using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.Routing;

/// <summary>One path of a prefix in the simulated router, with everything that best-path selection looks at (RFC 4271 section 9.1).</summary>
public sealed record SimulatedRoute
{
    /// <summary>LOCAL_PREF of a route whose sender gave none, and of every route the router itself imports.</summary>
    public const uint DefaultLocalPref = 100;

    /// <summary>The next hop.</summary>
    public required IpAddr NextHop { get; init; }

    /// <summary>The AS numbers of AS_PATH, nearest first, members of sets included.</summary>
    public required IReadOnlyList<uint> AsPath { get; init; }

    /// <summary>AS_PATH length as it counts for selection: a set counts as one (RFC 4271 section 9.1.2.2 a). Null: the number of entries.</summary>
    public int? AsPathLength { get; init; }

    /// <summary>ORIGIN.</summary>
    public Origin Origin { get; init; } = Origin.Igp;

    /// <summary>MULTI_EXIT_DISC; absent counts as 0, the lowest (RFC 4271 section 9.1.2.2 c).</summary>
    public uint? Med { get; init; }

    /// <summary>LOCAL_PREF.</summary>
    public uint LocalPref { get; init; } = DefaultLocalPref;

    /// <summary>Learned from another AS (eBGP) rather than our own (iBGP).</summary>
    public bool IsExternal { get; init; } = true;

    /// <summary>BGP identifier of the peer it was learned from.</summary>
    public uint RouterId { get; init; }

    /// <summary>Address of the peer it was learned from: the last tie-break.</summary>
    public IpAddr PeerAddress { get; init; }

    /// <summary>RFC 1997 communities.</summary>
    public IReadOnlyList<uint> Communities { get; init; } = [];

    /// <summary>The neighbouring AS, among whose routes alone MED is compared; 0 for an empty AS_PATH.</summary>
    public uint NeighborAs => AsPath.Count > 0 ? AsPath[0] : 0;

    /// <summary>The length used by selection.</summary>
    public int SelectionLength => AsPathLength ?? AsPath.Count;
}
