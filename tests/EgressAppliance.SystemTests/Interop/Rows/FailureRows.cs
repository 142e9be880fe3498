using System.Collections.Concurrent;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Rows;

/// <summary>What happens when one side or the network between fails.</summary>
internal static class FailureRows
{
    // Rounds of announcing and withdrawing some 500 routes, 60 kB each: several times more than memory may grow.
    private const int Rounds = 2000;
    private const long MemoryLimit = 48 << 20;

    // A router that goes on reads megabytes first, and both sides wait longer from attempt to attempt.
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(90);

    // The hold time of 90 s begins with the last KEEPALIVE, up to 30 s before.
    private static readonly TimeSpan WithinHoldTime = TimeSpan.FromSeconds(30);

    /// <summary>Killed and started again, the router has everything from us and we from it.</summary>
    public static async Task SurvivesRouterRestartAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        var lost = new ConcurrentBag<IpPrefix>();
        bed.Speaker.OverrideLost += (prefix, _) => lost.Add(prefix);
        IpPrefix[] prefixes = [bed.Prefixes[0], bed.Prefixes[^1]];
        await AnnounceAsync(bed, prefixes);
        await bed.Router.KillAsync();
        PeerStatus seen = await bed.AwaitDownAsync();
        bed.Output.WriteLine($"last error: {seen.LastError}");

