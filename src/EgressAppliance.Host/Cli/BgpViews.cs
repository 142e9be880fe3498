using System.Globalization;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>The routers' sessions as text for a terminal.</summary>
public static class BgpViews
{
    /// <summary><c>show bgp</c>: a line for each session.</summary>
    public static void List(IReadOnlyList<BgpPeerDto> peers, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(peers);
        ArgumentNullException.ThrowIfNull(console);
        DateTimeOffset now = console.Time.GetUtcNow();
        TextTable table = new("BGP", "?ADDRESS", "STATE", ">FOR", ">PATHS", "?>IPV4", "?>IPV6", "?>OF MAX", "?PATHS SEEN", "TABLE", ">OVERRIDES", "?>WAITING", "LAST ERROR");
        foreach (BgpPeerDto peer in peers)
        {
            bool up = peer.State == "Established";
            table.Add(
                peer.Router,
                peer.Address,
                new Cell(peer.State, up ? CellStyle.Good : CellStyle.Bad),
                Human.Span(now - peer.Since),
                Human.Count(peer.Routes),
                Human.Count(peer.RoutesIpv4),
                Human.Count(peer.RoutesIpv6),
                Share(peer),
                !up ? "-" : Seen(peer),
                !up ? "-" : Table(peer),
                Human.Count(peer.Overrides),
                Waiting(peer),
                peer.LastError);
        }

        table.Write(console, "No BGP sessions.");
        foreach (BgpPeerDto peer in peers)
        {
            if (peer.Bmp is { } bmp)
            {
                console.Out.WriteLine();
                Bmp(peer.Router, bmp, console);
            }
        }
    }

    /// <summary><c>show bgp ROUTER</c>: all that is known of one session.</summary>
    public static void Detail(IReadOnlyList<BgpPeerDto> peers, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(peers);
        ArgumentNullException.ThrowIfNull(console);
        foreach (BgpPeerDto peer in peers)
        {
            Detail(peer, console);
        }
    }

    private static void Detail(BgpPeerDto peer, CommandConsole console)
    {
        DateTimeOffset now = console.Time.GetUtcNow();
        bool up = peer.State == "Established";
        string state = $"{peer.State} for {Human.Span(now - peer.Since)}";
        TextTable facts = new("BGP", peer.Router);
        facts.Add("address", peer.Address)
            .Add("state", new Cell(state, up ? CellStyle.Good : CellStyle.Bad))
            .Add("last error", peer.LastError is null ? "none" : peer.LastErrorAt is { } at ? $"{Human.Span(now - at)} ago: {peer.LastError}" : peer.LastError)
            .Add("last NOTIFICATION", peer.LastNotification is { } last ? $"{last.Direction} {Human.Span(now - last.Time)} ago: {last.Description}" : "none")
            .Add("protection", (peer.Md5, peer.TtlSecurity) switch
            {
                (true, true) => "TCP MD5, TTL security",
                (true, false) => "TCP MD5",
                (false, true) => "TTL security",
                _ => "none",
            });
        if (peer.Negotiated is { } agreed)
        {
            facts.Add("session", $"{(agreed.Type == "ibgp" ? "iBGP" : "eBGP")}, router id {agreed.RouterId}, hold time {Seconds(agreed.HoldTimeSeconds)}, keepalive {Seconds(agreed.KeepaliveSeconds)}")
                .Add("families", string.Join(", ", agreed.Families))
                .Add("capabilities", string.Join(", ", agreed.Capabilities));
        }

        facts.Add("paths", $"{Human.Count(peer.Routes)} (IPv4 {Human.Count(peer.RoutesIpv4)}, IPv6 {Human.Count(peer.RoutesIpv6)})")
            .Add("of max_prefix", peer.MaxPrefix == 0 ? "-" : new Cell($"{Human.Percent(peer.MaxPrefixRatio)} of {Human.Count(peer.MaxPrefix)}", peer.MaxPrefixWarning ? CellStyle.Warning : CellStyle.Plain))
            .Add("paths seen", !up ? "-" : Seen(peer))
            .Add("table", !up ? "-" : Table(peer))
            .Add("overrides", $"{Human.Count(peer.Overrides)} announced{(peer.MaxPrefixOut is { } most ? $" of at most {Human.Count(most)}" : "")}")
            .Add("waiting", Waiting(peer));
        if (peer.Output is { } output)
        {
            facts.Add("output queue", new Cell(
                $"{Human.Count(output.QueuedBytes)} octets{(output.Behind ? ", behind: announcements are held back" : "")}; held back from {Units.FormatSize(output.HighMarkBytes)}, session ends at {Units.FormatSize(output.LimitBytes)}",
                output.Behind ? CellStyle.Warning : CellStyle.Plain));
        }

        if (peer.LocRib is { } own)
        {
            facts.Add("Loc-RIB", new Cell(
                $"{Human.Count(own.Routes)} routes{(own.Complete ? "" : ", loading")}; of {Human.Count(own.Compared)} prefixes compared {Human.Count(own.Differing)} differ",
                own.Differing > 0 ? CellStyle.Warning : CellStyle.Plain));
        }

        BgpCountersDto counters = peer.Counters;
        facts.Add("came up", CameUp(peer))
            .Add("messages", Both(counters.MessagesReceived, counters.MessagesSent))
            .Add("NOTIFICATIONs", Both(counters.NotificationsReceived, counters.NotificationsSent))
            .Add("refresh requests", Both(counters.RefreshesReceived, counters.RefreshesSent))
            .Add("UPDATE errors", Human.Count(counters.UpdateErrors))
            .Add("routes ignored", Human.Count(counters.RoutesIgnored))
            .Write(console, "");
        if (peer.Bmp is { } bmp)
        {
            console.Out.WriteLine();
            Bmp(peer.Router, bmp, console);
            console.Out.WriteLine(
                $"{Human.Count(bmp.Connections)} connections, {Human.Count(bmp.Messages)} messages, {Human.Count(bmp.Malformed)} of them unreadable"
                + (bmp.LastMalformed is null ? "" : $" (last: {Human.Clean(bmp.LastMalformed)})")
                + (bmp.SysName is null ? "" : $"; the router calls itself {Human.Clean(bmp.SysName)}"));
        }
    }

