using System.Net;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Overrides whose attributes, with what we add, leave little or no room for a prefix in a message.</summary>
public sealed class LargeOverrideTests
{
    private const string Prefix = "20.0.0.0/24";
    private const string Provider = "100.64.2.2";

    // The router's UPDATE has 23 octets around its attributes, 35 of attributes that are no communities and 8 of prefix and path identifier: 4094 octets with 1007
    // communities. Ours has no path identifier and two communities more: 4098.
    private const int MostCommunities = 1006;

    [Fact]
    public async Task Override_that_just_fits_is_announced()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        await LearnAsync(bench.Router, bench.Speaker, MostCommunities);

        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create(Prefix, Provider)]));

        Received sent = await bench.Router.ExpectAsync(BgpMessageType.Update);
        Assert.Equal(4094, BgpConstants.HeaderLength + sent.Body.Length);
        Assert.Equal(MostCommunities + 2, sent.Update.Attributes!.Communities.Length);
    }

    [Fact]
    public async Task Override_larger_than_a_message_is_refused_when_made_and_when_announced()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        await LearnAsync(bench.Router, bench.Speaker, MostCommunities);
        Override small = bench.Speaker.Create(Prefix, Provider);
        await LearnAsync(bench.Router, bench.Speaker, MostCommunities + 1);

        Assert.Equal(OverrideRefusal.TooLarge, bench.Speaker.Refusal(Prefix, Provider));
        Assert.Equal([(IpPrefix.Parse(Prefix), OverrideRefusal.TooLarge)], bench.Speaker.Announce([small]));
        Assert.Empty(bench.Speaker.GetOverrides());
    }

    [Fact]
    public async Task Extended_messages_make_room()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(open: ScriptedRouter.OpenOf(more: BgpCapability.ExtendedMessage));
        bench.Router.ReceiveOptions = new() { ExtendedMessage = true };
        await LearnAsync(bench.Router, bench.Speaker, MostCommunities + 1);

        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create(Prefix, Provider)]));

        Assert.Equal(4098, BgpConstants.HeaderLength + (await bench.Router.ExpectAsync(BgpMessageType.Update)).Body.Length);
    }

    [Fact]
    public async Task Override_whose_path_grows_beyond_a_message_is_lost()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        var lost = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Speaker.OverrideLost += (_, reason) => lost.TrySetResult(reason);
        await LearnAsync(bench.Router, bench.Speaker, MostCommunities);
        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create(Prefix, Provider)]));
        await bench.Router.ExpectAsync(BgpMessageType.Update);

        await LearnAsync(bench.Router, bench.Speaker, MostCommunities + 1);

        Assert.Equal(Prefix, Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn).ToString());
        Assert.Equal("a message to edge-127.0.0.1 has no room for its attributes", await lost.Task.WaitAsync(TimeSpan.FromMinutes(2)));
        Assert.Empty(bench.Speaker.GetOverrides());
    }

    [Fact]
    public async Task Override_is_lost_when_a_router_comes_up_whose_messages_cannot_hold_it()
    {
        BgpSpeakerOptions options = SpeakerFixture.Options(SpeakerFixture.PassivePeer("127.0.0.2"), SpeakerFixture.PassivePeer("127.0.0.3"));
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(options);
        await using ScriptedRouter first = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.2"));
        first.ReceiveOptions = new() { ExtendedMessage = true };
        await first.EstablishAsync(ScriptedRouter.OpenOf(more: BgpCapability.ExtendedMessage));
        await LearnAsync(first, speaker, MostCommunities + 1);
        Assert.Empty(speaker.Announce([speaker.Create(Prefix, Provider)]));
        await first.ExpectAsync(BgpMessageType.Update);

        await using ScriptedRouter second = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.3"));
        await second.EstablishAsync();

        Assert.Equal(Prefix, Assert.Single((await first.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn).ToString());
        Assert.Empty(speaker.GetOverrides());
    }

    private static async Task LearnAsync(ScriptedRouter router, BgpSpeaker speaker, int communities)
    {
        uint[] many = [.. Enumerable.Range(0, communities).Select(c => (64500u << 16) + (uint)c)];
        router.Announce(ScriptedRouter.Via(Provider, 64502, 100, many), 2, Prefix);
        await SpeakerFixture.UntilAsync(() => speaker.GetPaths(IpPrefix.Parse(Prefix)) is [RibPath path] && path.Attributes.Communities.Length == communities);
    }
}
