using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Net;
using EgressAppliance.Tests.Steering;
using AfPacketFanout = EgressAppliance.Capture.AfPacket.FanoutMode;
using ConfigFanout = EgressAppliance.Host.Config.FanoutMode;

namespace EgressAppliance.Tests.Pipeline;

public sealed class CaptureSourcesTests
{
    [Fact]
    public void ToMatches_gives_a_rule_for_each_link_that_names_something()
    {
        MacAddress mac = MacAddress.FromBytes([2, 0, 0, 0, 0, 1]);
        IReadOnlyList<LinkMatch> matches = CaptureSources.ToMatches(
        [
            Bench.MakeLink(1, "a") with { MatchMac = mac, MatchVlan = 100 },
            Bench.MakeLink(2, "b"),
            Bench.MakeLink(3, "c") with { MatchSource = "mirror1" },
        ]);
        Assert.Equal([new LinkMatch(new LinkId(1), mac, 100, null), new LinkMatch(new LinkId(3), null, null, "mirror1")], matches);
    }

    [Theory]
    [InlineData(CaptureBackend.AfPacket, 4, 0)]
    [InlineData(CaptureBackend.SharpPcap, 1, 0)]
    [InlineData(CaptureBackend.SharpPcap, 4, 3)]
    public void ToPipelineOptions_counting_threads_only_where_one_thread_must_read(CaptureBackend backend, int workers, int counting)
    {
        ApplianceConfig config = new()
        {
            Capture = new CaptureConfig
            {
                Sources = [new CaptureSourceConfig { Workers = 2 }, new CaptureSourceConfig { Backend = backend, Workers = workers }],
                IgnoreMacs = [MacAddress.FromBytes([2, 0, 0, 0, 0, 9])],
            },
            Links = [Bench.MakeLink(1, "a") with { MatchVlan = 7 }],
        };
        PipelineOptions live = CaptureSources.ToPipelineOptions(config, 2 + workers, live: true);
        Assert.Equal((counting, false), (live.CountingThreads, live.WaitForBatch));
        Assert.True(live.Batches >= 2 * (2 + workers + counting));
        Assert.Equal(config.Capture.IgnoreMacs, live.IgnoredMacs);
        Assert.Single(live.Links);
        Assert.True(CaptureSources.ToPipelineOptions(config, 2, live: false).WaitForBatch);
    }

    [Fact]
    public void ToPipelineOptions_takes_off_the_tunnels_that_are_named()
    {
        Assert.Equal(Decapsulation.None, Options().Decapsulation);
        Assert.Equal(Decapsulation.Erspan | Decapsulation.Vxlan, Options(MirrorTunnel.Erspan, MirrorTunnel.Vxlan).Decapsulation);
        Assert.Equal(Decapsulation.Gre | Decapsulation.IpInIp, Options(MirrorTunnel.IpInIp, MirrorTunnel.Gre).Decapsulation);

        static PipelineOptions Options(params MirrorTunnel[] tunnels) =>
            CaptureSources.ToPipelineOptions(new ApplianceConfig { Capture = new CaptureConfig { Decapsulate = tunnels } }, 1, live: true);
    }

    [Theory]
    [InlineData(ConfigFanout.Hash, AfPacketFanout.Hash)]
    [InlineData(ConfigFanout.Cpu, AfPacketFanout.Cpu)]
    [InlineData(ConfigFanout.Lb, AfPacketFanout.LoadBalance)]
    [InlineData(ConfigFanout.Rollover, AfPacketFanout.Rollover)]
    public void ToOptions_maps_every_key(ConfigFanout fanout, AfPacketFanout expected)
    {
        AfPacketOptions options = CaptureSources.ToOptions(new CaptureSourceConfig
        {
            Interface = "mirror0",
            Snaplen = 96,
            RingBytes = 32L << 20,
            BlockBytes = 1 << 18,
            BlockTimeout = TimeSpan.FromMilliseconds(7),
            Workers = 3,
            Fanout = fanout,
            Cpus = [1, 2, 3],
            Filter = "ip or ip6",
            Promiscuous = false,
        });
        Assert.Equal(("mirror0", 96, 32L << 20, 1 << 18, 3, expected), (options.Interface, options.SnapLength, options.RingBytes, options.BlockBytes, options.Workers, options.Fanout));
        Assert.Equal(("ip or ip6", false, TimeSpan.FromMilliseconds(7)), (options.Filter, options.Promiscuous, options.BlockTimeout));
        Assert.Equal([1, 2, 3], options.Cpus);
    }

    [Fact]
    public void Open_source_that_is_missing_fails_with_its_name()
    {
        CaptureConfig config = new() { Sources = [new CaptureSourceConfig { Backend = CaptureBackend.PcapFile, File = "/nonexistent/egress.pcap" }] };
        CaptureException thrown = Assert.Throws<CaptureException>(() => CaptureSources.Open(config));
        Assert.Contains("egress.pcap", thrown.Message);
    }
}
