using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>
/// Paths that BMP shows (RFC 7854). A router that offers no ADD-PATH sends its best paths only; its Adj-RIBs-In, one a provider, are all of them. Each is a source of its own in the
/// table of paths, and belongs to the peer with the router's name.
///
/// Which paths of a router count: none while its session is down, since no override would reach it; the session's if it has ADD-PATH; else those of BMP as soon
/// as it shows a route; else the session's best paths. The others stay in the table, hidden. Adj-RIB-Out, tables of other instances than the
/// default one and of the session with ourselves are not taken; the Loc-RIB is kept beside, to be compared with (BgpSpeaker.LocRib.cs).
///
/// Routes before policy have no LOCAL_PREF, and their order is not the router's. What the router prefers shows in its session as long as no override of ours is in force, and is kept
/// with the override from then on; and an override exceeds every LOCAL_PREF that the session has shown. Where the session prefers a way that BMP does not show, its path alone counts.
///
/// The station calls with its lock of the router held; ours is taken inside, never the other way round. A table that goes is taken out before the call
/// returns, a part at a time, and its overrides with it, at once.
/// </content>
public sealed partial class BgpSpeaker
{
    private readonly MonitoredRouter[] _monitored;
    private readonly Dictionary<int, MonitoredSource> _byHandle = [];
    private readonly Dictionary<int, MonitoredSource> _bySource = [];

    /// <summary>Takes what a <see cref="BmpStation"/> tells of the routers that are peers by name; of others nothing is kept.</summary>
    public IBmpListener Monitor { get; }

    private sealed class Monitoring(BgpSpeaker speaker) : IBmpListener
    {
        public void ConnectionUp(BmpRouterOptions router) => speaker.MonitoringChanged(router);

        public void PeerUp(BmpPeer peer) => speaker.MonitoredPeerUp(peer);

        public void SourceUp(BmpSource source) => speaker.MonitoredSourceUp(source);

        public void Routes(BmpSource source, UpdateMessage update) => speaker.MonitoredRoutes(source, update);

        public long Held(BmpSource source) => speaker.MonitoredHeld(source);

        public void EndOfRib(BmpSource source, IpFamily family) => speaker.MonitoredEndOfRib(source, family);

        public void SourceDown(BmpSource source, string reason) => speaker.MonitoredSourceDown(source, reason);

        public void PeerDown(BmpPeer peer, string reason) => speaker.MonitoredPeerDown(peer);

        public void ConnectionDown(BmpRouterOptions router, string reason) => speaker.MonitoringChanged(router);
    }

    private void MonitoringChanged(BmpRouterOptions router)
    {
        int index = IndexOf(router.Name);
        if (index >= 0)
        {
            lock (_gate)
            {
                _monitored[index].Reset();
                ChoosePaths(index);
            }
        }
    }

    private void MonitoredPeerUp(BmpPeer peer)
    {
        int index = IndexOf(peer.Router.Name);
        if (index >= 0 && IsProvider(index, peer))
        {
            lock (_gate)
            {
                _monitored[index].PeerUp(peer.Id, _time.GetTimestamp());
            }
        }
    }

    private void MonitoredPeerDown(BmpPeer peer)
    {
        int index = IndexOf(peer.Router.Name);
        if (index >= 0)
        {
            lock (_gate)
            {
                _monitored[index].PeerDown(peer.Id);
            }
        }
    }

    private void MonitoredSourceUp(BmpSource shown)
    {
        int index = IndexOf(shown.Peer.Router.Name);
        if (index >= 0 && shown.Table == BmpTable.LocRib)
        {
            LocRibUp(index, shown);
            return;
        }

        if (index < 0 || shown.Table is not (BmpTable.AdjRibInPrePolicy or BmpTable.AdjRibInPostPolicy) || !IsProvider(index, shown.Peer))
        {
            return;
        }

        lock (_gate)
        {
            int number = _rib.AddSource();
            var load = new TableLoad(_time, _options.QuietTime);
            load.Start(null);
            var intake = new RouteIntake(_rib, number, _gate, _queue, (slice, tooLong, added) =>
            {
                if (added > 0)
                {
                    load.Grew(added, Routes(number));
                }

                LookAfterOverrides(slice, tooLong);
            });
            var source = new MonitoredSource(shown, index, number, intake, load);
            _byHandle.Add(shown.Handle, source);
            _bySource.Add(number, source);
            _monitored[index].Add(source, _time.GetTimestamp());
            ChoosePaths(index);
        }
    }

    /// <summary>The session is one of the default instance with another router than us.</summary>
    private bool IsProvider(int index, BmpPeer peer) =>
        peer.Id is { Type: BmpPeerType.GlobalInstance, Distinguisher: 0 } && peer.BgpId != _options.RouterId && !_options.OwnAddresses.Contains(peer.Id.Address)
        && (_options.Peers[index].LocalAddress is not { } ours || IpAddr.From(ours) != peer.Id.Address);

