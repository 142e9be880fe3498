using EgressAppliance.Bgp.Session;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <content>The peers as they stand.</content>
public sealed partial class BgpSpeaker
{
    /// <inheritdoc/>
    public IReadOnlyList<PeerStatus> GetPeers()
    {
        var result = new PeerStatus[_sessions.Length];
        lock (_gate)
        {
            for (int i = 0; i < result.Length; i++)
            {
                result[i] = StatusOf(i);
            }
        }

        return result;
    }

    private PeerStatus StatusOf(int peer)
    {
        BgpPeerOptions options = _options.Peers[peer];
        PeerSession session = _sessions[peer];
        SessionSnapshot snapshot = session.Snapshot;
        PeerTable table = _peers[peer];
        return new PeerStatus(
            options.Name, options.RemoteAddress, snapshot.State, snapshot.Since, table.Parameters?.AddPath ?? false, IsTableComplete(peer),
            _rib.PathCount(peer, IpFamily.IPv4), _rib.PathCount(peer, IpFamily.IPv6), table.Output?.Held ?? 0,
            session.MessagesReceived, session.MessagesSent, snapshot.Established, table.UpdateErrors, snapshot.LastError)
        {
            Negotiated = table.Parameters?.Describe(snapshot.HoldTime),
            LastErrorTime = snapshot.LastErrorTime,
            LastNotification = snapshot.LastNotification,
            StatesEntered = snapshot.Entered,
            NotificationsSent = snapshot.NotificationsSent,
            NotificationsReceived = snapshot.NotificationsReceived,
            RefreshesSent = table.RefreshesSent,
            RefreshesReceived = table.RefreshesReceived,
            RoutesIgnored = table.RoutesIgnored,
            Md5 = options.Password is not null,
            TtlSecurity = options.TtlSecurity,
            MaxPrefix = options.MaxPrefix,
            MaxPrefixOut = options.PeerAcceptsAtMost,
            MaxPrefixWarning = table.MaxPrefixWarning,
            OverridesWaiting = table.Output?.Waiting ?? 0,
            Output = table is { Output: { } output, Connection: { } connection }
                ? new(connection.Pending, options.OutboundHighMark, options.OutboundLimit, output.Behind)
                : null,
            Bmp = MonitoringOf(peer),
            LocRib = LocRibOf(peer),
        };
    }
}
