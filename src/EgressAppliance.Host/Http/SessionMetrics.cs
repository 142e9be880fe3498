using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Host.Http;

/// <summary>The metrics of the routers' BGP sessions and BMP connections. One series a router and family, whatever its tables hold.</summary>
internal static class SessionMetrics
{
    /// <summary>Writes them.</summary>
    public static void Write(MetricWriter text, IReadOnlyList<BgpPeerDto> peers)
    {
        text.Gauge("egress_bgp_peer_state", "1 for the state that the session is in, 0 for the others (RFC 4271 section 8.2.2).");
        foreach (BgpPeerDto peer in peers)
        {
            foreach (string state in Enum.GetNames<SessionState>())
            {
                text.Sample(peer.State == state ? 1 : 0, ("peer", peer.Address), ("state", state));
            }
        }

        text.Counter("egress_bgp_session_transitions_total", "Times the session entered a state.");
        foreach (BgpPeerDto peer in peers)
        {
            foreach ((string state, long times) in peer.StatesEntered)
            {
                text.Sample(times, ("peer", peer.Address), ("to", state));
            }
        }

        Each("gauge", "egress_bgp_peer_state_since_timestamp_seconds", "When the present state of the session was entered, Unix time.", p => p.Since.ToUnixTimeMilliseconds() / 1000.0);
        Each("counter", "egress_bgp_peer_established_total", "Times the session came up.", p => p.Counters.Established);
        Each("gauge", "egress_bgp_hold_time_seconds", "Hold time in force, 0 for none; NaN while the session is not established.", p => p.Negotiated?.HoldTimeSeconds ?? double.NaN);
        Each("gauge", "egress_bgp_all_paths_known", "1 if all paths of the router are seen, by ADD-PATH or BMP; 0: nothing is moved.", p => p.AllPathsKnown ? 1 : 0);
        Each("gauge", "egress_bgp_table_complete", "1 if the router's table has been received whole.", p => p.TableComplete ? 1 : 0);
        Each("gauge", "egress_bgp_max_prefix", "Limit on the paths of the session.", p => p.MaxPrefix);
        Each("gauge", "egress_bgp_max_prefix_ratio", "Paths of the session as a share of the limit.", p => p.MaxPrefixRatio);
        Each("gauge", "egress_bgp_max_prefix_warning", "1 if that share has reached max_prefix_warning.", p => p.MaxPrefixWarning ? 1 : 0);
        Each("gauge", "egress_bgp_max_prefix_out", "Limit on the prefixes announced to the peer; +Inf for none.", p => p.MaxPrefixOut ?? double.PositiveInfinity);
        Each("gauge", "egress_bgp_overrides_waiting", "Overrides in force that the peer has not been told of yet.", p => p.OverridesWaiting);
        Each("gauge", "egress_bgp_output_queue_bytes", "Octets queued for the peer that TCP has not taken yet.", p => p.Output?.QueuedBytes ?? 0);
        Each("gauge", "egress_bgp_output_behind", "1 if the peer does not keep up and announcements are held back.", p => p.Output is { Behind: true } ? 1 : 0);
        Each("counter", "egress_bgp_update_errors_total", "UPDATEs with an error of RFC 7606.", p => p.Counters.UpdateErrors);
        Each("counter", "egress_bgp_routes_ignored_total", "Announcements left out: our own routes coming back, and loops.", p => p.Counters.RoutesIgnored);
        Directions("egress_bgp_messages_total", "BGP messages.", p => (p.Counters.MessagesReceived, p.Counters.MessagesSent));
        Directions("egress_bgp_notifications_total", "NOTIFICATIONs that ended a connection, those of collisions left out.", p => (p.Counters.NotificationsReceived, p.Counters.NotificationsSent));
        Directions("egress_bgp_refreshes_total", "ROUTE-REFRESH requests.", p => (p.Counters.RefreshesReceived, p.Counters.RefreshesSent));
        Monitored("gauge", "egress_bmp_up", "1 if the router's BMP connection is up.", b => b.State == "up" ? 1 : 0);
        Monitored("counter", "egress_bmp_connections_total", "BMP connections made.", b => b.Connections);
        Monitored("counter", "egress_bmp_messages_total", "BMP messages received.", b => b.Messages);
        Monitored("counter", "egress_bmp_malformed_messages_total", "BMP messages that could not be read.", b => b.Malformed);
        Monitored("gauge", "egress_bmp_peers_up", "Peers of the router that are up and monitored.", b => b.Peers.Count(p => p.Up));

        OwnChoices("egress_bgp_loc_rib_routes", "Prefixes of the router's Loc-RIB, where BMP shows it.", r => r.Routes);
        OwnChoices("egress_bgp_loc_rib_compared_prefixes", "Of the prefixes with most traffic, those whose Loc-RIB route was compared with the preferred path in the latest cycle.", r => r.Compared);
        OwnChoices("egress_bgp_loc_rib_differing_prefixes", "Those of them for which the router uses another path: their native link is planned wrongly.", r => r.Differing);

        void OwnChoices(string name, string help, Func<LocRibDto, double> value)
        {
            text.Gauge(name, help);
            foreach (BgpPeerDto peer in peers)
            {
                if (peer.LocRib is { } locRib)
                {
                    text.Sample(value(locRib), ("peer", peer.Address));
                }
            }
        }

        void Each(string type, string name, string help, Func<BgpPeerDto, double> value)
        {
            text.Family(name, type, help);
            foreach (BgpPeerDto peer in peers)
            {
                text.Sample(value(peer), ("peer", peer.Address));
            }
        }

        void Directions(string name, string help, Func<BgpPeerDto, (long Received, long Sent)> value)
        {
            text.Counter(name, help);
            foreach (BgpPeerDto peer in peers)
            {
                (long received, long sent) = value(peer);
                text.Sample(received, ("peer", peer.Address), ("direction", "received"));
                text.Sample(sent, ("peer", peer.Address), ("direction", "sent"));
            }
        }

        void Monitored(string type, string name, string help, Func<BmpDto, double> value)
        {
            text.Family(name, type, help);
            foreach (BgpPeerDto peer in peers)
            {
                if (peer.Bmp is { } bmp)
                {
                    text.Sample(value(bmp), ("peer", peer.Address));
                }
            }
        }
    }
}
