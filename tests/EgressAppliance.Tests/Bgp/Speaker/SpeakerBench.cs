using System.Net.Sockets;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>A speaker that connects to one scripted router.</summary>
internal sealed class SpeakerBench : IAsyncDisposable
{
    public Socket Listener { get; private set; } = null!;

    public BgpSpeaker Speaker { get; private set; } = null!;

    public ScriptedRouter Router { get; private set; } = null!;

    public PeerStatus Status => Speaker.GetPeers()[0];

    /// <summary>The router has taken the connection and said nothing yet.</summary>
    public static async Task<SpeakerBench> ConnectAsync(
        Func<BgpPeerOptions, BgpPeerOptions>? changePeer = null, Func<BgpSpeakerOptions, BgpSpeakerOptions>? change = null, TimeProvider? time = null)
    {
        var bench = new SpeakerBench { Listener = ScriptedRouter.Listen(out int port) };
        BgpSpeakerOptions options = SpeakerFixture.Options((changePeer ?? (p => p))(SpeakerFixture.Peer(port)));
        bench.Speaker = await SpeakerFixture.StartAsync((change ?? (o => o))(options), null, time);
        bench.Router = await ScriptedRouter.AcceptAsync(bench.Listener);
        return bench;
    }

    /// <summary>The router has said all that the session needs, <paramref name="open"/> first.</summary>
    public static async Task<SpeakerBench> StartAsync(
        Func<BgpPeerOptions, BgpPeerOptions>? changePeer = null, OpenMessage? open = null, Func<BgpSpeakerOptions, BgpSpeakerOptions>? change = null,
        TimeProvider? time = null)
    {
        SpeakerBench bench = await ConnectAsync(changePeer, change, time);
        await bench.Router.EstablishAsync(open);
        return bench;
    }

    public async ValueTask DisposeAsync()
    {
        await Router.DisposeAsync();
        await Speaker.DisposeAsync();
        Listener.Dispose();
    }
}
