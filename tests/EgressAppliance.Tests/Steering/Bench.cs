using System.Diagnostics;
using System.Net;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Host;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Leadership;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Host.Traffic;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Steering;

/// <summary>
/// All of steering around fakes: a site of one router and the links a (next hop 100.64.1.2), b (100.64.2.2) and c (100.64.3.2) of 100 Mbit/s each.
/// </summary>
internal sealed class Bench : IAsyncDisposable
{
    public const string Big = "203.0.113.0/24";
    public const string Second = "198.51.100.0/24";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private int _cycles;

    public Bench(ApplianceMode mode = ApplianceMode.Inject, Func<ApplianceConfig, ApplianceConfig>? change = null, IJournalSink? journal = null, ILeadership? leadership = null)
    {
        ApplianceConfig config = new()
        {
            Site = "test",
            Mode = mode,
            Capture = new CaptureConfig { Sources = [new CaptureSourceConfig { Interface = "mirror0" }] },
            Routers = [Router("edge1", snmp: true)],
            Links = [MakeLink(1, "a", "100.64.1.2"), MakeLink(2, "b", "100.64.2.2"), MakeLink(3, "c", "100.64.3.2")],
            Decision = new DecisionConfig { MaxShare = 1, MaxSharePerCycle = 1, CycleJitter = 0 },
        };
        Config = change?.Invoke(config) ?? config;
        Wall = new SteppedTime(Time);
        Clock = new SteadyClock(Wall);
        Pipeline = new FakePipeline(Time);
        Links = new LinkDirectory(Config.Links);
        Interfaces = [.. Config.Links.Select(l => new InterfaceState
        {
            Link = l.Name, Router = l.Router, Interface = l.Interface, OperStatus = OperStatus.Up, CapacityBps = l.CapacityBps,
        })];
        Installer = new RouteInstaller(Speaker, Links, NullLogger<RouteInstaller>.Instance);
        Inputs = new InputCollector(
            Config, new LocalTraffic(Pipeline, Table, Config), () => [.. Interfaces.Select(i => i with { LastPoll = PollsFail ? i.LastPoll : Wall.GetUtcNow() })], () => [], Speaker,
            Links, Clock, Config.Flow is null ? null : () => Flow!);
        Loop = new SteeringLoop(Config, Inputs, Installer, Speaker, Links, Clock, NullLogger<SteeringLoop>.Instance, journal, leadership: leadership);
        Builder = new StateBuilder(Config, Links, Speaker, new MonitoringView(null), Table, Wall);
        Explainer = new Explainer(Speaker, Links, new RouterChoices(Speaker, Links, Config.Decision.MarkerCommunity), new RoutePolicies(Config.Decision.Policies, Links), Table);
        Loop.CycleDone += (_, _, _) => BeforePublication?.Invoke();
        Api = new ApplianceApi(Loop, Builder, Explainer, Installer, Links, new RibView(Speaker, Links, Table, Config, Wall), Builder.Empty(mode), new CostView(Config, () => Loop.Billing, null),
            new ConfigDto(null, null, ""), new ClusterView(Config));
        Loop.CycleDone += (_, outcome, _) =>
        {
            Last = outcome;
            Interlocked.Increment(ref _cycles);
        };
        Learn(Big, "100.64.1.2", "100.64.2.2", "100.64.3.2");
        Learn(Second, "100.64.1.2", "100.64.2.2");
    }

    public ManualTimeProvider Time { get; } = new();

    public SteppedTime Wall { get; }

    public SteadyClock Clock { get; }

    public ApplianceConfig Config { get; }

    public FakePipeline Pipeline { get; }

    public FakeSpeaker Speaker { get; } = new();

    public PrefixTable Table { get; } = new();

    public LinkDirectory Links { get; }

    /// <summary>What flow export has done, where there is any.</summary>
    public FlowReading? Flow { get; set; }

    public List<InterfaceState> Interfaces { get; }

    /// <summary>The routers answer no more; else each reading is fresh.</summary>
    public bool PollsFail { get; set; }

    public RouteInstaller Installer { get; }

    public InputCollector Inputs { get; }

    public SteeringLoop Loop { get; }

    public StateBuilder Builder { get; }

    public Explainer Explainer { get; }

    public ApplianceApi Api { get; }

    public CycleOutcome? Last { get; private set; }

    /// <summary>Runs after each cycle's turn, before its result is published.</summary>
    public Action? BeforePublication { get; set; }

    public int Cycles => Volatile.Read(ref _cycles);

