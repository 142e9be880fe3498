using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Host.Http;
using EgressAppliance.Net;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>Makes the documents of the routers' sessions: what the speaker holds, joined with what the BMP station knows of its connections.</summary>
/// <param name="station">The station, or null if no router is monitored.</param>
public sealed class MonitoringView(BmpStation? station)
{
    /// <summary>The sessions, in the order of the configuration.</summary>
    /// <param name="peers">What the speaker holds.</param>
    /// <param name="choices">How the routers' own choices compare, by index of the router; null if nobody has looked.</param>
    public IReadOnlyList<BgpPeerDto> Describe(IReadOnlyList<PeerStatus> peers, ChoiceCounts? choices = null)
    {
        ArgumentNullException.ThrowIfNull(peers);
        IReadOnlyList<BmpRouterStatus> routers = station?.GetRouters() ?? [];
        return [.. peers.Select((p, i) => Peer(p, routers.FirstOrDefault(r => r.Name == p.Name)) with
        {
            LocRib = p.LocRib is { } own ? new(own.RoutesIPv4 + own.RoutesIPv6, own.Complete, choices?.Compared(i) ?? 0, choices?.Differing(i) ?? 0) : null,
        })];
    }

    /// <summary>What a source of paths is called in documents.</summary>
    public static string Code(PathSource source) => source switch
    {
        PathSource.BestOnly => "best-only",
        PathSource.AddPath => "add-path",
        PathSource.Bmp => "bmp",
        _ => throw new ArgumentOutOfRangeException(nameof(source), source, "Not a source of paths."),
    };

    private static BgpPeerDto Peer(PeerStatus p, BmpRouterStatus? router)
    {
        (int ipv4, int ipv6) = p.Bmp is { InUse: true } shown ? (shown.RoutesIPv4, shown.RoutesIPv6) : (p.RoutesIPv4, p.RoutesIPv6);
        return new(
            p.Name, p.RemoteAddress.ToString(), p.State.ToString(), p.Since, ipv4 + ipv6, ipv4, ipv6, p.AddPath, p.TableComplete, p.Overrides, p.LastError)
        {
            PathSource = Code(p.PathSource),
            AllPathsKnown = p.AllPathsKnown,
            LastErrorAt = p.LastErrorTime,
            StatesEntered = p.StatesEntered.Select((times, state) => (Name: ((SessionState)state).ToString(), Times: times)).ToDictionary(s => s.Name, s => s.Times),
            LastNotification = p.LastNotification is { } last ? Notification(last) : null,
            Negotiated = p.Negotiated is { } agreed ? Negotiated(agreed) : null,
            Md5 = p.Md5,
            TtlSecurity = p.TtlSecurity,
            MaxPrefix = p.MaxPrefix,
            MaxPrefixRatio = Math.Round(p.MaxPrefixRatio, 4),
            MaxPrefixWarning = p.MaxPrefixWarning,
            MaxPrefixOut = p.MaxPrefixOut,
            OverridesWaiting = p.OverridesWaiting,
            Output = p.Output is { } output ? new(output.QueuedBytes, output.HighMarkBytes, output.LimitBytes, output.Behind) : null,
            Counters = new(
                p.Transitions, p.MessagesReceived, p.MessagesSent, p.UpdateErrors, p.RoutesIgnored, p.RefreshesSent, p.RefreshesReceived, p.NotificationsSent,
                p.NotificationsReceived),
            Bmp = router is null ? null : Router(p, router),
        };
    }

    private static BgpNotificationDto Notification(PeerNotification notification)
    {
        NotificationMessage message = notification.Message;
        return new(
            notification.Received ? "received" : "sent", message.Code, message.Subcode, message.ToString(), message.ShutdownText ?? message.Inner?.ShutdownText,
            notification.Time);
    }

    private static BgpNegotiatedDto Negotiated(NegotiatedSession agreed)
    {
        List<string> capabilities = [.. agreed.AddPathFamilies.Select(f => "add-path-" + Code(f))];
        Add(agreed.RouteRefresh, "route-refresh");
        Add(agreed.FourOctetAs, "4-octet-as");
        Add(agreed.ExtendedMessage, "extended-message");
        Add(agreed.ExtendedNextHop, "extended-next-hop");
        return new(
            agreed.Internal ? "ibgp" : "ebgp", IpAddr.FromIPv4(agreed.PeerRouterId).ToString(), agreed.HoldTime.TotalSeconds, agreed.KeepaliveInterval.TotalSeconds,
            [.. agreed.Families.Select(Code)], capabilities);

        void Add(bool there, string name)
        {
            if (there)
            {
                capabilities.Add(name);
            }
        }
    }

    private static string Code(IpFamily family) => family == IpFamily.IPv4 ? "ipv4" : "ipv6";

    private static BmpDto Router(PeerStatus held, BmpRouterStatus router) => new(
        router.State.ToString().ToLowerInvariant(), router.Since, held.Bmp is null ? null : BmpNames.Of(held.Bmp.Table), [.. router.Peers.Select(p => Peer(held, p))],
        router.LastError)
    {
        SysName = router.SysName,
        Connections = router.Connections,
        Messages = router.Messages.Values.Sum(),
        Malformed = router.Malformed.Values.Sum(),
        LastMalformed = router.LastMalformed,
        LimitsExceeded = router.LimitsExceeded,
    };

    private static BmpPeerDto Peer(PeerStatus held, BmpPeerStatus peer) => new(
        peer.Id.ToString(), peer.As, peer.IsUp, [.. peer.Tables.Select(t => Table(held, t))],
        peer.DownReason ?? peer.Tables.Select(t => t.Fault).FirstOrDefault(f => f is not null) ?? peer.Hint);

    /// <summary>Handles are given anew when a table is gone: the speaker's view may be of a moment before, but then its table is another by name.</summary>
    private static BmpTableDto Table(PeerStatus held, BmpTableStatus table)
    {
        IEnumerable<MonitoredTableStatus> tables = [.. held.Bmp?.Tables ?? [], .. held.LocRib is { } locRib ? [locRib] : Array.Empty<MonitoredTableStatus>()];
        MonitoredTableStatus? own = tables.FirstOrDefault(t => t.Source.Handle == table.Handle && t.Source.Table == table.Table);
        return new(
            BmpNames.Of(table.Table), own is null ? 0 : own.RoutesIPv4 + own.RoutesIPv6, table.Updates, own is not null && held.Bmp is { InUse: true } bmp && bmp.Table == table.Table,
            own?.Complete ?? false);
    }
}
