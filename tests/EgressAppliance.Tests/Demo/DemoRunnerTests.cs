using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EgressAppliance.Capture;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Demo;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;
using EgressAppliance.Simulator;
using EgressAppliance.Simulator.Traffic;
using EgressAppliance.Tests.Simulator;

namespace EgressAppliance.Tests.Demo;

public class DemoRunnerTests
{
    [Fact]
    public async Task RunAsync_with_a_scripted_appliance_sums_up_what_the_router_saw()
    {
        StringWriter output = new();
        StringWriter narration = new();
        ScriptedAppliance? appliance = null;

        DemoSummary summary = await DemoRunner.RunAsync(
            new() { Duration = TimeSpan.FromSeconds(4), Json = true, Narration = narration, HttpPort = 0 },
            async (config, sources) => appliance = await ScriptedAppliance.StartAsync(config, sources.Single()), output, CancellationToken.None);

        Assert.Equal((2, 1), (summary.Moves, summary.Releases));
        Assert.Equal(appliance!.CountedPackets, summary.Packets);
        Assert.Equal(0, summary.LostPackets);
        Assert.True(summary.Packets > 10_000);
        Assert.InRange(summary.Links[0].PeakRatioWithout, 1.1, 1.25);
        Assert.InRange(summary.Links[1].PeakRatioWithout, 0.5, 0.6);
        Assert.True(summary.Links[1].PeakRatio > summary.Links[1].PeakRatioWithout);
        Assert.True(summary.OverloadSecondsWithout >= 1);

        using JsonDocument json = JsonDocument.Parse(output.ToString());
        Assert.Equal(
            ["links", "moves", "releases", "overload_seconds", "overload_seconds_without", "packets", "lost_packets"],
            json.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal(["name", "peak_ratio", "peak_ratio_without"], json.RootElement.GetProperty("links")[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal("isp-a", json.RootElement.GetProperty("links")[0].GetProperty("name").GetString());
        Assert.Equal(summary.Packets, json.RootElement.GetProperty("packets").GetInt64());

        string story = narration.ToString();
        Assert.Equal(2, story.Split('\n').Count(l => l.Contains(" move ", StringComparison.Ordinal) && l.Contains("isp-a -> isp-b", StringComparison.Ordinal)));
        Assert.Contains(" release ", story, StringComparison.Ordinal);

        // A line a second: on a busy machine none may fall into a given phase of so short a demo.
        Assert.Matches("(?m)^ *\\d:\\d\\d \\w+ +isp-a \\[", story);
    }

    [Fact]
    public async Task RunAsync_whose_appliance_never_gets_ready_fails_with_its_reason()
    {
        DemoException failure = await Assert.ThrowsAsync<DemoException>(() => DemoRunner.RunAsync(
            new() { Duration = TimeSpan.FromSeconds(4), HttpPort = 0, StartTimeout = TimeSpan.FromMilliseconds(100) },
            (_, _) => Task.FromResult<IDemoAppliance>(new IdleAppliance()), TextWriter.Null, CancellationToken.None));

        Assert.Contains("waiting for a miracle", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Build_takes_a_free_port_when_the_wanted_one_is_in_use_and_names_every_link()
    {
        await using SimulatedNetwork network = new(SurgeScenario.Endless);
        using TcpListener holder = new(IPAddress.Loopback, 0);
        holder.Start();

        ApplianceConfig config = DemoConfig.Build(network, new() { HttpPort = ((IPEndPoint)holder.LocalEndpoint).Port });

        Assert.Equal(0, config.Http.Listen.Port);
        Assert.Equal(ApplianceMode.Inject, config.Mode);
        Assert.Equal(network.Bgp.LocalEndPoint.Port, config.Routers[0].Bgp.Port);
        Assert.Equal(network.Agent.LocalEndPoint.Port, config.Routers[0].Snmp!.Port);
        Assert.Equal(["isp-a", "isp-b", "isp-c"], config.Links.Select(l => l.Name));
        Assert.Equal(network.Router.Links.Select(l => (MacAddress?)l.ProviderMac), config.Links.Select(l => l.MatchMac));
        Assert.Equal([1, 2, 3], config.Links.Select(l => (int)l.Id.Value));
    }

    /// <summary>Counts every frame, moves two large prefixes as soon as it has the table, and gives one of them back later.</summary>
    private sealed class ScriptedAppliance : IDemoAppliance
    {
        private readonly ScriptedSpeaker _speaker;
        private readonly Task _reading;
        private long _counted;

        private ScriptedAppliance(ScriptedSpeaker speaker, IPacketSource source)
        {
            _speaker = speaker;
            _reading = Task.Run(() => ReadFrames(source));
        }

        public int HttpPort => 1;

        public long CountedPackets => Volatile.Read(ref _counted);

        public IApplianceApi Api { get; } = new FixedApi(null);

        public static async Task<ScriptedAppliance> StartAsync(ApplianceConfig config, IPacketSource source)
        {
            RouterConfig router = config.Routers[0];
            ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(new(router.Address, router.Bgp.Port));
            await speaker.EstablishAsync(router.Bgp.LocalAs, holdTime: 0);
            IpAddr a = config.Links[0].NextHops[0];
            await speaker.FollowUntilAsync(() => speaker.Routes.Count > 8000);
            IpPrefix[] native = [.. speaker.Routes
                .Where(r => r.Key.Prefix.Family == IpFamily.IPv4)
                .GroupBy(r => r.Key.Prefix)
                .Where(g => g.Count() == 3 && g.MinBy(r => r.Value.AsPath.Length).Value.NextHop.Address == a)
                .Select(g => g.Key).Take(2)];
            ScriptedAppliance appliance = new(speaker, source);
            foreach (IpPrefix prefix in native)
            {
                await speaker.AnnounceAsync(prefix, config.Links[1].NextHops[0], 200, 64502, 1);
            }

            await speaker.WithdrawAsync(native[0]);
            return appliance;
        }

        public async ValueTask DisposeAsync()
        {
            _speaker.Dispose();
            await _reading;
        }

        private void ReadFrames(IPacketSource source)
        {
            FrameBlock block = new();
            SourceReadStatus status;
            while ((status = source.Read(block, TimeSpan.FromMilliseconds(100))) != SourceReadStatus.End)
            {
                Volatile.Write(ref _counted, _counted + (status == SourceReadStatus.Frames ? block.Count : 0));
            }
        }
    }

    private sealed class IdleAppliance : IDemoAppliance
    {
        public int HttpPort => 1;

        public long CountedPackets => 0;

        public IApplianceApi Api { get; } = new FixedApi("waiting for a miracle");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class FixedApi(string? notReady) : IApplianceApi
    {
        public StateEventDto State { get; } = new(null!, [], [], [], null);

        public IReadOnlyList<string> LinkNames => [];

        public string? NotReady => notReady;

        public Task<StateEventDto> NextStateAsync(StateEventDto? seen, CancellationToken cancellationToken) => Task.FromResult(State);

        public PrefixPage GetPrefixes(PrefixQuery query) => new([], false);

        public ClusterDto GetCluster() => throw new NotSupportedException();

        public MatrixDto GetMatrix(int top) => throw new NotSupportedException();

        public IReadOnlyList<DecisionDto> GetDecisions(int limit, long? before = null) => [];

        public ConfigDto Config => throw new NotSupportedException();

        public ExplainDto? Explain(string query) => null;

        public CostDto GetCost() => throw new NotSupportedException();

        public RibDto? GetRib(string query) => null;

        public Task<bool> WriteRibAsync(System.IO.Pipelines.PipeWriter output, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<OperationResult> SetModeAsync(string mode, CancellationToken cancellationToken) => Task.FromResult(OperationResult.Done);

        public OperationResult AddOverride(string prefix, string link) => OperationResult.Done;

        public OperationResult ReleaseOverride(string prefix) => OperationResult.Done;

        public OperationResult RefreshRoutes(string router) => throw new NotSupportedException();

        public Task<StopNotice> StopAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public void WriteMetrics(MetricWriter writer)
        {
        }
    }
}