    private void MonitoredRoutes(BmpSource shown, UpdateMessage update)
    {
        MonitoredSource? source;
        bool now;
        _queue.Come();
        lock (_gate)
        {
            _queue.Served();
            if (!_byHandle.TryGetValue(shown.Handle, out source))
            {
                LocRibRoutes(shown, update);
                return;
            }

            now = Gather(source.Peer, source.Intake, _options.Peers[source.Peer].Families, update);
            now |= source.Load.IsComplete() || source.Intake.Count >= RouteIntake.Full;
            if (update.Announced.Count > 0 || update.MpReach.Count > 0)
            {
                NoteMonitoredRoutes(source, update);
            }
        }

        if (now)
        {
            source.Intake.Flush();
        }
        else
        {
            FlushSoon();
        }

        RaiseLost();
    }

    private long MonitoredHeld(BmpSource shown)
    {
        lock (_gate)
        {
            return _byHandle.TryGetValue(shown.Handle, out MonitoredSource? source) ? Routes(source.Source) + source.Intake.Pending
                : _locRibs.TryGetValue(shown.Handle, out LocRib? locRib) ? locRib.RoutesIPv4 + locRib.RoutesIPv6
                : 0;
        }
    }

    private void NoteMonitoredRoutes(MonitoredSource source, UpdateMessage update)
    {
        if (update.Announced.Count > 0)
        {
            source.Load.Saw(IpFamily.IPv4);
        }

        if (update.MpReachFamily?.Family is { } family)
        {
            source.Load.Saw(family);
        }

        MonitoredRouter router = _monitored[source.Peer];
        if (router.NoteRoutes(source.Shown.Table))
        {
            ChoosePaths(source.Peer);
            SpeakerLog.Monitored(_logger, _options.Peers[source.Peer].Name, BmpNames.Of(router.Table));
            LoseFrom(
                s => _bySource.TryGetValue(s, out MonitoredSource? hidden) && hidden.Peer == source.Peer && hidden.Shown.Table != router.Table,
                $"{_options.Peers[source.Peer].Name} shows its routes after policy now, and the path was one before policy");
        }
    }

    private void MonitoredEndOfRib(BmpSource shown, IpFamily family)
    {
        MonitoredSource? source;
        lock (_gate)
        {
            _byHandle.TryGetValue(shown.Handle, out source);
            if (_locRibs.TryGetValue(shown.Handle, out LocRib? locRib))
            {
                locRib.Load.EndOfRib(family);
            }
        }

        if (source is null)
        {
            return;
        }

        source.Intake.Flush();
        lock (_gate)
        {
            source.Load.EndOfRib(family);
        }

        RaiseLost();
    }

    private void MonitoredSourceDown(BmpSource shown, string reason)
    {
        MonitoredSource? source;
        lock (_gate)
        {
            _byHandle.Remove(shown.Handle, out source);
        }

        if (source is null)
        {
            LocRibDown(shown);
            return;
        }

        // A flush that is under way ends first; nothing can come into the intake any more, the station's lock is held.
        source.Intake.Clear();
        lock (_gate)
        {
            _rib.Hide(source.Source, true);
            _monitored[source.Peer].Remove(source);
            source.Load.Stop();
            LoseFrom(s => s == source.Source, $"the path came from {NameOf(source.Source)}, which is gone: {reason}");
        }

        Purge(source.Source);
        lock (_gate)
        {
            _bySource.Remove(source.Source);
            _rib.RemoveSource(source.Source);
        }

        RaiseLost();
    }

