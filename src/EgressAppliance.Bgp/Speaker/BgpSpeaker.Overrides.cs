using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>Overrides: made, announced, withdrawn. All under the speaker's lock. How they get to the routers: see BgpSpeaker.Output.cs.</content>
public sealed partial class BgpSpeaker
{
    /// <inheritdoc/>
    public bool TryCreateOverride(IpPrefix prefix, IpAddr nextHop, out Override? created, out OverrideRefusal refusal)
    {
        lock (_gate)
        {
            refusal = Check(prefix, nextHop, out RibPath path);
            created = refusal == OverrideRefusal.None ? new Override(prefix, Shown(path)) : null;
            return created is not null;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Announce(IReadOnlyCollection<Override> overrides)
    {
        ArgumentNullException.ThrowIfNull(overrides);
        var refused = new List<(IpPrefix, OverrideRefusal)>();
        lock (_gate)
        {
            foreach (Override wanted in overrides)
            {
                OverrideRefusal refusal = Check(wanted.Prefix, wanted.Path.NextHop.Address, out RibPath path);
                if (refusal != OverrideRefusal.None)
                {
                    refused.Add((wanted.Prefix, refusal));
                }
                else if (_overrides.Set(_rib, wanted.Prefix, path, NativeNextHop(wanted.Prefix, path.Peer), out OverrideTable.Entry entry))
                {
                    // At once and not by way of the batch: the next one's check counts what this one takes of a router's limit.
                    foreach (PeerTable peer in _peers)
                    {
                        peer.Output?.Want(wanted.Prefix, entry.Announced);
                    }
                }
            }

            FlushAll();
            SpeakerLog.Announced(_logger, overrides.Count - refused.Count, refused.Count, _overrides.Count);
        }

        return refused;
    }

    /// <inheritdoc/>
    public void Withdraw(IReadOnlyCollection<IpPrefix> prefixes)
    {
        ArgumentNullException.ThrowIfNull(prefixes);
        lock (_gate)
        {
            _batch.Clear();
            int count = 0;
            foreach (IpPrefix prefix in prefixes)
            {
                if (_overrides.Remove(prefix))
                {
                    _batch.Withdraw(prefix);
                    count++;
                }
            }

            SendBatch();
            SpeakerLog.Withdrew(_logger, count, _overrides.Count);
        }
    }

    /// <inheritdoc/>
    public int WithdrawAll()
    {
        lock (_gate)
        {
            _batch.Clear();
            List<IpPrefix> all = _overrides.Clear();
            foreach (IpPrefix prefix in all)
            {
                _batch.Withdraw(prefix);
            }

            SendBatch();
            SpeakerLog.Withdrew(_logger, all.Count, 0);
            return all.Count;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<Override> GetOverrides()
    {
        lock (_gate)
        {
            var list = new List<Override>(_overrides.Count);
            foreach (OverrideTable.Entry entry in _overrides.Entries)
            {
                list.Add(new Override(entry.Override.Prefix, Shown(entry.Override.Path)));
            }

            return list;
        }
    }

    /// <summary>The live path for an override, if the rules, our own cap and every router's limit allow it.</summary>
    private OverrideRefusal Check(IpPrefix prefix, IpAddr nextHop, out RibPath path)
    {
        OverrideRefusal refusal = _overrides.Find(_rib, HasAllPaths, prefix, nextHop, out path);
        return refusal != OverrideRefusal.None ? refusal
            : !MayAnnounce ? OverrideRefusal.NotLeading
            : _overrides.Count >= _options.MaxOverrides && !_overrides.Contains(prefix) ? OverrideRefusal.TooMany
            : PrefersUnshown(prefix, path) || !IsNegotiated(prefix.Family, path) ? OverrideRefusal.BestPathOnly
            : !EveryPeerHasRoom(prefix) ? OverrideRefusal.PeerLimit
            : TooLargeFor(prefix, _overrides.MakeAttributes(path.Attributes, default)) is not null ? OverrideRefusal.TooLarge
            : OverrideRefusal.None;
    }

    /// <summary>
    /// An override goes to all routers or to none: traffic that one of them sends by the provider's link and another does not would only seem to be moved.
    /// </summary>
    private bool EveryPeerHasRoom(IpPrefix prefix)
    {
        foreach (PeerTable peer in _peers)
        {
            if (peer.Output is { } output && !output.HasRoom(prefix))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A router none of whose messages can hold the prefix with these attributes, or null; their LOCAL_PREF does not matter.</summary>
    private string? TooLargeFor(IpPrefix prefix, PathAttributes attributes)
    {
        for (int i = 0; i < _peers.Length; i++)
        {
            if (!Fits(_peers[i], prefix, attributes))
            {
                return _options.Peers[i].Name;
            }
        }

        return null;
    }

    private static string TooLargeText(string peer) => $"a message to {peer} has no room for its attributes";

    /// <summary>Ends the overrides that a router which has come up can never be told of: they would be in force at some routers only.</summary>
    private void LoseTooLargeFor(int peer)
    {
        _batch.Clear();
        List<IpPrefix> large = [];
        foreach (OverrideTable.Entry entry in _overrides.Entries)
        {
            if (!Fits(_peers[peer], entry.Override.Prefix, entry.Announced))
            {
                large.Add(entry.Override.Prefix);
            }
        }

        foreach (IpPrefix prefix in large)
        {
            Lose(prefix, TooLargeText(_options.Peers[peer].Name));
        }

        SendBatch();
    }

    /// <summary>Ends the overrides whose path is of certain sources, for one reason.</summary>
    private void LoseFrom(Func<int, bool> isGone, string reason)
    {
        _batch.Clear();
        List<IpPrefix> orphaned = [];
        foreach (OverrideTable.Entry entry in _overrides.Entries)
        {
            if (isGone(entry.Override.Path.Peer))
            {
                orphaned.Add(entry.Override.Prefix);
            }
        }

        foreach (IpPrefix prefix in orphaned)
        {
            Lose(prefix, reason);
        }

        SendBatch();
    }

    private void Lose(IpPrefix prefix, string reason)
    {
        _overrides.Remove(prefix);
        _batch.Withdraw(prefix);
        _lost.Enqueue((prefix, reason));
    }
}
