using EgressAppliance.SystemTests.Interop.Rows;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// The matrix: every row is run against every software, except where the software does not offer what the row needs; those are listed here with the reason
/// and nowhere else.
/// </summary>
internal static class InteropMatrix
{
    private const string Key = "Right-Key-9";
    private const string OneConnection = "gives up its own attempt when our connection stands: two never do";

    /// <summary>The software with the versions of the matrix.</summary>
    public static IReadOnlyList<(InteropSoftware Software, string Name, string Version)> Software { get; } =
    [
        (InteropSoftware.Frr, "FRR", "8.4.4"), (InteropSoftware.Bird, "BIRD", "2.0.12"), (InteropSoftware.OpenBgpd, "OpenBGPD", "7.7"),
        (InteropSoftware.GoBgp, "GoBGP", "3.10.0"), (InteropSoftware.ExaBgp, "ExaBGP", "4.2.21"),
    ];

    /// <summary>The rows in the order of the documentation.</summary>
    public static IReadOnlyList<InteropRow> Rows { get; } =
    [
        new("session", "iBGP session over IPv4 with both families, 4-octet AS, hold time 9 s", new(), SessionRows.ComesUpAsync),
        new("ipv6", "the same over IPv6", new() { OverIPv6 = true }, SessionRows.WorksOverIPv6Async),
        new("passive", "the router connects, we wait", new() { RouterConnects = true, NoSpeaker = true }, SessionRows.RouterConnectsAsync),
        new("active", "we connect, the router waits", new() { RouterPassive = true, NoSpeaker = true }, SessionRows.WeConnectAsync),
        new("collision", "both connect at once: one connection stays", new() { NoSpeaker = true }, SessionRows.SettlesCollisionAsync),
        new("md5", "TCP MD5; a wrong key is told", new() { RouterPassword = Key, NoSpeaker = true }, SessionRows.TakesMd5KeyAsync),
        new("ttl-security", "TTL security (RFC 5082) on both sides", new() { TtlSecurity = true }, SessionRows.RequiresTtlAsync),
        new("shutdown", "its shutdown message is shown (RFC 9003)", new(), SessionRows.ShowsShutdownMessageAsync),
        new("routes", "routes with all attributes, withdrawals", new(), RouteRows.LearnsRoutesAsync),
        new("add-path", "ADD-PATH: all paths, also while an override is best", new(), RouteRows.LearnsAllPathsAsync),
        new("best-only", "without ADD-PATH the best path, and no override", new() { AddPath = false }, RouteRows.RefusesWithoutAllPathsAsync),
        new("our-refresh", "we ask for its routes again (ROUTE-REFRESH)", new(), RouteRows.AsksAgainAsync),
        new("override", "an override is its best path, and goes when withdrawn", new(), OverrideRows.IsBestUntilWithdrawnAsync),
        new("refresh", "it asks for our routes again (ROUTE-REFRESH)", new(), OverrideRows.AnswersRefreshAsync),
        new("its-limit", "its prefix limit ends the session, our cap keeps below", new() { RouterMaxPrefix = 5, Prefixes = 8, NoSpeaker = true }, LimitRows.StaysBelowItsLimitAsync),
        new("our-limit", "our prefix limit ends the session", new() { NoSpeaker = true }, LimitRows.EndsAboveOurLimitAsync),
        new("router-restart", "it is killed and comes back", new(), FailureRows.SurvivesRouterRestartAsync),
        new("speaker-restart", "we stop and come back; nothing of ours stays between", new(), FailureRows.LeavesNothingBehindAsync),
        new("hold", "packets are dropped: both hold timers expire", new() { NoSpeaker = true }, FailureRows.DropsOnHoldTimeAsync),
        new("slow", "it reads nothing: we give up (RFC 9687), and memory stays bounded", new() { Prefixes = 250, RouterHoldTime = 90, NoSpeaker = true }, FailureRows.GivesUpSlowReaderAsync),
    ];

    private static readonly Dictionary<(string Row, InteropSoftware Software), string> Reasons = new()
    {
        [("collision", InteropSoftware.OpenBgpd)] = OneConnection,
        [("collision", InteropSoftware.GoBgp)] = OneConnection,
        [("collision", InteropSoftware.ExaBgp)] = "closes its connection for ours and then may say nothing more: let it wait for ours (`passive true`)",
        [("ttl-security", InteropSoftware.ExaBgp)] = "sets the TTL of connections that it makes, not of those that it accepts",
        [("refresh", InteropSoftware.GoBgp)] = "`softresetin` works on the routes it has; no ROUTE-REFRESH is sent",
        [("our-refresh", InteropSoftware.OpenBgpd)] = "logs \"AID IPv4 unicast not negotiated\", though it is, and sends nothing",
        [("its-limit", InteropSoftware.ExaBgp)] = "has no prefix limit",
    };

    /// <summary>Why a software is not in a row, or null if it is.</summary>
    public static string? WhyNot(InteropRow row, InteropSoftware software) => Reasons.GetValueOrDefault((row.Key, software));
}
