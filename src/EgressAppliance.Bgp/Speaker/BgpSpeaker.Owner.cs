using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>What sessions tell the speaker.</content>
public sealed partial class BgpSpeaker
{
    /// <summary>Prefixes removed under one hold of the lock when a session ends.</summary>
    private const int PurgeStep = 4096;

    private readonly HashSet<IpPrefix> _touched = [];

    private sealed class Owner(BgpSpeaker speaker) : IPeerOwner
    {
        public bool Frozen => speaker.CheckFrozen();

        public void OnUp(int peer, SessionParameters parameters, BgpConnection connection) => speaker.PeerUp(peer, parameters, connection);

        public void OnDown(int peer, string reason) => speaker.PeerDown(peer, reason);

        public BgpError? OnUpdate(int peer, SessionParameters parameters, UpdateMessage update) => speaker.Apply(peer, parameters, update);

        public void OnRefresh(int peer, AfiSafi family) => speaker.Refresh(peer, family);

        public void OnDrained(int peer, BgpConnection connection) => speaker.Drained(peer, connection);

        public void AfterStep() => speaker.RaiseLost();
    }

    private bool CheckFrozen()
    {
        bool frozen = IsFrozen;
        if (frozen && !_frozenTold)
        {
            _frozenTold = true;
            SpeakerLog.Frozen(_logger, _options.HeartbeatTimeout.TotalSeconds);
        }

        return frozen;
    }

    private void PeerUp(int peer, SessionParameters parameters, BgpConnection connection)
    {
        lock (_gate)
        {
            _rib.Hide(peer, false);
            _peers[peer].Up(parameters, connection);
            Resend(peer, null);
        }

        if (!parameters.AddPath)
        {
            SpeakerLog.BestPathOnly(_logger, _options.Peers[peer].Name);
        }
    }

    private void PeerDown(int peer, string reason)
    {
        List<IpPrefix> prefixes;
        lock (_gate)
        {
            // From here on its paths are no answer to any question; taking them out of the table may take longer than one may hold the lock.
            _peers[peer].Down();
            _rib.Hide(peer, true);
            _batch.Clear();
            List<IpPrefix> orphaned = [];
            foreach (OverrideTable.Entry entry in _overrides.Entries)
            {
                if (entry.Override.Path.Peer == peer)
                {
                    orphaned.Add(entry.Override.Prefix);
                }
            }

            foreach (IpPrefix prefix in orphaned)
            {
                Lose(prefix, $"the session with {_options.Peers[peer].Name}, which the path was learned from, went down: {reason}");
            }

            SendBatch();
            prefixes = _rib.PrefixesOf(peer);
        }

        for (int start = 0; start < prefixes.Count; start += PurgeStep)
        {
            lock (_gate)
            {
                for (int i = start; i < Math.Min(start + PurgeStep, prefixes.Count); i++)
                {
                    _rib.WithdrawPeer(peer, prefixes[i]);
                }
            }
        }
    }

    private void Refresh(int peer, AfiSafi family)
    {
        if (family.Family is { } known)
        {
            lock (_gate)
            {
                Resend(peer, known);
            }
        }
    }

    private BgpError? Apply(int peer, SessionParameters parameters, UpdateMessage update)
    {
        if (update.Action != ErrorAction.None)
        {
            CountError(peer, update);
        }

        lock (_gate)
        {
            PeerTable table = _peers[peer];
            _touched.Clear();
            Withdraw(peer, parameters, update.Withdrawn, IpFamily.IPv4);
            if (update.MpUnreachFamily?.Family is { } unreach)
            {
                Withdraw(peer, parameters, update.MpUnreach, unreach);
            }

            int added = 0;
            bool withdraw = update.Action == ErrorAction.TreatAsWithdraw;
            if (update.Announced.Count > 0)
            {
                added += Learn(peer, parameters, update.Announced, IpFamily.IPv4, withdraw ? null : update.Attributes);
            }

            if (update.MpReachFamily?.Family is { } reach)
            {
                added += Learn(peer, parameters, update.MpReach, reach, withdraw ? null : update.Attributes?.WithNextHop(update.MpNextHop));
            }

            int total = _rib.PathCount(peer, IpFamily.IPv4) + _rib.PathCount(peer, IpFamily.IPv6);
            if (added > 0)
            {
                table.Grew(added, total);
            }

            if (update.EndOfRib?.Family is { } ended)
            {
                table.EndOfRib(ended);
            }

            CheckOverrides();
            return CheckPrefixLimit(peer, total, update.MpReachFamily?.Family ?? IpFamily.IPv4);
        }
    }

