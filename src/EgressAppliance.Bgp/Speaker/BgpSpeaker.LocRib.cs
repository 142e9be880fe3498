using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>
/// What the routers themselves have chosen, where they show their Loc-RIB by BMP (RFC 9069): kept beside the table of paths, of the default instance, to be compared with what
/// their routes say.
/// </content>
public sealed partial class BgpSpeaker
{
    /// <summary>Attribute sets let go under one hold of the lock when a Loc-RIB ends.</summary>
    private const int ReleaseStep = 4096;
    private readonly Dictionary<int, LocRib> _locRibs = [];

    /// <inheritdoc/>
    public IReadOnlyList<RibPath> GetLocRib(IpPrefix prefix)
    {
        lock (_gate)
        {
            if (_locRibs.Count == 0)
            {
                return [];
            }

            var chosen = new List<RibPath>(_locRibs.Count);
            for (int peer = 0; peer < _monitored.Length; peer++)
            {
                if (_monitored[peer].LocRib is { } locRib && locRib.Find(prefix) is { } attributes)
                {
                    chosen.Add(new RibPath(peer, 0, attributes) { Monitored = locRib.Shown });
                }
            }

            return chosen;
        }
    }

    private void LocRibUp(int peer, BmpSource shown)
    {
        lock (_gate)
        {
            if (shown.Peer.Id.Distinguisher == 0 && _monitored[peer].LocRib is null)
            {
                var load = new TableLoad(_time, _options.QuietTime);
                load.Start(null);
                _monitored[peer].LocRib = new LocRib(_rib, shown, peer, load);
                _locRibs.Add(shown.Handle, _monitored[peer].LocRib!);
            }
        }
    }

    /// <summary>Under the lock.</summary>
    private void LocRibRoutes(BmpSource shown, UpdateMessage update)
    {
        if (_locRibs.TryGetValue(shown.Handle, out LocRib? locRib))
        {
            locRib.Apply(update);
        }
    }

    /// <summary>Ends it at once for every answer, and lets go of what it held a part at a time. Not under the lock.</summary>
    private void LocRibDown(BmpSource shown)
    {
        LocRib? locRib;
        lock (_gate)
        {
            if (!_locRibs.Remove(shown.Handle, out locRib))
            {
                return;
            }

            _monitored[locRib.Peer].LocRib = null;
        }

        for (bool more = true; more;)
        {
            _queue.GiveWay();
            lock (_gate)
            {
                more = locRib.Release(ReleaseStep);
            }
        }
    }

    private MonitoredTableStatus? LocRibOf(int peer) => _monitored[peer].LocRib is { } locRib
        ? new(locRib.Shown, locRib.RoutesIPv4, locRib.RoutesIPv6, locRib.Load.IsComplete()) { SeveralPaths = locRib.SeveralPaths }
        : null;
}
