using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>What sessions tell the speaker.</content>
public sealed partial class BgpSpeaker
{
    /// <summary>Prefixes removed under one hold of the lock when a session ends.</summary>
    private const int PurgeStep = 1024;

    /// <summary>Routes whose loss is worth a word to the garbage collector.</summary>
    private const int LargeTable = 100_000;

    /// <summary>How long changes of a table that is being loaded may wait for more.</summary>
    private static readonly TimeSpan LoadingDelay = TimeSpan.FromMilliseconds(100);

    private readonly HashSet<IpPrefix> _touched = [];

    private sealed class Owner(BgpSpeaker speaker) : IPeerOwner
    {
        public bool Frozen => speaker.CheckFrozen();

        public bool Overdue => speaker.Overdue;

        public void OnUp(int peer, SessionParameters parameters, BgpConnection connection) => speaker.PeerUp(peer, parameters, connection);

        public void OnDown(int peer, string reason) => speaker.PeerDown(peer, reason);

        public BgpError? OnUpdate(int peer, SessionParameters parameters, UpdateMessage update) => speaker.Apply(peer, parameters, update);

        public void OnIdle(int peer) => speaker.Idle(peer);

        public void OnRefresh(int peer, AfiSafi family) => speaker.Refresh(peer, family);

        public void OnDrained(int peer, BgpConnection connection) => speaker.Drained(peer, connection);

        public void AfterStep() => speaker.RaiseLost();
    }

    /// <summary>The count is read without the lock: a session's comes before ours.</summary>
    private bool Overdue => _overrides.Count > 0 && !MayAnnounce;

    private bool CheckFrozen()
    {
        bool frozen = IsFrozen;
        if (frozen && !_frozenTold)
        {
            _frozenTold = true;
            SpeakerLog.Frozen(_logger, _options.HeartbeatTimeout.TotalSeconds);
        }

        // What stands at the routers and may not stand there any longer is not to be kept alive.
        return frozen || Overdue;
    }

    private void PeerUp(int peer, SessionParameters parameters, BgpConnection connection)
    {
        lock (_gate)
        {
            _peers[peer].Up(parameters, connection);
            ChoosePaths(peer);
            LoseTooLargeFor(peer);
            if (!MayAnnounce)
            {
                LoseFrom(_ => true, "another controller leads");
            }

            Resend(peer, null);
        }

        if (!parameters.AddPath && !_monitored[peer].Serves)
        {
            SpeakerLog.BestPathOnly(_logger, _options.Peers[peer].Name);
        }
    }

    private void PeerDown(int peer, string reason)
    {
        _intakes[peer].Clear();
        lock (_gate)
        {
            // From here on its paths are no answer to any question; taking them out of the table may take longer than one may hold the lock.
            _peers[peer].Down();
            ChoosePaths(peer);
            LoseFrom(
                source => OwnerOf(source) == peer,
                $"the session with {_options.Peers[peer].Name}, which {(_monitored[peer].Serves ? "the override goes to" : "the path was learned from")}, went down: {reason}");
        }

        Purge(peer);
    }