    private static string CameUp(BgpPeerDto peer) => peer.Counters.Established switch
    {
        0 => "never",
        1 => "once",
        var times => $"{Human.Count(times)} times",
    };

    private static string Both(long received, long sent) => $"{Human.Count(received)} received, {Human.Count(sent)} sent";

    private static string Seconds(double seconds) => seconds == 0 ? "none" : Units.FormatDuration(TimeSpan.FromSeconds(seconds));

    private static Cell Share(BgpPeerDto peer) => peer.MaxPrefix == 0 ? "-" : new Cell(Human.Percent(peer.MaxPrefixRatio), peer.MaxPrefixWarning ? CellStyle.Warning : CellStyle.Plain);

    private static Cell Waiting(BgpPeerDto peer) => peer.OverridesWaiting == 0 ? "0" : new Cell(Human.Count(peer.OverridesWaiting), CellStyle.Warning);

    private static Cell Table(BgpPeerDto peer) => peer.TableComplete ? "complete" : new Cell("loading", CellStyle.Warning);

    private static Cell Seen(BgpPeerDto peer) => peer.PathSource switch
    {
        "add-path" => "all",
        "bmp" when peer.AllPathsKnown => "all, by BMP",
        "bmp" => new Cell("BMP, not all", CellStyle.Warning),
        _ => new Cell("best only", CellStyle.Warning),
    };

    private static void Bmp(string router, BmpDto bmp, CommandConsole console)
    {
        string since = Human.Span(console.Time.GetUtcNow() - bmp.Since);
        console.Out.WriteLine($"BMP of {Human.Clean(router)}: {bmp.State} for {since}{(bmp.LastError is null ? "" : $"; last error: {Human.Clean(bmp.LastError)}")}");
        TextTable table = new("MONITORED", ">AS", "STATE", "ADJ-RIB", ">ROUTES", "?>UPDATES", "USED", "NOTE");
        foreach (BmpPeerDto peer in bmp.Peers)
        {
            foreach (BmpTableDto? shown in peer.Tables.DefaultIfEmpty<BmpTableDto?>(null))
            {
                table.Add(
                    peer.Peer, peer.As.ToString(CultureInfo.InvariantCulture), new Cell(peer.Up ? "up" : "down", peer.Up ? CellStyle.Good : CellStyle.Bad), shown?.Table,
                    shown is null ? "-" : Human.Count(shown.Routes), shown is null ? "-" : Human.Count(shown.Updates),
                    shown is not { Used: true } ? "no" : shown.Complete ? "yes" : new Cell("loading", CellStyle.Warning), peer.Note);
            }
        }

        table.Write(console, "The router has shown no peers.");
    }
}