    private void Withdraw(int peer, SessionParameters parameters, List<Nlri> prefixes, IpFamily family)
    {
        if (!parameters.Families.Contains(family))
        {
            return;
        }

        foreach (Nlri nlri in prefixes)
        {
            if (_rib.Withdraw(peer, nlri.Prefix, nlri.PathId))
            {
                Touch(nlri.Prefix);
            }
        }
    }

    /// <summary>Takes announced prefixes in; with no attributes, or ones that make the route no input for us, what was there under the same path identifier goes.</summary>
    private int Learn(int peer, SessionParameters parameters, List<Nlri> prefixes, IpFamily family, PathAttributes? attributes)
    {
        if (attributes is null || !IsInput(peer, attributes))
        {
            Withdraw(peer, parameters, prefixes, family);
            return 0;
        }

        if (!parameters.Families.Contains(family))
        {
            return 0;
        }

        int added = 0;
        PathAttributes held = _rib.Hold(attributes);
        foreach (Nlri nlri in prefixes)
        {
            RibChange change = _rib.Announce(peer, nlri.Prefix, nlri.PathId, held);
            added += change == RibChange.Added ? 1 : 0;
            if (change != RibChange.None)
            {
                Touch(nlri.Prefix);
            }
        }

        _rib.Release(held);
        return added;
    }

    /// <summary>Our own routes coming back by any way, and loops (RFC 4271 section 9.1.2, RFC 4456 section 8), are never inputs.</summary>
    private bool IsInput(int peer, PathAttributes attributes)
    {
        bool ours = attributes.HasCommunity(_options.MarkerCommunity) || attributes.OriginatorId == _options.RouterId
            || attributes.AsPath.Contains(_options.Peers[peer].LocalAs);
        _peers[peer].RoutesIgnored += ours ? 1 : 0;
        return !ours;
    }

    private void Touch(IpPrefix prefix)
    {
        if (_overrides.Count > 0 && _overrides.Contains(prefix))
        {
            _touched.Add(prefix);
        }
    }

    private void CheckOverrides()
    {
        if (_touched.Count == 0)
        {
            return;
        }

        _batch.Clear();
        foreach (IpPrefix prefix in _touched)
        {
            if (!_overrides.Revalidate(_rib, prefix, out bool changed, out OverrideTable.Entry entry))
            {
                IpAddr nextHop = entry.Override.Path.NextHop.Address;
                Lose(prefix, $"the path by {nextHop} was withdrawn by {_options.Peers[entry.Override.Path.Peer].Name}");
            }
            else if (changed)
            {
                _batch.Announce(prefix, entry.Announced);
            }
        }

        SendBatch();
    }

    private void CountError(int peer, UpdateMessage update)
    {
        long count = ++_peers[peer].UpdateErrors;
        // Each power of two: a router that sends one bad attribute sends it with every route.
        if ((count & (count - 1)) == 0)
        {
            SpeakerLog.UpdateError(_logger, _options.Peers[peer].Name, update.Action.ToString(), update.Errors[0].Text, count);
        }
    }

    private void RaiseLost()
    {
        while (_lost.TryDequeue(out (IpPrefix Prefix, string Reason) lost))
        {
            SpeakerLog.OverrideLost(_logger, lost.Prefix, lost.Reason);
            OverrideLost?.Invoke(lost.Prefix, lost.Reason);
        }
    }
}
