using EgressAppliance.Bgp.Speaker;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Rows;

/// <summary>Sessions: how they come up, and how they are ended.</summary>
internal static class SessionRows
{
    /// <summary>Up, with everything negotiated that the appliance needs.</summary>
    public static async Task ComesUpAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        Assert.True(bed.Peer.AddPath);
        Assert.Contains(bed.SpeakerLines, line => line.EndsWith("session established, hold time 9 s, all paths (ADD-PATH)", StringComparison.Ordinal));
        await AwaitUpAtRouterAsync(bed);
        await Until.TrueAsync("table counted as complete", () => Task.FromResult(bed.Peer.TableComplete), InteropBed.Generous, bed.Output, InteropBed.Poll);
        Assert.Equal(0, bed.Peer.UpdateErrors);
    }

    /// <summary>Both families and an override over an IPv6 session.</summary>
    public static async Task WorksOverIPv6Async(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        Assert.Equal(System.Net.Sockets.AddressFamily.InterNetworkV6, bed.Peer.RemoteAddress.AddressFamily);
        bed.Announce(bed.Prefixes[0], bed.Prefixes[^1]);
        await bed.AwaitReceivedAsync("an override of each family at the router", routes => routes.Count == 2);
    }

    /// <summary>Only the router connects.</summary>
    public static async Task RouterConnectsAsync(InteropBed bed)
    {
        await bed.StartSpeakerAsync(bed.PeerOptions with { Passive = true });
        await bed.AwaitTableAsync();
        Assert.Equal((true, 1), await ConnectionsAsync(bed));
    }

    /// <summary>Only we connect: the router is told to wait, and nothing listens on our side.</summary>
    public static async Task WeConnectAsync(InteropBed bed)
    {
        await bed.StartSpeakerAsync(bed.SpeakerOptions with { Listen = [] });
        await bed.AwaitTableAsync();
        Assert.Equal((false, 1), await ConnectionsAsync(bed));
    }

    /// <summary>
    /// Segments that carry data are dropped until two connections stand, each with an OPEN on its way in both directions; then they are let through. One connection and
    /// one session must be left, whichever side's.
    /// </summary>
    public static async Task SettlesCollisionAsync(InteropBed bed)
    {
        await bed.Network.RunAsync("nft", "add table inet data; add chain inet data in { type filter hook input priority 0; }; add chain inet data out { type filter hook output priority 0; }; "
            + $"add rule inet data in ip saddr {bed.Addresses.Speaker4} tcp flags & psh == psh drop; add rule inet data out ip daddr {bed.Addresses.Speaker4} tcp flags & psh == psh drop");
        await bed.AwaitProvidersAsync();
        await bed.StartSpeakerAsync();
        await Until.ValueAsync(
            "both connections", async () => (await ConnectionsAsync(bed)).Count, count => count == 2, InteropBed.Generous, bed.Output, InteropBed.Poll);
        await bed.Network.RunAsync("nft", "delete table inet data");
        await bed.AwaitTableAsync();
        await AwaitUpAtRouterAsync(bed);
        await Until.ValueAsync(
            "one connection left", async () => (await ConnectionsAsync(bed)).Count, count => count == 1, InteropBed.Generous, bed.Output, InteropBed.Poll);
        Assert.Equal(SessionState.Established, bed.Peer.State);
    }

    /// <summary>With a wrong key nothing comes up and the reason is told; with the right one all is well.</summary>
    public static async Task TakesMd5KeyAsync(InteropBed bed)
    {
        await using (BgpSpeaker wrong = await bed.StartSpeakerAsync(bed.PeerOptions with { Password = "Wrong-Key-9" }))
        {
            PeerStatus seen = await Until.ValueAsync(
                "wrong key told", () => Task.FromResult(bed.Peer), peer => peer.LastError?.Contains("TCP MD5 key is wrong", StringComparison.Ordinal) == true,
                InteropBed.Generous, bed.Output, InteropBed.Poll);
            Assert.NotEqual(SessionState.Established, seen.State);
            Assert.Equal(0, seen.Transitions);
        }

        await bed.StartSpeakerAsync();
        await bed.AwaitTableAsync();
    }

    /// <summary>Up with TTL 255 on both sides; then every packet of the router loses one on its way, and the session ends by the hold time and does not come back.</summary>
    public static async Task TakesOnlyFullTtlAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        await bed.Network.RunAsync("nft", $"add table inet ttl; add chain inet ttl out {{ type filter hook output priority 0; }}; add rule inet ttl out ip daddr {bed.Addresses.Speaker4} ip ttl set 254");
        await Until.TrueAsync(
            "session down", () => Task.FromResult(bed.Peer.State != SessionState.Established), InteropBed.Generous, bed.Output, InteropBed.Poll);
        bed.Output.WriteLine($"last error: {bed.Peer.LastError}");
        Assert.Equal(1, bed.Peer.Transitions);
        await bed.Network.RunAsync("nft", "delete table inet ttl");
        await bed.AwaitTableAsync();
        Assert.Equal(2, bed.Peer.Transitions);
    }

    /// <summary>The operator of the router says why.</summary>
    public static async Task ShowsShutdownMessageAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        string text = await bed.Router.ShutDownAsync("maintenance until 06:00, ticket 4711");

        // Some software comes back at once, so the session's state is no sign.
        PeerStatus seen = await Until.ValueAsync(
            "shutdown told", () => Task.FromResult(bed.Peer), peer => peer.LastError?.Contains("Administrative Shutdown", StringComparison.Ordinal) == true,
            InteropBed.Generous, bed.Output, InteropBed.Poll);
        bed.Output.WriteLine($"last error: {seen.LastError}");
        Assert.EndsWith($": \"{text}\"", seen.LastError, StringComparison.Ordinal);
    }

    private static Task AwaitUpAtRouterAsync(InteropBed bed) =>
        Until.TrueAsync("session established at the router", bed.Router.IsEstablishedAsync, InteropBed.Generous, bed.Output, InteropBed.Poll);

    /// <summary>Established TCP connections between router and speaker, and whether one of them was made by the router.</summary>
    private static async Task<(bool ByRouter, int Count)> ConnectionsAsync(InteropBed bed)
    {
        string text = await bed.Network.RunAsync("ss", "-Htn", "state", "established", "dst", bed.Addresses.Speaker(bed.Options));
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (lines.Any(line => line.TrimEnd().EndsWith(":179", StringComparison.Ordinal)), lines.Length);
    }
}