        // Their paths went with the session: they must be made anew from live paths.
        await Until.TrueAsync("overrides lost with their paths", () => Task.FromResult(lost.Count == prefixes.Length), InteropBed.Generous, bed.Output, InteropBed.Poll);
        Assert.Equal((0, 0), (bed.Peer.RoutesIPv4, bed.Peer.RoutesIPv6));
        await bed.Router.StartAsync();
        await bed.AwaitTableAsync();
        await AnnounceAsync(bed, prefixes);
    }

    /// <summary>A speaker that stops leaves no route behind; one that starts finds everything.</summary>
    public static async Task LeavesNothingBehindAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        IpPrefix[] prefixes = [bed.Prefixes[0], bed.Prefixes[^1]];
        await AnnounceAsync(bed, prefixes);
        await bed.Speaker.DisposeAsync();
        await bed.AwaitReceivedAsync("nothing of ours left", routes => routes.Count == 0);
        await Until.TrueAsync("session down at the router", async () => !await bed.Router.IsEstablishedAsync(), InteropBed.Generous, bed.Output, InteropBed.Poll);
        await bed.StartSpeakerAsync();
        await bed.AwaitTableAsync();
        Assert.Empty(await bed.Router.GetReceivedAsync());
        await AnnounceAsync(bed, prefixes);
    }

    /// <summary>Packets between the two vanish: both notice by their hold timers and drop each other's routes; when the network is back, so is the session.</summary>
    public static async Task DropsOnHoldTimeAsync(InteropBed bed)
    {
        await bed.StartSpeakerAsync(bed.PeerOptions with { HoldTime = TimeSpan.FromSeconds(5) });
        await bed.AwaitTableAsync();
        IpPrefix[] prefixes = [bed.Prefixes[0], bed.Prefixes[^1]];
        await AnnounceAsync(bed, prefixes);
        await bed.Network.RunAsync("nft", "add table inet cut; add chain inet cut in { type filter hook input priority 0; }; add chain inet cut out { type filter hook output priority 0; }; "
            + $"add rule inet cut in ip saddr {bed.Addresses.Speaker4} drop; add rule inet cut out ip daddr {bed.Addresses.Speaker4} drop");
        PeerStatus seen = await bed.AwaitDownAsync();
        bed.Output.WriteLine($"last error: {seen.LastError}");
        Assert.Contains("hold timer expired", seen.LastError, StringComparison.Ordinal);
        Assert.Equal((0, 0), (seen.RoutesIPv4, seen.RoutesIPv6));
        await Until.TrueAsync("session down at the router", async () => !await bed.Router.IsEstablishedAsync(), InteropBed.Generous, bed.Output, InteropBed.Poll);
        await bed.AwaitReceivedAsync("nothing of ours left", routes => routes.Count == 0);
        await bed.Network.RunAsync("nft", "delete table inet cut");
        await bed.AwaitTableAsync();
        await AnnounceAsync(bed, prefixes);
    }

    /// <summary>
    /// A router that is stopped takes what its kernel has room for and then nothing. At a moderate rate the send hold timer ends the session. At full speed, with a
    /// send hold time that does not matter, memory here must not grow with what is offered, whether the session ends for it or not.
    /// </summary>
    public static async Task GivesUpSlowReaderAsync(InteropBed bed)
    {
        // The hold timer must not be first.
        BgpPeerOptions peer = bed.PeerOptions with { HoldTime = TimeSpan.FromSeconds(90), SendHoldTime = TimeSpan.FromSeconds(2) };
        await using (BgpSpeaker patient = await bed.StartSpeakerAsync(peer))
        {
            await bed.AwaitTableAsync();
            IReadOnlyList<Override> overrides = MakeOverrides(bed);
            await bed.Router.FreezeAsync();
            PeerStatus seen = await Until.ValueAsync(
                "session given up", () => Task.FromResult(Pump(bed, overrides, rounds: 1)), status => status.State != SessionState.Established,
                InteropBed.Generous, bed.Output, InteropBed.Poll);
            bed.Output.WriteLine($"last error: {seen.LastError}");
            Assert.Contains("send hold timer expired", seen.LastError, StringComparison.Ordinal);
            await bed.Router.ThawAsync();
            await bed.AwaitTableAsync(RecoveryLimit);
        }

        await bed.StartSpeakerAsync(peer with { SendHoldTime = TimeSpan.FromMinutes(8) });
        await bed.AwaitTableAsync(RecoveryLimit);
        IReadOnlyList<Override> again = MakeOverrides(bed);
        await bed.Router.FreezeAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        PeerStatus after = Pump(bed, again, Rounds);

        // Other cells of the matrix use the same memory and give it back; what waits for this router stays for as long as it is stopped.
        long growth = await Until.ValueAsync(
            "memory to be what it was, but for a bounded queue", () => Task.FromResult(GC.GetTotalMemory(forceFullCollection: true) - before), g => g <= MemoryLimit,
            WithinHoldTime, bed.Output, InteropBed.Poll);
        bed.Output.WriteLine($"memory grew by {growth >> 10} KiB, session {after.State}, last error: {after.LastError}");
        await bed.Router.ThawAsync();
        await bed.AwaitTableAsync(RecoveryLimit);
        await AnnounceAsync(bed, [bed.Prefixes[0], bed.Prefixes[^1]], RecoveryLimit);
    }

    private static List<Override> MakeOverrides(InteropBed bed)
    {
        var overrides = new List<Override>();
        foreach (IpPrefix prefix in bed.Prefixes)
        {
            Assert.True(bed.Speaker.TryCreateOverride(prefix, bed.Addresses.Provider(2, prefix.Family), out Override? created, out _));
            overrides.Add(created!);
        }

        return overrides;
    }

    /// <summary>Announces and withdraws everything, over and over, until that is done or the session ends.</summary>
    private static PeerStatus Pump(InteropBed bed, IReadOnlyCollection<Override> overrides, int rounds)
    {
        for (int round = 0; round < rounds && bed.Peer.State == SessionState.Established; round++)
        {
            bed.Speaker.Announce(overrides);
            bed.Speaker.WithdrawAll();
        }

        return bed.Peer;
    }

    private static async Task AnnounceAsync(InteropBed bed, IpPrefix[] prefixes, TimeSpan? limit = null)
    {
        bed.Announce(prefixes);
        await bed.AwaitReceivedAsync("overrides at the router", routes => routes.Count == prefixes.Length, limit);
    }
}
