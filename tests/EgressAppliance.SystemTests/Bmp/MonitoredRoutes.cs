using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.SystemTests.Bmp;

/// <summary>Holds the routes that a station is told of, as text to compare with what the providers announce.</summary>
internal sealed class MonitoredRoutes : IBmpListener
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, (BmpSource Source, Dictionary<Nlri, string> Routes)> _sources = [];

    /// <summary>Times a connection came up.</summary>
    public int Connections { get; private set; }

    /// <summary>Routes held.</summary>
    public int Routes
    {
        get
        {
            lock (_gate)
            {
                return _sources.Values.Sum(s => s.Routes.Count);
            }
        }
    }

    /// <summary>The routes of one table of the peer with an address: <c>prefix via next hop as-path</c>, in order.</summary>
    public IReadOnlyList<string> Of(string peer, BmpTable table)
    {
        lock (_gate)
        {
            return [.. _sources.Values
                .Where(s => s.Source.Table == table && s.Source.Peer.Id.Address.ToString() == peer)
                .SelectMany(s => s.Routes.Select(r => $"{r.Key.Prefix} via {r.Value}"))
                .Order(StringComparer.Ordinal)];
        }
    }

    /// <inheritdoc/>
    public void ConnectionUp(BmpRouterOptions router)
    {
        lock (_gate)
        {
            Connections++;
        }
    }

    /// <inheritdoc/>
    public void PeerUp(BmpPeer peer)
    {
    }

    /// <inheritdoc/>
    public void SourceUp(BmpSource source)
    {
        lock (_gate)
        {
            _sources.Add(source.Handle, (source, []));
        }
    }

    /// <inheritdoc/>
    void IBmpListener.Routes(BmpSource source, UpdateMessage update)
    {
        lock (_gate)
        {
            Dictionary<Nlri, string> routes = _sources[source.Handle].Routes;
            foreach (Nlri nlri in update.Withdrawn.Concat(update.MpUnreach))
            {
                routes.Remove(nlri);
            }

            PathAttributes? attributes = update.Attributes;
            foreach ((List<Nlri> list, NextHop nextHop) in new[] { (update.Announced, attributes?.NextHop ?? default), (update.MpReach, update.MpNextHop) })
            {
                foreach (Nlri nlri in list)
                {
                    if (update.Action == ErrorAction.TreatAsWithdraw)
                    {
                        routes.Remove(nlri);
                    }
                    else
                    {
                        routes[nlri] = $"{nextHop.Address} {attributes!.AsPath}";
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public long Held(BmpSource source)
    {
        lock (_gate)
        {
            return _sources[source.Handle].Routes.Count;
        }
    }

    /// <inheritdoc/>
    public void EndOfRib(BmpSource source, IpFamily family)
    {
    }

    /// <inheritdoc/>
    public void SourceDown(BmpSource source, string reason)
    {
        lock (_gate)
        {
            _sources.Remove(source.Handle);
        }
    }

    /// <inheritdoc/>
    public void PeerDown(BmpPeer peer, string reason)
    {
    }

    /// <inheritdoc/>
    public void ConnectionDown(BmpRouterOptions router, string reason)
    {
    }
}