    public static RouterConfig Router(string name, bool snmp) => new()
    {
        Name = name,
        Address = IPAddress.Loopback,
        Bgp = new BgpConfig { LocalAddress = IPAddress.Loopback, LocalAs = 64500, PeerAs = 64500 },
        Snmp = snmp ? new SnmpConfig { Community = "s3cret" } : null,
    };

    public static LinkConfig MakeLink(ushort id, string name, params string[] nextHops) => new()
    {
        Id = new LinkId(id),
        Name = name,
        Router = "edge1",
        Interface = "if-" + name,
        NextHops = [.. nextHops.Select(n => IpAddr.Parse(n))],
        CapacityBps = 100_000_000,
    };

    /// <summary>The demand of a prefix that the decision maker is given; null if it is given none.</summary>
    public static PrefixDemand? Demand(CycleInputs inputs, string prefix) => inputs.Input.Prefixes.SingleOrDefault(p => p.Prefix == IpPrefix.Parse(prefix));

    /// <summary>Sets what the interface counters of all links say, bit/s.</summary>
    public void SetOut(double? bps)
    {
        for (int i = 0; i < Interfaces.Count; i++)
        {
            Interfaces[i] = Interfaces[i] with { OutBps = bps };
        }
    }

    public static Func<ApplianceConfig, ApplianceConfig> WithLink(int index, Func<LinkConfig, LinkConfig> change) =>
        config => config with { Links = [.. config.Links.Select((l, i) => i == index ? change(l) : l)] };

    public uint Learn(string prefix, params string[] nextHops)
    {
        Speaker.Learn(prefix, nextHops);
        Table.Add(IpPrefix.Parse(prefix));
        return Id(prefix);
    }

    public uint Id(string prefix) => Table.TryGetId(IpPrefix.Parse(prefix), out uint id) ? id : throw new ArgumentException(prefix);

    /// <summary>Traffic of the next five seconds: 1000-byte packets.</summary>
    public void Send(string? prefix, ushort link, double mbps, string source = "mirror0")
    {
        long packets = (long)(mbps * 1e6 * 5 / 8 / 1000);
        Pipeline.Count(prefix is null ? 0 : Id(prefix), link, packets, packets * 1000, source);
    }

    /// <summary>One reading of all inputs, five seconds after the one before, with what <paramref name="send"/> counted in between.</summary>
    public CycleInputs Collect(Action? send = null, IReadOnlyList<OverrideEntry>? overrides = null)
    {
        Time.Advance(Config.Decision.Cycle);
        send?.Invoke();
        return Inputs.Collect(overrides ?? []);
    }

    public CycleInputs Collect(int times, Action? send = null, IReadOnlyList<OverrideEntry>? overrides = null)
    {
        CycleInputs inputs = Collect(send, overrides);
        for (int i = 1; i < times; i++)
        {
            inputs = Collect(send, overrides);
        }

        return inputs;
    }

    /// <summary>Starts the loop and waits until its first cycle is over.</summary>
    public async Task StartAsync()
    {
        Loop.Start();
        await UntilAsync(() => Cycles == 1);
    }

    /// <summary>Runs whole cycles with traffic.</summary>
    public async Task CycleAsync(int times = 1, Action? send = null)
    {
        for (int i = 0; i < times; i++)
        {
            send?.Invoke();
            int before = Cycles;
            Time.Advance(Config.Decision.Cycle);
            await UntilAsync(() => Cycles > before || Loop.Completion.IsCompleted);
        }
    }

    /// <summary>Plain BGP sends two prefixes of 60 Mbit/s each by link a of 100; what is announced goes where it is announced.</summary>
    public void Surge()
    {
        IReadOnlyDictionary<string, string> announced = Speaker.Announced();
        foreach (string prefix in new[] { Big, Second })
        {
            Send(prefix, announced.TryGetValue(prefix, out string? nextHop) ? Links.Links.First(l => l.NextHops.Contains(IpAddr.Parse(nextHop))).Id.Value : (ushort)1, 60);
        }
    }

    /// <summary>Runs until an override stands.</summary>
    public async Task<string> RelieveAsync()
    {
        await StartAsync();
        for (int i = 0; i < 20 && Speaker.Announced().Count == 0; i++)
        {
            await CycleAsync(1, Surge);
        }

        return Assert.Single(Speaker.Announced()).Key;
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        for (Stopwatch limit = Stopwatch.StartNew(); !condition(); await Task.Delay(1))
        {
            Assert.True(limit.Elapsed < Patience, "the condition did not come true");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Pipeline.OnSnapshot = null;
        await Loop.DisposeAsync();
        Table.Dispose();
    }
}
