using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>What an operator may ask of a session: its routes anew, a reset; and the limit on what a router may send.</content>
public sealed partial class BgpSpeaker
{
    /// <inheritdoc/>
    public RefreshOutcome RequestRefresh(string peer, IpFamily? family)
    {
        int index = IndexOf(peer);
        if (index < 0)
        {
            return RefreshOutcome.UnknownPeer;
        }

        lock (_gate)
        {
            PeerTable table = _peers[index];
            if (table is not { Parameters: { } parameters, Connection: { } connection })
            {
                return RefreshOutcome.NotEstablished;
            }

            if (!parameters.RouteRefresh)
            {
                return RefreshOutcome.NotNegotiated;
            }

            RefreshOutcome outcome = RefreshOutcome.FamilyNotNegotiated;
            foreach (IpFamily negotiated in parameters.Families)
            {
                if (family is null || family == negotiated)
                {
                    bool sent = table.TryRefresh(negotiated) && SendRefresh(index, connection, AfiSafi.Of(negotiated));
                    outcome = sent ? RefreshOutcome.Sent : outcome == RefreshOutcome.Sent ? outcome : RefreshOutcome.TooSoon;
                }
            }

            return outcome;
        }
    }

    /// <summary>
    /// Resets the session with a router (Cease/4) and tells it the reason (RFC 9003); it comes up again after a wait. False if there is no such router
    /// or no session. Overrides made of its paths are withdrawn, as whenever a session ends.
    /// </summary>
    public bool Reset(string peer, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int index = IndexOf(peer);
        return index >= 0 && _sessions[index].Reset(text);
    }

    private bool SendRefresh(int peer, BgpConnection connection, AfiSafi family)
    {
        var writer = new BgpWriter(stackalloc byte[BgpConstants.HeaderLength + sizeof(uint)]);
        new RouteRefreshMessage(family).Encode(ref writer);
        if (!connection.TrySend(writer.Written))
        {
            return false;
        }

        _sessions[peer].CountSent(1);
        _peers[peer].RefreshesSent++;
        SpeakerLog.RefreshRequested(_logger, _options.Peers[peer].Name, family.ToString());
        return true;
    }

    /// <summary>Warns of a table near its limit, and returns the error for one beyond it, named after the family whose routes passed it. Under the lock.</summary>
    private BgpError? CheckPrefixLimit(int peer, int total, IpFamily family)
    {
        if (!WarnOfPrefixLimit(peer, total))
        {
            return null;
        }

        BgpPeerOptions options = _options.Peers[peer];
        NotificationMessage cease = NotificationMessage.MaxPrefix(AfiSafi.Of(family), (uint)options.MaxPrefix);
        return BgpError.Reset(cease.Code, cease.Subcode, $"the router sent more than max_prefix ({options.MaxPrefix}) routes", cease.Data);
    }

    /// <summary>Tells once when a table comes near its limit; true if it is over it.</summary>
    private bool WarnOfPrefixLimit(int peer, int total)
    {
        BgpPeerOptions options = _options.Peers[peer];
        bool over = _peers[peer].IsOverLimit(total, out bool crossed);
        if (crossed)
        {
            SpeakerLog.NearLimit(_logger, options.Name, total, (int)(100.0 * total / Math.Max(1, options.MaxPrefix)), options.MaxPrefix);
        }

        return over;
    }

    private int IndexOf(string peer)
    {
        for (int i = 0; i < _options.Peers.Count; i++)
        {
            if (string.Equals(_options.Peers[i].Name, peer, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return -1;
    }
}
