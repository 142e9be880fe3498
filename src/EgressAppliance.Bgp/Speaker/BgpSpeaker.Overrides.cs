using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>Overrides: made, announced, withdrawn. All under the speaker's lock.</content>
public sealed partial class BgpSpeaker
{
    /// <inheritdoc/>
    public bool TryCreateOverride(IpPrefix prefix, IpAddr nextHop, out Override? created, out OverrideRefusal refusal)
    {
        lock (_gate)
        {
            refusal = _overrides.Find(_rib, HasAllPaths, prefix, nextHop, out RibPath path);
            if (refusal == OverrideRefusal.None && _overrides.Count >= _options.MaxOverrides && !_overrides.Contains(prefix))
            {
                refusal = OverrideRefusal.TooMany;
            }

            created = refusal == OverrideRefusal.None ? new Override(prefix, path) : null;
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
            _batch.Clear();
            foreach (Override wanted in overrides)
            {
                OverrideRefusal refusal = _overrides.Find(_rib, HasAllPaths, wanted.Prefix, wanted.Path.NextHop.Address, out RibPath path);
                if (refusal == OverrideRefusal.None && _overrides.Count >= _options.MaxOverrides && !_overrides.Contains(wanted.Prefix))
                {
                    refusal = OverrideRefusal.TooMany;
                }

                if (refusal != OverrideRefusal.None)
                {
                    refused.Add((wanted.Prefix, refusal));
                }
                else if (_overrides.Set(_rib, wanted.Prefix, path, out OverrideTable.Entry entry))
                {
                    _batch.Announce(wanted.Prefix, entry.Announced);
                }
            }

            SendBatch();
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
                list.Add(entry.Override);
            }

            return list;
        }
    }

    private bool HasAllPaths(int peer) => _peers[peer].Parameters is { AddPath: true };

    /// <summary>Sends the batch to every established iBGP peer. Announcements wait while the control loop is silent.</summary>
    private void SendBatch()
    {
        if (_batch.IsEmpty)
        {
            return;
        }

        bool frozen = IsFrozen;
        _resendOnThaw |= frozen;
        for (int i = 0; i < _peers.Length; i++)
        {
            SendBatchTo(i, announcements: !frozen);
        }
    }

    private void SendBatchTo(int peer, bool announcements)
    {
        if (_peers[peer] is not { Parameters: { Internal: true } parameters, Connection: { } connection })
        {
            return;
        }

        ReadOnlySpan<byte> octets = _batch.Encode(parameters.Send, parameters.Families, announcements, out int messages);
        if (octets.IsEmpty)
        {
            return;
        }

        if (connection.TrySend(octets))
        {
            _sessions[peer].CountSent(messages);
            return;
        }

        // Not from here: the session's lock comes before ours.
        PeerSession session = _sessions[peer];
        _ = Task.Run(() => session.Cease(connection, CeaseSubcode.OutOfResources, "the router does not read: our outbound queue is full"));
    }

    /// <summary>Announces all overrides again, to one peer or all, of one family or all.</summary>
    private void Resend(int? peer, IpFamily? family)
    {
        _batch.Clear();
        foreach (OverrideTable.Entry entry in _overrides.Entries)
        {
            if (family is null || entry.Override.Prefix.Family == family)
            {
                _batch.Announce(entry.Override.Prefix, entry.Announced);
            }
        }

        if (_batch.IsEmpty)
        {
            return;
        }

        if (IsFrozen)
        {
            _resendOnThaw = true;
            return;
        }

        for (int i = 0; i < _peers.Length; i++)
        {
            if (peer is null || peer == i)
            {
                SendBatchTo(i, announcements: true);
            }
        }
    }

    private void Lose(IpPrefix prefix, string reason)
    {
        _overrides.Remove(prefix);
        _batch.Withdraw(prefix);
        _lost.Enqueue((prefix, reason));
    }
}