    private void FlushMonitored()
    {
        MonitoredSource[] sources;
        lock (_gate)
        {
            sources = [.. _byHandle.Values];
        }

        foreach (MonitoredSource source in sources)
        {
            try
            {
                if (source.Intake.Count > 0)
                {
                    source.Intake.Flush();
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Called by a timer, which has nobody to throw to. What could not be held is missing from every answer.
                SpeakerLog.MonitoringFault(_logger, e);
            }
        }
    }

    /// <summary>Shows the paths of a router that count, and hides the others. Under the lock.</summary>
    private void ChoosePaths(int peer)
    {
        bool monitored = CountsMonitored(peer);
        MonitoredRouter router = _monitored[peer];
        _rib.Hide(peer, monitored || _peers[peer].Parameters is null);
        foreach (MonitoredSource source in router.Sources)
        {
            _rib.Hide(source.Source, !monitored || source.Shown.Table != router.Table);
        }
    }

    private bool CountsMonitored(int peer) => _peers[peer].Parameters is { AddPath: false } && _monitored[peer].Serves;

    /// <summary>The router that a source of paths belongs to.</summary>
    private int OwnerOf(int source) => _bySource.TryGetValue(source, out MonitoredSource? monitored) ? monitored.Peer : source;

    private string NameOf(int source) => _bySource.TryGetValue(source, out MonitoredSource? monitored)
        ? $"{monitored.Shown.Peer.Id} as {_options.Peers[monitored.Peer].Name} shows it by BMP"
        : _options.Peers[source].Name;

    private bool HasAllPaths(int source) => _bySource.TryGetValue(source, out MonitoredSource? monitored)
        ? monitored.Load.IsComplete() && _peers[monitored.Peer].Load.IsSettled()
        : _peers[source].Parameters is { AddPath: true };

    /// <summary>The session's table is looked at in any case: what LOCAL_PREF overrides must exceed shows there.</summary>
    private bool IsTableComplete(int peer) => CountsMonitored(peer)
        ? _peers[peer].Load.IsSettled() && _monitored[peer].IsComplete(_time, _options.QuietTime)
        : _peers[peer].Load.IsComplete();

    private uint LeastLocalPref(int source) => _bySource.TryGetValue(source, out MonitoredSource? monitored) ? _peers[monitored.Peer].HighestLocalPref : 0;

    private void NoteLocalPref(int peer, AttributeView attributes)
    {
        PeerTable table = _peers[peer];
        if (table.Parameters is { AddPath: false } && attributes.LocalPref > table.HighestLocalPref)
        {
            table.HighestLocalPref = attributes.LocalPref.Value;
        }
    }

    /// <summary>The next hop that a router prefers by what its session shows, for paths learned by BMP; default if it shows none.</summary>
    private IpAddr NativeNextHop(IpPrefix prefix, int source) =>
        _bySource.TryGetValue(source, out MonitoredSource? monitored) ? _rib.NextHopOf(prefix, monitored.Peer) : default;

    /// <summary>
    /// The router prefers a way that BMP does not show: a provider whose table is missing (FRR without <c>soft-reconfiguration inbound</c>), or a moment between the two connections. Where the
    /// prefix would go without us is known only by the session then, and nothing may be moved. A next hop of no link says nothing: the router may put its own there.
    /// </summary>
    private bool PrefersUnshown(IpPrefix prefix, int peer, List<RibPath> shown)
    {
        IpAddr preferred = CountsMonitored(peer) ? _rib.NextHopOf(prefix, peer) : default;
        return !preferred.IsDefault && _options.AllowedNextHops.Contains(preferred)
            && !shown.Exists(p => p.NextHop.Address == preferred && OwnerOf(p.Peer) == peer);
    }

    private bool PrefersUnshown(IpPrefix prefix, RibPath path)
    {
        if (!_bySource.TryGetValue(path.Peer, out MonitoredSource? monitored))
        {
            return false;
        }

        var shown = new List<RibPath>();
        _rib.CopyPaths(prefix, shown);
        return PrefersUnshown(prefix, monitored.Peer, shown);
    }

    /// <summary>The router's session has the family: BMP may show one that it has not, and no override would get there.</summary>
    private bool IsNegotiated(IpFamily family, RibPath path) => _peers[OwnerOf(path.Peer)].Parameters is { } parameters && parameters.Families.Contains(family);

    /// <summary>Orders paths of which BMP shows some: the one that the router itself prefers stands in front, and each path names its router.</summary>
    private void OrderAsRouters(IpPrefix prefix, List<RibPath> paths)
    {
        for (int peer = 0; peer < _peers.Length; peer++)
        {
            if (PrefersUnshown(prefix, peer, paths))
            {
                paths.RemoveAll(p => OwnerOf(p.Peer) == peer);
                paths.AddRange(_rib.PathsOf(prefix, peer));
            }
        }

        BestPath.Order(paths);
        if (paths.Count > 1 && _bySource.TryGetValue(paths[0].Peer, out MonitoredSource? first))
        {
            IpAddr native = NativeNextHop(prefix, first.Source);
            if (native.IsDefault && _overrides.TryGet(prefix, out OverrideTable.Entry entry))
            {
                native = entry.Native;
            }

            int at = native.IsDefault ? -1 : paths.FindIndex(p => p.NextHop.Address == native && OwnerOf(p.Peer) == first.Peer);
            if (at > 0)
            {
                RibPath preferred = paths[at];
                paths.RemoveAt(at);
                paths.Insert(0, preferred);
            }
        }

        for (int i = 0; i < paths.Count; i++)
        {
            paths[i] = Shown(paths[i]);
        }
    }

    /// <summary>A path as answers give it: with its router's index.</summary>
    private RibPath Shown(RibPath path) => _bySource.TryGetValue(path.Peer, out MonitoredSource? monitored)
        ? path with { Peer = monitored.Peer, Monitored = monitored.Shown }
        : path;

    private PeerMonitoring? MonitoringOf(int peer)
    {
        MonitoredRouter router = _monitored[peer];
        if (router.Sources.Count == 0 && !router.Serves)
        {
            return null;
        }

        var tables = new List<MonitoredTableStatus>(router.Sources.Count);
        foreach (MonitoredSource source in router.Sources)
        {
            tables.Add(new(
                source.Shown, _rib.PathCount(source.Source, IpFamily.IPv4), _rib.PathCount(source.Source, IpFamily.IPv6), source.Load.IsComplete()));
        }

        return new(CountsMonitored(peer), router.Trusted, router.Table, tables);
    }
}
