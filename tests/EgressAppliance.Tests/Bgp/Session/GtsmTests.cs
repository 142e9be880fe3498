using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Tests.Bgp.Speaker;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>GTSM (RFC 5082) on loopback, where the kernel checks TTLs as on any interface.</summary>
public sealed class GtsmTests
{
    [Fact]
    public async Task Router_on_our_wire_gets_a_session_and_one_behind_others_no_answer()
    {
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer() with { TtlSecurity = true }));
        IPEndPoint endpoint = speaker.ListeningOn[0];

        using (var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Ttl = 1 })
        {
            // The kernel drops the SYN: not even a refusal comes back.
            using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(1.5));
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await far.ConnectAsync(endpoint, enough.Token));
        }

        Assert.Equal(SessionState.Active, speaker.GetPeers()[0].State);
        await using ScriptedRouter near = await ScriptedRouter.ConnectAsync(endpoint, prepare: s => s.Ttl = 255);
        await near.EstablishAsync();
        await speaker.UntilEstablishedAsync();
    }

    [Fact]
    public async Task Far_router_gets_nothing_over_the_connection_where_another_peer_needs_no_gtsm()
    {
        BgpSpeakerOptions options = SpeakerFixture.Options(SpeakerFixture.PassivePeer("127.0.0.2") with { TtlSecurity = true }, SpeakerFixture.PassivePeer("127.0.0.3"));
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(options);
        await using ScriptedRouter other = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.3"));
        await other.EstablishAsync();
        await speaker.UntilEstablishedAsync(1);

        // Its handshake passes, since the listener serves both; then it is closed, and what it sent at once is not looked at.
        await using ScriptedRouter far = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.2"), s => s.Ttl = 64);
        try
        {
            far.Send(ScriptedRouter.OpenOf().Encode);
            far.Send(KeepaliveMessage.Encode);
        }
        catch (SocketException)
        {
            // The speaker was quicker to close.
        }

        Assert.Empty(await far.ExpectCloseAsync());
        Assert.NotEqual(SessionState.Established, speaker.GetPeers()[0].State);
        Assert.Equal(0, speaker.GetPeers()[0].MessagesReceived);
        await using ScriptedRouter near = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.2"), s => s.Ttl = 255);
        await near.EstablishAsync();
        await speaker.UntilEstablishedAsync();
    }

    [Fact]
    public async Task Two_speakers_with_gtsm_find_each_other()
    {
        await using BgpSpeaker passive = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer() with { TtlSecurity = true }));
        BgpPeerOptions peer = SpeakerFixture.Peer(passive.ListeningOn[0].Port) with { TtlSecurity = true };
        await using BgpSpeaker active = await SpeakerFixture.StartAsync(SpeakerFixture.Options(peer) with { Listen = [], RouterId = 7 });

        await active.UntilEstablishedAsync();
        await passive.UntilEstablishedAsync();
    }
}
