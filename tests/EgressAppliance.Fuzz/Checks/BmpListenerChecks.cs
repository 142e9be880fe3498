using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Checks;

/// <summary>A listener that holds the routes, hashes every call and checks what <see cref="IBmpListener"/> promises about their order.</summary>
internal sealed class BmpListenerChecks : IBmpListener
{
    private readonly Dictionary<BmpPeerId, BmpPeer> _peers = [];
    private readonly Dictionary<int, (BmpSource Source, HashSet<Nlri> Routes)> _sources = [];
    private bool _connected;
    private Digest _digest;

    /// <summary>Hash over all calls.</summary>
    public ulong Hash => _digest.Value;

    /// <summary>Peers that are up.</summary>
    public int Peers => _peers.Count;

    /// <summary>Tables that are up.</summary>
    public int Sources => _sources.Count;

    /// <summary>Routes of all of them.</summary>
    public long HeldInAll => _sources.Values.Sum(s => (long)s.Routes.Count);

    public void ConnectionUp(BmpRouterOptions router)
    {
        Check.That(!_connected, $"connected twice");
        _connected = true;
    }

    public void PeerUp(BmpPeer peer)
    {
        Check.That(_connected && _peers.TryAdd(peer.Id, peer), $"{peer} is up already, or there is no connection");
        _digest.Add(peer.ToString());
        _digest.Add(((ulong)peer.As << 32) | peer.RouterAs);
    }

    public void SourceUp(BmpSource source)
    {
        Check.That(_peers.TryGetValue(source.Peer.Id, out BmpPeer? peer) && peer == source.Peer, $"{source} of a peer that is not up");
        Check.That(_sources.TryAdd(source.Handle, (source, [])), $"handle {source.Handle} is in use");
        Check.That(_sources.Values.Count(s => s.Source.Peer.Id == source.Peer.Id && s.Source.Table == source.Table) == 1, $"{source} is up twice");
        _digest.Add(source.ToString());
    }

    public void Routes(BmpSource source, UpdateMessage update)
    {
        HashSet<Nlri> routes = Find(source);
        Check.That(update.Action <= ErrorAction.TreatAsWithdraw, $"an UPDATE that resets the session was passed on");
        foreach ((List<Nlri> list, IpFamily? family, bool announced) in new[]
        {
            (update.Withdrawn, IpFamily.IPv4, false), (update.MpUnreach, update.MpUnreachFamily?.Family, false),
            (update.Announced, IpFamily.IPv4, true), (update.MpReach, update.MpReachFamily?.Family, true),
        })
        {
            RouteChecks.Add(ref _digest, list);
            bool kept = announced && update.Action < ErrorAction.TreatAsWithdraw;
            foreach (Nlri nlri in list)
            {
                RouteChecks.Sound(nlri.Prefix, family ?? default, "route");
                _ = kept ? routes.Add(nlri) : routes.Remove(nlri);
            }

            if (kept && list.Count > 0)
            {
                Check.That(update.Attributes is not null, $"routes without attributes");
                RouteChecks.Sound(update.Attributes, external: false);
                RouteChecks.Add(ref _digest, update.Attributes);
            }
        }
    }

    public long Held(BmpSource source) => Find(source).Count;

    public void EndOfRib(BmpSource source, IpFamily family)
    {
        Find(source);
        _digest.Add((ulong)family);
    }

    public void SourceDown(BmpSource source, string reason)
    {
        Find(source);
        _sources.Remove(source.Handle);
        _digest.Add(reason);
    }

    public void PeerDown(BmpPeer peer, string reason)
    {
        Check.That(_sources.Values.All(s => s.Source.Peer != peer), $"{peer} is down and a table of it is not");
        Check.That(_peers.Remove(peer.Id), $"{peer} was not up");
        _digest.Add(reason);
    }

    public void ConnectionDown(BmpRouterOptions router, string reason)
    {
        Check.That(_connected && _peers.Count == 0 && _sources.Count == 0, $"{_peers.Count} peers and {_sources.Count} tables are left when the connection ends");
        _connected = false;
        _digest.Add(reason);
    }

    private HashSet<Nlri> Find(BmpSource source)
    {
        Check.That(_sources.TryGetValue(source.Handle, out (BmpSource Source, HashSet<Nlri> Routes) found) && found.Source == source, $"{source} is not up");
        return found.Routes;
    }
}
