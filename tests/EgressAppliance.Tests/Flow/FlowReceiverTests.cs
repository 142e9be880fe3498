using System.Net;
using System.Net.Sockets;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;
using EgressAppliance.Net;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.Flow;

public sealed class FlowReceiverTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Receiver_gives_datagrams_with_their_sender_to_the_collector(string address)
    {
        IPAddress loopback = IPAddress.Parse(address);
        using PrefixTable table = new();
        ApplianceConfig config = Config(loopback, 1 << 20);
        FlowCollector collector = new(config, table, () => [], TimeProvider.System);
        await using FlowPipeline pipeline = new(null, collector, Open(config, collector, out int port), TimeProvider.System);
        pipeline.Start();
        using Socket exporter = new(loopback.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        byte[] datagram = FlowDatagrams.NetFlow5(1, 0, new ExportedFlow("203.0.113.7", 17, 10, 15_000));
        exporter.SendTo(datagram, new IPEndPoint(loopback, port));
        exporter.SendTo(datagram.AsSpan(0, 10), new IPEndPoint(loopback, port));
        await Bench.UntilAsync(() => pipeline.Read().Exporters[0].Datagrams == 2);
        FlowReading reading = pipeline.Read();
        Assert.Equal((1L, 1L), (reading.Exporters[0].Records, reading.Exporters[0].Refused["truncated"]));
        Assert.Equal((2L, 0L, null), (reading.Listeners[0].Datagrams, reading.Listeners[0].KernelDropped, reading.Listeners[0].Message));
        Assert.Equal(15_000, Assert.Single(pipeline.TakeSnapshot().Cells).IpBytes);
        Assert.False(pipeline.Completion.IsCompleted);
    }

    [Fact]
    public async Task Receiver_counts_what_the_kernel_drops()
    {
        using PrefixTable table = new();
        ApplianceConfig config = Config(IPAddress.Loopback, 4096);
        FlowCollector collector = new(config, table, () => [], TimeProvider.System);
        await using FlowReceiver receiver = Open(config, collector, out int port);
        using Socket exporter = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        byte[] datagram = new byte[1400];
        for (int i = 0; i < 100; i++)
        {
            // Nothing reads yet.
            exporter.SendTo(datagram, new IPEndPoint(IPAddress.Loopback, port));
        }

        await Bench.UntilAsync(() => receiver.Read()[0].KernelDropped > 0);
        receiver.Start();
        await Bench.UntilAsync(() => receiver.Read()[0] is var l && l.Datagrams + l.KernelDropped == 100);
    }

    [Fact]
    public async Task Receiver_says_which_address_is_taken()
    {
        using PrefixTable table = new();
        ApplianceConfig config = Config(IPAddress.Loopback, 1 << 16);
        FlowCollector collector = new(config, table, () => [], TimeProvider.System);
        await using FlowReceiver receiver = Open(config, collector, out int port);
        IOException taken = Assert.Throws<IOException>(() => new FlowReceiver(config.Flow! with { Listen = [new IPEndPoint(IPAddress.Loopback, port)] }, collector));
        Assert.Contains($"127.0.0.1:{port}/udp", taken.Message, StringComparison.Ordinal);
    }

    private static FlowReceiver Open(ApplianceConfig config, FlowCollector collector, out int port)
    {
        FlowReceiver receiver = new(config.Flow!, collector);
        port = receiver.Ports[0];
        return receiver;
    }

    private static ApplianceConfig Config(IPAddress loopback, int buffer) => new()
    {
        Routers = [Bench.Router("edge1", snmp: false)],
        Links = [Bench.MakeLink(1, "a", "100.64.1.2") with { Interface = "index:17" }],
        Flow = new FlowConfig
        {
            Listen = [new IPEndPoint(loopback, 0)],
            Exporters = [new FlowExporterConfig { Address = IpAddr.From(loopback), Router = "edge1" }],
            ReceiveBuffer = buffer,
        },
    };
}