    /// <summary>Takes the paths of a source out of the table, a part at a time. Not under the lock.</summary>
    private void Purge(int source)
    {
        int routes = Routes(source);
        uint cursor = 0;
        for (bool more = true; more;)
        {
            _queue.GiveWay();
            lock (_gate)
            {
                more = _rib.Purge(source, ref cursor, PurgeStep);
            }
        }

        if (routes >= LargeTable)
        {
            // Arrays of tens of megabytes are left behind; by itself the collector lets those of several lost tables pile up.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }

    private void Refresh(int peer, AfiSafi family)
    {
        lock (_gate)
        {
            _peers[peer].RefreshesReceived++;
            if (family.Family is { } known)
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

        int limit = _options.Peers[peer].MaxPrefix;
        bool now = update.EndOfRib is not null;
        _queue.Come();
        lock (_gate)
        {
            _queue.Served();
            now |= Gather(peer, _intakes[peer], parameters.Families, update);
            int gathered = _intakes[peer].Count;
            now |= gathered >= RouteIntake.Full || Routes(peer) + gathered > limit;
        }

        if (!now)
        {
            return null;
        }

        ApplyGathered(peer);
        _queue.Come();
        lock (_gate)
        {
            _queue.Served();
            if (update.EndOfRib?.Family is { } ended)
            {
                _peers[peer].Load.EndOfRib(ended);
            }

            return CheckPrefixLimit(peer, Routes(peer), update.MpReachFamily?.Family ?? IpFamily.IPv4);
        }
    }

    private int Routes(int peer) => _rib.PathCount(peer, IpFamily.IPv4) + _rib.PathCount(peer, IpFamily.IPv6);

    /// <summary>
    /// Nothing more of a peer is waiting to be read. A table that is being loaded comes in bursts with pauses too short to be worth anything, so its changes
    /// may wait a moment for more; afterwards a change is made when it comes.
    /// </summary>
    private void Idle(int peer)
    {
        if (_intakes[peer].Count == 0)
        {
            return;
        }

        bool loading;
        lock (_gate)
        {
            loading = !_peers[peer].Load.IsComplete();
        }

        if (!loading)
        {
            ApplyGathered(peer);
        }
        else
        {
            FlushSoon();
        }
    }

    private void FlushSoon()
    {
        if (Interlocked.Exchange(ref _lateFlushArmed, 1) == 0)
        {
            _lateFlush.Change(LoadingDelay, Timeout.InfiniteTimeSpan);
        }
    }

    private void FlushLate()
    {
        Volatile.Write(ref _lateFlushArmed, 0);
        for (int peer = 0; peer < _intakes.Length; peer++)
        {
            try
            {
                ApplyGathered(peer);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // As on the thread that reads: a session whose routes cannot be held ends, and takes them with it. A timer has nobody to throw to.
                if (_peers[peer].Connection is { } connection)
                {
                    _sessions[peer].OnFault(connection, e);
                }
            }
        }

        FlushMonitored();
        RaiseLost();
    }

    /// <summary>Brings what was gathered of a peer into the table, and looks after the overrides of the prefixes that changed. Not under the lock.</summary>
    private void ApplyGathered(int peer)
    {
        if (_intakes[peer].Count > 0)
        {
            _intakes[peer].Flush();
        }
    }

    private void Applied(int peer, ReadOnlySpan<RouteIntake.Change> slice, IReadOnlyList<IpPrefix> tooLong, int added)
    {
        int total = Routes(peer);
        if (added > 0)
        {
            _peers[peer].Load.Grew(added, total);
        }

        // Withdrawals too: a warning ends when the table shrinks.
        WarnOfPrefixLimit(peer, total);
        LookAfterOverrides(slice, tooLong);
    }

    private void LookAfterOverrides(ReadOnlySpan<RouteIntake.Change> slice, IReadOnlyList<IpPrefix> tooLong)
    {
        if (_overrides.Count == 0)
        {
            return;
        }

        _touched.Clear();
        foreach (ref readonly RouteIntake.Change change in slice)
        {
            IpPrefix prefix = change.Prefix(tooLong);
            if (_overrides.Contains(prefix))
            {
                _touched.Add(prefix);
            }
        }

        CheckOverrides();
    }

    /// <summary>Gathers what an UPDATE says; true if it is about a prefix with an override, which cannot wait.</summary>
    private bool Gather(int peer, RouteIntake intake, IReadOnlyList<IpFamily> families, UpdateMessage update)
    {
        bool urgent = Withdraw(intake, families, update.Withdrawn, IpFamily.IPv4);
        if (update.MpUnreachFamily?.Family is { } unreach)
        {
            urgent |= Withdraw(intake, families, update.MpUnreach, unreach);
        }

        bool withdraw = update.Action == ErrorAction.TreatAsWithdraw;
        if (update.Announced.Count > 0)
        {
            urgent |= Learn(peer, intake, families, update.Announced, IpFamily.IPv4, withdraw ? default : update.Block(multiprotocol: false));
        }

        if (update.MpReachFamily?.Family is { } reach)
        {
            urgent |= Learn(peer, intake, families, update.MpReach, reach, withdraw ? default : update.Block(multiprotocol: true));
        }

        return urgent;
    }

    /// <summary>Gathers withdrawals; true if one is of a prefix with an override.</summary>
    private bool Withdraw(RouteIntake intake, IReadOnlyList<IpFamily> families, List<Nlri> prefixes, IpFamily family)
    {
        bool urgent = false;
        if (!families.Contains(family))
        {
            return urgent;
        }

        foreach (Nlri nlri in prefixes)
        {
            intake.Withdraw(nlri.Prefix, nlri.PathId);
            urgent |= HasOverride(nlri.Prefix);
        }

        return urgent;
    }

    /// <summary>
    /// Gathers announced prefixes; without attributes, or with ones that make the route no input for us, what was there under the same path identifier goes. True
    /// if one is of a prefix with an override.
    /// </summary>
    private bool Learn(int peer, RouteIntake intake, IReadOnlyList<IpFamily> families, List<Nlri> prefixes, IpFamily family, ReadOnlySpan<byte> block)
    {
        bool ignored = !block.IsEmpty && !IsInput(peer, new AttributeView(block));
        _peers[peer].RoutesIgnored += ignored ? prefixes.Count : 0;
        if (block.IsEmpty || ignored)
        {
            return Withdraw(intake, families, prefixes, family);
        }

        bool urgent = false;
        if (!families.Contains(family))
        {
            return urgent;
        }

        uint set = _rib.Hold(block);
        foreach (Nlri nlri in prefixes)
        {
            intake.Announce(nlri.Prefix, nlri.PathId, set);
            urgent |= HasOverride(nlri.Prefix);
        }

        _rib.Release(set);
        NoteLocalPref(peer, new AttributeView(block));
        return urgent;
    }

    private bool HasOverride(IpPrefix prefix) => _overrides.Count > 0 && _overrides.Contains(prefix);

    /// <summary>Our own routes coming back by any way, and loops (RFC 4271 section 9.1.2, RFC 4456 section 8), are never inputs.</summary>
    private bool IsInput(int peer, AttributeView attributes) =>
        !attributes.HasCommunity(_options.MarkerCommunity) && attributes.OriginatorId != _options.RouterId
        && !AsPathWire.Contains(attributes.AsPath, _options.Peers[peer].LocalAs);

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
                Lose(prefix, $"the path by {nextHop} was withdrawn by {NameOf(entry.Override.Path.Peer)}");
            }
            else if (changed && TooLargeFor(prefix, entry.Announced) is { } peer)
            {
                Lose(prefix, TooLargeText(peer));
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
            try
            {
                OverrideLost?.Invoke(lost.Prefix, lost.Reason);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // The override is withdrawn by now. We may be on a session's reader, whose session would end for it, on the listener's task, which would accept
                // nobody any more, or in a timer's callback, where it would end the process.
                SpeakerLog.HandlerFault(_logger, lost.Prefix, e);
            }
        }
    }
}
