using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>What the decision process looks at in one path, taken out of its attributes once.</summary>
internal readonly struct PathRank
{
    /// <summary>The rank of a path given as an object.</summary>
    public PathRank(in RibPath path)
    {
        PathAttributes attributes = path.Attributes;
        LocalPref = attributes.LocalPref ?? BgpConstants.DefaultLocalPref;
        AsPathLength = attributes.AsPath.Length;
        Origin = attributes.Origin;
        Med = attributes.Med ?? 0;
        NeighborAs = attributes.AsPath.NeighborAs;
        Reflected = attributes.OriginatorId is not null;
        ClusterListLength = attributes.ClusterList.Length;
        OriginatorId = attributes.OriginatorId ?? 0;
        NextHop = attributes.NextHop.Address;
        Peer = path.Peer;
        PathId = path.PathId;
    }

    /// <summary>The rank of a path given as a block.</summary>
    public PathRank(AttributeView attributes, int peer, uint pathId)
    {
        LocalPref = attributes.LocalPref ?? BgpConstants.DefaultLocalPref;
        AsPathLength = attributes.AsPathLength;
        Origin = attributes.Origin;
        Med = attributes.Med ?? 0;
        NeighborAs = AsPathWire.NeighborAs(attributes.AsPath);
        Reflected = attributes.OriginatorId is not null;
        ClusterListLength = attributes.List(BlockLists.ClusterList).Length / 4;
        OriginatorId = attributes.OriginatorId ?? 0;
        NextHop = attributes.NextHop.Address;
        Peer = peer;
        PathId = pathId;
    }

    public uint LocalPref { get; }

    public int AsPathLength { get; }

    public Origin Origin { get; }

    public uint Med { get; }

    public uint NeighborAs { get; }

    public bool Reflected { get; }

    public int ClusterListLength { get; }

    public uint OriginatorId { get; }

    public IpAddr NextHop { get; }

    public int Peer { get; }

    public uint PathId { get; }

    /// <summary>
    /// Compares by the steps before MED, LOCAL_PREF, AS_PATH length and ORIGIN, in which each path stands for itself: below 0 if the first is preferred, 0 if
    /// they are equal so far.
    /// </summary>
    public static int CompareBeforeMed(AttributeView a, AttributeView b)
    {
        int c = (b.LocalPref ?? BgpConstants.DefaultLocalPref).CompareTo(a.LocalPref ?? BgpConstants.DefaultLocalPref);
        c = c != 0 ? c : a.AsPathLength.CompareTo(b.AsPathLength);
        return c != 0 ? c : ((int)a.Origin).CompareTo((int)b.Origin);
    }
}
