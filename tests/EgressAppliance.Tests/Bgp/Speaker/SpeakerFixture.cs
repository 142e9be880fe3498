using System.Net;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Makes speakers for the tests and waits for what they come to.</summary>
internal static class SpeakerFixture
{
    public const uint Marker = (65000u << 16) | 666;
    public const uint RouterId = 0x0A0000FE;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static BgpPeerOptions Peer(int remotePort, string address = "127.0.0.1") => new()
    {
        Name = "edge-" + address,
        RemoteAddress = IPAddress.Parse(address),
        RemotePort = remotePort,
        LocalAs = ScriptedRouter.As,
        PeerAs = ScriptedRouter.As,
        ConnectRetry = TimeSpan.FromMilliseconds(200),
    };

    public static BgpPeerOptions PassivePeer(string address = "127.0.0.1") => Peer(179, address) with { Passive = true };

    public static BgpSpeakerOptions Options(params BgpPeerOptions[] peers) => new()
    {
        RouterId = RouterId,
        Peers = peers,
        Listen = [new IPEndPoint(IPAddress.Loopback, 0)],
        AllowedNextHops = new HashSet<IpAddr>(
            new[] { "100.64.1.2", "100.64.2.2", "100.64.3.2", "2001:db8:ff:2::2", "192.0.2.2" }.Select(a => IpAddr.Parse(a))),
        OwnAddresses = new HashSet<IpAddr> { IpAddr.Parse("192.0.2.2") },
        MarkerCommunity = Marker,
        QuietTime = TimeSpan.FromMilliseconds(300),
    };

    public static async Task<BgpSpeaker> StartAsync(BgpSpeakerOptions options, IRibListener? listener = null, TimeProvider? time = null)
    {
        var speaker = new BgpSpeaker(options, listener, time ?? TimeProvider.System, NullLoggerFactory.Instance);
        await speaker.StartAsync(CancellationToken.None);
        return speaker;
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        long start = Environment.TickCount64;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 - start < Patience.TotalMilliseconds, "the condition did not come true");
            await Task.Delay(5);
        }
    }

    public static Task UntilEstablishedAsync(this BgpSpeaker speaker, int peer = 0) =>
        UntilAsync(() => speaker.GetPeers()[peer].State == SessionState.Established);

    public static Task UntilPathsAsync(this BgpSpeaker speaker, string prefix, int count) =>
        UntilAsync(() => speaker.GetPaths(IpPrefix.Parse(prefix)).Count == count);

    public static Override Create(this BgpSpeaker speaker, string prefix, string nextHop)
    {
        Assert.True(speaker.TryCreateOverride(IpPrefix.Parse(prefix), IpAddr.Parse(nextHop), out Override? created, out OverrideRefusal refusal), refusal.ToString());
        return created!;
    }

    public static OverrideRefusal Refusal(this BgpSpeaker speaker, string prefix, string nextHop)
    {
        Assert.False(speaker.TryCreateOverride(IpPrefix.Parse(prefix), IpAddr.Parse(nextHop), out _, out OverrideRefusal refusal));
        return refusal;
    }
}
