using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Rows;

/// <summary>Limits on the number of prefixes, the router's and ours.</summary>
internal static class LimitRows
{
    private const int Cap = 4;

    /// <summary>With a cap below the router's limit the session stays whatever is asked for; without, the router ends it and we say why.</summary>
    public static async Task StaysBelowItsLimitAsync(InteropBed bed)
    {
        IpPrefix[] wanted = [.. bed.Prefixes.Where(prefix => prefix.Family == IpFamily.IPv4)];
        await using (BgpSpeaker capped = await bed.StartSpeakerAsync(bed.SpeakerOptions with { MaxOverrides = Cap }))
        {
            await bed.AwaitTableAsync();
            var refused = new List<OverrideRefusal>();
            foreach (IpPrefix prefix in wanted)
            {
                if (capped.TryCreateOverride(prefix, bed.Addresses.Provider(2, IpFamily.IPv4), out Override? created, out OverrideRefusal refusal))
                {
                    Assert.Empty(capped.Announce([created!]));
                }
                else
                {
                    refused.Add(refusal);
                }
            }

            Assert.Equal(Enumerable.Repeat(OverrideRefusal.TooMany, wanted.Length - Cap), refused);
            await bed.AwaitReceivedAsync("as many as the cap allows", routes => routes.Count == Cap);
            Assert.Equal(SessionState.Established, bed.Peer.State);
        }

        await bed.StartSpeakerAsync();
        await bed.AwaitTableAsync();
        bed.Announce(wanted);
        PeerStatus seen = await bed.AwaitDownAsync();
        bed.Output.WriteLine($"last error: {seen.LastError}");
        Assert.Contains("maximum number of prefixes reached", seen.LastError, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(bed.Speaker.GetOverrides());
    }

    /// <summary>More routes than we take: Cease/1, all of them dropped, and the reason told.</summary>
    public static async Task EndsAboveOurLimitAsync(InteropBed bed)
    {
        await using (BgpSpeaker limited = await bed.StartSpeakerAsync(bed.PeerOptions with { MaxPrefix = 5 }))
        {
            PeerStatus seen = await Until.ValueAsync(
                "limit told", () => Task.FromResult(bed.Peer), peer => peer.LastError?.Contains("more than max_prefix (5)", StringComparison.Ordinal) == true,
                InteropBed.Generous, bed.Output, InteropBed.Poll);
            Assert.NotEqual(SessionState.Established, seen.State);
            Assert.Equal((0, 0), (seen.RoutesIPv4, seen.RoutesIPv6));
            await Until.TrueAsync(
                "session down at the router", async () => !await bed.Router.IsEstablishedAsync(), InteropBed.Generous, bed.Output, InteropBed.Poll);
        }

        await bed.StartSpeakerAsync();
        await bed.AwaitTableAsync();
    }
}
