using System.Buffers.Binary;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Flow;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.Flow;

public sealed class FlowCollectorTests
{
    private const string Big = "203.0.113.7";
    private static readonly IpAddr Router = IpAddr.Parse("192.0.2.1", null);

    [Fact]
    public void Receive_flood_from_unknown_addresses_is_counted_and_never_decoded()
    {
        using Site site = new();
        byte[] datagram = FlowDatagrams.NetFlow5(1, 0, new ExportedFlow(Big, 3, 10, 15_000));
        for (uint i = 0; i < 100_000; i++)
        {
            site.Collector.Receive(IpAddr.FromIPv4(0x0A000000 + i), 2055, datagram);
        }

        FlowReading reading = site.Collector.Read();
        Assert.Equal(100_000, reading.UnknownExporter);
        Assert.Equal(8, reading.Unknown.Count);
        Assert.Equal(0, reading.Exporters[0].Datagrams);
        Assert.Empty(site.Take(5));
    }

    [Fact]
    public void Receive_mutated_datagrams_of_an_exporter_end_in_a_counter_each()
    {
        using Site site = new();
        Random random = new(20261127);
        byte[][] seeds = [.. FlowCorpusTests.Load(TestData.Path("flow")).Select(d => d.Bytes)];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. seeds[random.Next(seeds.Length)]];
            for (int m = random.Next(0, 6); m > 0; m--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            site.Collector.Receive(Router, (ushort)random.Next(4), bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length));
            if (i % 100 == 0)
            {
                Assert.All(site.Take(1), c => Assert.True(c is { IpBytes: >= 0, Packets: >= 0, Sampling: >= 1 }));
            }
        }

        ExporterReading read = site.Collector.Read().Exporters[0];
        Assert.Equal(20_000, read.Datagrams);
        Assert.True(read.Refused.Values.Sum() > 0);
        Assert.Equal(read.Records, read.Counted + read.Discarded.Values.Sum());
    }

    [Fact]
    public void Receive_finds_the_link_by_the_ifIndex_that_SNMP_tells()
    {
        using Site site = new();
        site.Indexes(3, 4, 5);
        site.Take(1);
        site.Receive(FlowDatagrams.NetFlow5(1, 0, new(Big, 4, 10, 15_000), new(Big, 9, 10, 15_000), new(Big, 0, 10, 15_000), new(Big, 5, 1, 0)));
        Assert.Equal(new CounterCell(site.Id, new LinkId(2), 10, 15_000) { Sampling = 1 }, Assert.Single(site.Take(1)));
        ExporterReading read = site.Collector.Read().Exporters[0];
        Assert.Equal((4L, 1L), (read.Records, read.Counted));
        Assert.Equal([("empty", 1L), ("no_output", 1L), ("other_interface", 1L)], read.Discarded.Select(d => (d.Key, d.Value)).Order());
        Assert.Equal(9u, read.OtherInterface);
        Assert.All(site.Collector.Read().Links, l => Assert.Equal(FlowAttribution.Snmp, l.By));
    }

    [Fact]
    public void Receive_finds_the_link_by_next_hop_until_its_ifIndex_is_known()
    {
        using Site site = new();
        site.Take(1);
        site.Receive(FlowDatagrams.NetFlow5(1, 0, new ExportedFlow(Big, 9, 10, 15_000, NextHop: "100.64.3.2")));
        Assert.Equal(new LinkId(3), Assert.Single(site.Take(1)).Link);
        Assert.All(site.Collector.Read().Links, l => Assert.Equal(FlowAttribution.NextHop, l.By));

        site.Indexes(3, 4, 5);
        site.Take(1);
        site.Receive(FlowDatagrams.NetFlow5(2, 0, new ExportedFlow(Big, 9, 10, 15_000, NextHop: "100.64.3.2")));
        Assert.Empty(site.Take(1));
        Assert.Equal(1, site.Collector.Read().Exporters[0].Discarded["other_interface"]);
    }

    [Fact]
    public void Receive_takes_the_ifIndex_of_the_configuration_and_leaves_mirrored_links_to_the_mirror()
    {
        using Site site = new(c => c with
        {
            Links = [c.Links[0] with { Interface = "index:17" }, c.Links[1] with { Interface = "index:18", MatchVlan = 18 }, c.Links[2]],
        });
        site.Receive(FlowDatagrams.NetFlow5(1, 0, new ExportedFlow(Big, 17, 10, 15_000), new ExportedFlow(Big, 18, 10, 15_000)));
        Assert.Equal(new LinkId(1), Assert.Single(site.Take(1)).Link);
        FlowReading reading = site.Collector.Read();
        Assert.Equal(1, reading.Exporters[0].Discarded["mirrored"]);
        Assert.Equal([("a", 17u, FlowAttribution.Configured), ("c", null, FlowAttribution.NextHop)], reading.Links);
    }

    [Fact]
    public void Receive_scales_by_what_the_exporter_says_and_else_by_the_configuration()
    {
        using Site site = new(c => c with { Flow = c.Flow! with { Exporters = [c.Flow.Exporters[0] with { Sampling = 50 }] } });
        site.Indexes(3, 4, 5);
        site.Take(1);
        site.Receive(FlowDatagrams.NetFlow5(1, 0, new ExportedFlow(Big, 3, 10, 15_000)));
        Assert.Equal((500L, 750_000L, 50.0), Counts(Assert.Single(site.Take(1))));
        Assert.False(site.Collector.Read().Exporters[0].SamplingTold);
        site.Receive(FlowDatagrams.NetFlow5(2, 1000, new ExportedFlow(Big, 3, 10, 15_000)));
        Assert.Equal((10_000L, 15_000_000L, 1000.0), Counts(Assert.Single(site.Take(1))));
        Assert.Equal((1000u, true), (site.Collector.Read().Exporters[0].Sampling, site.Collector.Read().Exporters[0].SamplingTold));

        static (long, long, double) Counts(CounterCell cell) => (cell.Packets, cell.IpBytes, cell.Sampling!.Value);
    }

    [Fact]
    public void Take_spreads_a_flow_over_its_duration_and_counts_a_sample_of_sFlow_at_once()
    {
        using Site site = new();
        site.Indexes(3, 4, 5);
        site.Take(1);
        site.Receive(FlowDatagrams.NetFlow5(1, 0, new ExportedFlow(Big, 3, 1_000, 1_200_000, 40_000)));
        Assert.InRange(Assert.Single(site.Take(10)).IpBytes, 295_000, 300_000);
        Assert.Equal(TimeSpan.FromSeconds(40), site.Collector.Read().Exporters[0].Delay);
        Assert.InRange(Assert.Single(site.Take(31)).IpBytes, 900_000, 905_000);

        site.Receive(FlowDatagrams.SFlow(1, 1000, new ExportedFlow(Big, 3, 1, 1_500)));
        CounterCell sampled = Assert.Single(site.Take(1));
        Assert.Equal((1_000L, 1_500_000L, 1000.0), (sampled.Packets, sampled.IpBytes, sampled.Sampling));
        Assert.Equal(FlowProtocol.SFlow5, site.Collector.Read().Exporters[0].Protocol);
    }

    [Fact]
    public void Take_spreads_what_has_no_times_over_the_active_timeout_and_what_is_longer_too()
    {
        using Site site = new();
        site.Indexes(3, 4, 5);
        site.Take(1);
        site.Receive(FlowDatagrams.IpfixWithoutTimes(0, new ExportedFlow(Big, 3, 600, 600_000)));
        Assert.InRange(Assert.Single(site.Take(30)).IpBytes, 295_000, 300_000);
        Assert.InRange(Assert.Single(site.Take(31)).IpBytes, 300_000, 305_000);
        site.Receive(FlowDatagrams.NetFlow5(1, 0, new ExportedFlow(Big, 3, 600, 600_000, 600_000)));
        Assert.InRange(Assert.Single(site.Take(30)).IpBytes, 295_000, 300_000);
        ExporterReading read = site.Collector.Read().Exporters[0];
        Assert.Equal((1L, 1L, 1), (read.Untimed, read.TooLong, read.Templates));
    }

    [Fact]
    public void Read_follows_the_sequence_of_each_port_for_itself()
    {
        using Site site = new();
        for (uint i = 0; i < 10; i++)
        {
            // Two processes on one address; of one, every second flow is missing.
            site.Collector.Receive(Router, 1, FlowDatagrams.NetFlow5(100 + i, 0, new ExportedFlow(Big, 3, 1, 100)));
            site.Collector.Receive(Router, 2, FlowDatagrams.NetFlow5(9000 + (2 * i), 0, new ExportedFlow(Big, 3, 1, 100)));
        }

        ExporterReading read = site.Collector.Read().Exporters[0];
        Assert.Equal((20L, 9L), (read.Received, read.Lost));
    }

    [Fact]
    public void Receive_implausible_counts_are_not_counted()
    {
        using Site site = new();
        site.Indexes(3, 4, 5);
        site.Take(1);
        byte[] morePacketsThanBytes = FlowDatagrams.NetFlow5(1, 0, new ExportedFlow(Big, 3, 10, 5));
        byte[] hugeSampling = FlowDatagrams.SFlow(1, uint.MaxValue, new ExportedFlow(Big, 3, 1, 1_500));
        site.Receive(morePacketsThanBytes);
        site.Receive(hugeSampling);
        Assert.Equal(1, site.Collector.Read().Exporters[0].Discarded["implausible"]);

        // 1,500 bytes times four billion are 6 TB: a link of 400 Gbit/s takes two minutes for them.
        Assert.Equal(1_500L * uint.MaxValue, Assert.Single(site.Take(1)).IpBytes);
        Assert.Equal(5u, BinaryPrimitives.ReadUInt16BigEndian(morePacketsThanBytes));
    }

    /// <summary>A router with the links a, b and c, which exports.</summary>
    private sealed class Site : IDisposable
    {
        private readonly ManualTimeProvider _time = new();
        private readonly PrefixTable _table = new();
        private InterfaceState[] _interfaces;

        public Site(Func<ApplianceConfig, ApplianceConfig>? change = null)
        {
            ApplianceConfig config = new()
            {
                Routers = [Bench.Router("edge1", snmp: true)],
                Links = [Bench.MakeLink(1, "a", "100.64.1.2"), Bench.MakeLink(2, "b", "100.64.2.2"), Bench.MakeLink(3, "c", "100.64.3.2")],
                Flow = new FlowConfig { Exporters = [new FlowExporterConfig { Address = Router, Router = "edge1" }] },
            };
            config = change?.Invoke(config) ?? config;
            _interfaces = [.. config.Links.Select(l => new InterfaceState { Link = l.Name, Router = l.Router, Interface = l.Interface })];
            Id = _table.Add(IpPrefix.Parse("203.0.113.0/24"));
            Collector = new FlowCollector(config, _table, () => _interfaces, _time);
        }

        public FlowCollector Collector { get; }

        public uint Id { get; }

        public void Indexes(params uint[] indexes) => _interfaces = [.. _interfaces.Select((state, i) => state with { IfIndex = indexes[i] })];

        public void Receive(byte[] datagram) => Collector.Receive(Router, 2055, datagram);

        public IReadOnlyList<CounterCell> Take(int seconds)
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            IReadOnlyList<CounterCell> cells = Collector.Take(_time.GetTimestamp());
            _table.Tick();
            return cells;
        }

        public void Dispose() => _table.Dispose();
    }
}
