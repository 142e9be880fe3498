using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <content>What may be asked of hidden sources too.</content>
public sealed partial class RibTable
{
    /// <summary>Numbers of sources given so far, those free to be given again included.</summary>
    internal int SourceCount => _sources.Count;

    /// <summary>The highest LOCAL_PREF among all paths of a prefix, those of hidden sources included; paths without one count as <paramref name="none"/>.</summary>
    internal uint HighestLocalPref(IpPrefix prefix, uint none)
    {
        uint highest = 0;
        if (_prefixes.TryGetId(prefix, out uint id))
        {
            for (uint at = HasPath(id) ? id : 0; at != 0; at = Node(at).Next)
            {
                highest = Math.Max(highest, View(Node(at).Set).LocalPref ?? none);
            }
        }

        return highest;
    }

    /// <summary>The next hop of a source's path of a prefix, hidden or not; default if it has none.</summary>
    internal IpAddr NextHopOf(IpPrefix prefix, int source)
    {
        if (_prefixes.TryGetId(prefix, out uint id))
        {
            for (uint at = HasPath(id) ? id : 0; at != 0; at = Node(at).Next)
            {
                if (Node(at).Source == source)
                {
                    return View(Node(at).Set).NextHop.Address;
                }
            }
        }

        return default;
    }

    /// <summary>The paths of one source, hidden or not.</summary>
    internal List<RibPath> PathsOf(IpPrefix prefix, int source)
    {
        var paths = new List<RibPath>();
        if (_prefixes.TryGetId(prefix, out uint id))
        {
            for (uint at = HasPath(id) ? id : 0; at != 0; at = Node(at).Next)
            {
                if (Node(at).Source == source)
                {
                    paths.Add(new RibPath(source, PathId(at), AttributeBlock.ToAttributes(_attributes.Block(Node(at).Set))));
                }
            }
        }

        return paths;
    }
}
