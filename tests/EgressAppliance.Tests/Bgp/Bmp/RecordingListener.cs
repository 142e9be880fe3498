using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>Writes down every call and keeps the routes; checks what the interface promises about order and handles.</summary>
internal sealed class RecordingListener : IBmpListener
{
    private readonly Lock _gate = new();
    private readonly List<string> _events = [];
    private readonly HashSet<string> _connected = [];
    private readonly HashSet<(string, BmpPeerId)> _peers = [];
    private readonly Dictionary<int, (BmpSource Source, Dictionary<Nlri, string> Routes)> _sources = [];

    /// <summary>Set to throw at the next Routes.</summary>
    public bool Fail { get; set; }

    /// <summary>All calls so far, one line each.</summary>
    public IReadOnlyList<string> Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    /// <summary>The routes of all sources that are up: <c>router peer table prefix as-path</c>.</summary>
    public IReadOnlyList<string> Routes
    {
        get
        {
            lock (_gate)
            {
                return [.. _sources.Values.SelectMany(s => s.Routes.Select(r => $"{s.Source} {r.Key} via {r.Value}")).Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Handles in use.</summary>
    public IReadOnlyList<int> Handles
    {
        get
        {
            lock (_gate)
            {
                return [.. _sources.Keys.Order()];
            }
        }
    }

    public void ConnectionUp(BmpRouterOptions router) => Record($"{router.Name} connected", () => Assert.True(_connected.Add(router.Name)));

    public void PeerUp(BmpPeer peer) => Record($"{peer} AS {peer.As} up", () =>
    {
        Assert.Contains(peer.Router.Name, _connected);
        Assert.True(_peers.Add((peer.Router.Name, peer.Id)));
    });

    public void SourceUp(BmpSource source) => Record($"{source} seen", () =>
    {
        Assert.Contains((source.Peer.Router.Name, source.Peer.Id), _peers);
        Assert.True(_sources.TryAdd(source.Handle, (source, [])), $"handle {source.Handle} is in use");
    });

    void IBmpListener.Routes(BmpSource source, UpdateMessage update)
    {
        lock (_gate)
        {
            if (Fail)
            {
                throw new InvalidOperationException("the listener failed");
            }

            Dictionary<Nlri, string> routes = _sources[source.Handle].Routes;
            foreach (Nlri nlri in update.Withdrawn.Concat(update.MpUnreach))
            {
                routes.Remove(nlri);
                _events.Add($"{source} -{nlri}");
            }

            foreach (Nlri nlri in update.Announced.Concat(update.MpReach))
            {
                if (update.Action == ErrorAction.TreatAsWithdraw)
                {
                    routes.Remove(nlri);
                    _events.Add($"{source} -{nlri} (error)");
                    continue;
                }

                PathAttributes attributes = update.Attributes!;
                routes[nlri] = attributes.AsPath + (attributes.LocalPref is { } preference ? $" local-pref {preference}" : "");
                _events.Add($"{source} +{nlri} {routes[nlri]}");
            }
        }
    }

    public long Held(BmpSource source)
    {
        lock (_gate)
        {
            return _sources[source.Handle].Routes.Count;
        }
    }

    public void EndOfRib(BmpSource source, IpFamily family) => Record($"{source} end of {family}", () => Assert.True(_sources.ContainsKey(source.Handle)));

    public void SourceDown(BmpSource source, string reason) => Record($"{source} gone: {reason}", () => Assert.True(_sources.Remove(source.Handle)));

    public void PeerDown(BmpPeer peer, string reason) => Record($"{peer} down: {reason}", () =>
    {
        Assert.DoesNotContain(_sources.Values, s => s.Source.Peer == peer);
        Assert.True(_peers.Remove((peer.Router.Name, peer.Id)));
    });

    public void ConnectionDown(BmpRouterOptions router, string reason) => Record($"{router.Name} disconnected: {reason}", () =>
    {
        Assert.DoesNotContain(_sources.Values, s => s.Source.Peer.Router.Name == router.Name);
        Assert.True(_connected.Remove(router.Name));
    });

    private void Record(string text, Action check)
    {
        lock (_gate)
        {
            check();
            _events.Add(text);
        }
    }
}
