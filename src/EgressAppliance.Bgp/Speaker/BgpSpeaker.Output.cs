using System.Buffers;
using System.Runtime.InteropServices;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>
/// The way of overrides to the routers. Changes go into each router's <see cref="PeerOutput"/>; a flush packs what may go now into the fewest messages
/// and puts them into the connection's queue in one step, announcements before withdrawals, so that a router moving traffic to a new path never
/// has a moment with neither. What may not go yet waits there for one of three calls: the pump (tokens of the rate limit), the connection's (a slow
/// router has caught up), the heartbeat's (the control loop is back). All under the speaker's lock.
/// </content>
public sealed partial class BgpSpeaker
{
    private static readonly TimeSpan PumpInterval = TimeSpan.FromMilliseconds(100);
    private readonly UpdateBatch _packed = new();
    private readonly ArrayBufferWriter<byte> _octets = new(BgpConstants.MaxMessageLength);
    private ITimer? _pump;
    private bool _pumping;

    /// <summary>Brings the batch to every established iBGP peer. Announcements wait while the control loop is silent.</summary>
    private void SendBatch()
    {
        if (_batch.IsEmpty)
        {
            return;
        }

        foreach (PeerTable peer in _peers)
        {
            if (peer.Output is not { } output)
            {
                continue;
            }

            foreach (UpdateBatch.Group group in _batch.Announcements)
            {
                foreach (Nlri nlri in group.Prefixes)
                {
                    output.Want(nlri.Prefix, group.Attributes);
                }
            }

            foreach (Nlri nlri in _batch.WithdrawnIPv4)
            {
                output.Drop(nlri.Prefix);
            }

            foreach (Nlri nlri in _batch.WithdrawnIPv6)
            {
                output.Drop(nlri.Prefix);
            }
        }

        FlushAll();
    }

    /// <summary>Announces all overrides again, to one peer or all, of one family or all.</summary>
    private void Resend(int? peer, IpFamily? family)
    {
        for (int i = 0; i < _peers.Length; i++)
        {
            if ((peer is not null && peer != i) || _peers[i].Output is not { } output)
            {
                continue;
            }

            foreach (OverrideTable.Entry entry in _overrides.Entries)
            {
                if (family is null || entry.Override.Prefix.Family == family)
                {
                    output.Want(entry.Override.Prefix, entry.Announced, again: true);
                }
            }

            Flush(i);
        }
    }

    private void FlushAll()
    {
        for (int i = 0; i < _peers.Length; i++)
        {
            Flush(i);
        }
    }

    private void Flush(int peer)
    {
        if (_peers[peer] is not { Output: { } output, Parameters: { } parameters, Connection: { } connection })
        {
            return;
        }

        _octets.ResetWrittenCount();
        int messages = 0;
        bool announces = false;
        if (output.Waiting > 0 && !output.Behind && !IsFrozen && MayAnnounce)
        {
            messages += EncodeAnnouncements(peer, output, parameters, connection.Pending);
            announces = messages > 0;
        }

        _packed.Clear();
        output.TakeWithdrawals(_packed);
        messages += UpdateEncoder.Withdraw(IpFamily.IPv4, CollectionsMarshal.AsSpan(_packed.WithdrawnIPv4), parameters.Send, _octets);
        messages += UpdateEncoder.Withdraw(IpFamily.IPv6, CollectionsMarshal.AsSpan(_packed.WithdrawnIPv6), parameters.Send, _octets);
        if (_octets.WrittenCount > 0)
        {
            if (!connection.TrySend(_octets.WrittenSpan, mark: announces))
            {
                // Not from here: the session's lock comes before ours.
                PeerSession session = _sessions[peer];
                _ = Task.Run(() => session.Cease(connection, CeaseSubcode.OutOfResources, "the router does not read: our outbound queue is full"));
                return;
            }

            _sessions[peer].CountSent(messages);
        }

        WatchOver(peer, output, connection);
    }

    /// <summary>False if the router would be told of the prefix and has no message that can hold it with these attributes.</summary>
    private bool Fits(PeerTable peer, IpPrefix prefix, PathAttributes attributes)
    {
        if (peer is not { Output: { } output, Parameters: { } parameters } || !output.Takes(prefix, attributes))
        {
            return true;
        }

        // Asked of the encoder itself, so that the two can never differ.
        _octets.ResetWrittenCount();
        return UpdateEncoder.Announce(prefix.Family, attributes, [new Nlri(prefix)], parameters.Send, _octets) > 0;
    }

    /// <summary>Encodes what may be announced, group by group, until the queue would pass its high mark. Returns the number of messages.</summary>
    private int EncodeAnnouncements(int peer, PeerOutput output, SessionParameters parameters, int pending)
    {
        _packed.Clear();
        output.TakeAnnouncements(_packed);
        int messages = 0;
        foreach (UpdateBatch.Group group in _packed.Announcements)
        {
            if (pending + _octets.WrittenCount >= _options.Peers[peer].OutboundHighMark)
            {
                break;
            }

            ReadOnlySpan<Nlri> prefixes = CollectionsMarshal.AsSpan(group.Prefixes);
            int written = UpdateEncoder.Announce(group.Family, group.Attributes, prefixes, parameters.Send, _octets);
            if (written < 0)
            {
                // Nothing gets here that was not checked. What does all the same must neither wait for ever nor stay at the router as it was.
                SpeakerLog.Unsendable(_logger, _options.Peers[peer].Name, prefixes.Length);
                output.Unsendable(prefixes);
                continue;
            }

            output.Announced(prefixes, group.Attributes);
            messages += written;
        }

        return messages;
    }

    /// <summary>Sees to it that what still waits is thought of again.</summary>
    private void WatchOver(int peer, PeerOutput output, BgpConnection connection)
    {
        if (output.Waiting == 0 || output.Behind)
        {
            return;
        }

        if (IsFrozen)
        {
            _resendOnThaw = true;
        }
        else if (connection.Pending >= _options.Peers[peer].OutboundHighMark && connection.WatchDrain())
        {
            output.Behind = true;
            SpeakerLog.Behind(_logger, _options.Peers[peer].Name, output.Waiting);
        }
        else if (output.WaitsForTime && !_pumping)
        {
            _pump ??= _time.CreateTimer(_ => Pump(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _pumping = true;
            _pump.Change(PumpInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void Pump()
    {
        lock (_gate)
        {
            _pumping = false;
            if (_disposed == 0)
            {
                FlushAll();
            }
        }
    }

    private void Drained(int peer, BgpConnection connection)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_peers[peer].Connection, connection) && _peers[peer].Output is { } output)
            {
                output.Behind = false;
                Flush(peer);
            }
        }
    }
}
