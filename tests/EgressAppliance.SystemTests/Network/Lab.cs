using System.Diagnostics;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>
/// A content provider's network in namespaces, on real software:
///
///     content ──to-content── edge ──prov-a/b/c── isp-a/b/c ──from-a/b/c── clients (own 20.0.0.0/8 and 2a00::/16)
///                             │ mgmt 192.0.2.1/30 ── mgmt0 192.0.2.2 ┐
///                             │ span (egress mirror of prov-*) ─ mir0 ┴ appliance
///
/// With <see cref="LabOptions.MirrorSwitch"/> a switch is between span and mir0, which may lose, double, sample, tag and pad what it passes on.
///
/// With a second edge router, C is on that one, which a cable (`core`) and iBGP join to the first; it has a mirror port (`mir1`) and a session to the appliance
/// (192.0.2.6) of its own.
///
/// The edge (AS 65000) is FRR or BIRD with an SNMP agent; the providers are BIRD and announce the same prefixes with path
/// lengths 2, 3 and 4, so that plain BGP sends everything to A. Traffic is UDP from content to the clients, who count by provider
/// and destination what arrives: the truth that everything is measured against.
///
/// Offloads are off on every veth end, because a mirror would show super-frames of 64 kB otherwise. The mirror is taken with tc
/// before any queue, as a switch would take it. Everything belongs to this instance: names carry the process id and a counter,
/// daemons are ended by process id, and namespaces are deleted in <see cref="DisposeAsync"/> also after failures.
/// </summary>
internal sealed class Lab : IAsyncDisposable
{
    private const int TailLines = 60;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static int _counter;

    private readonly List<Daemon> _daemons = [];
    private readonly List<NetNamespace> _namespaces = [];
    private readonly string _name = NetNamespace.LabName(Interlocked.Increment(ref _counter));

    private MirrorSwitch? _mirror;

    private Lab(LabOptions options, ITestOutputHelper output)
    {
        Options = options;
        Output = output;
        Folder = Directory.CreateTempSubdirectory(_name + "-").FullName;

        // FRR's daemons drop their privileges and still must read their configuration.
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101);
    }

    /// <summary>How it was made.</summary>
    public LabOptions Options { get; }

    /// <summary>The test's output.</summary>
    public ITestOutputHelper Output { get; }

    /// <summary>Configurations and logs.</summary>
    public string Folder { get; }

    /// <summary>The edge router, the first if there are two.</summary>
    public IEdgeRouter Edge => Edges[0];

    /// <summary>A, B and C.</summary>
    public IReadOnlyList<Provider> Providers { get; private set; } = [];

    /// <summary>The native provider.</summary>
    public Provider A => Providers[0];

    /// <summary>The second best.</summary>
    public Provider B => Providers[1];

    /// <summary>The third best.</summary>
    public Provider C => Providers[2];

    /// <summary>Content servers.</summary>
    public TrafficGenerator Traffic { get; private set; } = null!;

    /// <summary>The clients' counters.</summary>
    public GroundTruth Truth { get; private set; } = null!;

    /// <summary>What is between the mirror port and the appliance, with <see cref="LabOptions.MirrorSwitch"/>.</summary>
    public MirrorSwitch Mirror => _mirror ?? throw new InvalidOperationException("this lab has no switch behind the mirror port");

    /// <summary>Where the appliance runs.</summary>
    public NetNamespace ApplianceNetwork { get; private set; } = null!;

    /// <summary>Where the edge router runs.</summary>
    public NetNamespace EdgeNetwork => Sites[0].Network;

    /// <summary>Where the edge routers stand; one, or two with <see cref="LabOptions.SecondEdge"/>.</summary>
    public IReadOnlyList<EdgeSite> Sites { get; private set; } = [];

    /// <summary>The edge routers in the order of <see cref="Sites"/>.</summary>
    public IReadOnlyList<IEdgeRouter> Edges { get; private set; } = [];

    /// <summary>Builds a lab, runs a test in it and tears it down; prints the daemons' logs if the test fails.</summary>
    public static async Task RunAsync(ITestOutputHelper output, LabOptions options, Func<Lab, Task> test)
    {
        SystemRequirements.Demand();
        await NetNamespace.SweepAsync();
        await using var lab = new Lab(options, output);
        try
        {
            await lab.StartAsync();
            await test(lab);
            if (lab.Traffic.Failure is { } failure)
            {
                throw new InvalidOperationException("the traffic generator stopped", failure);
            }

            if (lab._mirror?.Failure is { } broken)
            {
                throw new InvalidOperationException("the switch behind the mirror port stopped", broken);
            }
        }
        catch
        {
            await lab.PrintStateAsync();
            throw;
        }
    }

    /// <summary>Adds a process whose end the lab sees to.</summary>
    public void Adopt(Daemon daemon) => _daemons.Add(daemon);

    /// <summary>A daemon of the lab by its name, the latest if it was started more than once.</summary>
    public Daemon GetDaemon(string name) => _daemons.Last(daemon => daemon.Name == name);

    /// <summary>The interface by which the edge router's kernel sends to an address now.</summary>
    public Task<string> GetEgressInterfaceAsync(LabPrefix prefix) => GetEgressInterfaceAsync(prefix, Sites[0]);

    /// <summary>The interface by which the kernel of one of the edge routers sends to an address now.</summary>
    public static async Task<string> GetEgressInterfaceAsync(LabPrefix prefix, EdgeSite site)
    {
        string text = await Shell.CheckedAsync("ip", "-n", site.Network.Name, "-j", "route", "get", prefix.Target.ToString());
        using JsonDocument answer = JsonDocument.Parse(text);
        JsonElement route = answer.RootElement[0];
        return route.TryGetProperty("dev", out JsonElement device) ? device.GetString() ?? "" : route.GetProperty("type").GetString() ?? "";
    }

    /// <summary>Link loads over a time as the clients counted them, bit/s with layer-2 overhead, by provider.</summary>
    public async Task<IReadOnlyDictionary<Provider, double>> MeasureAsync(TimeSpan duration)
    {
        GroundTruthReading before = await Truth.ReadAsync();
        await Task.Delay(duration);
        GroundTruthReading after = await Truth.ReadAsync();
        var loads = Providers.ToDictionary(provider => provider, provider => GroundTruth.LinkRate(provider, before, after));
        Output.WriteLine("link loads at the clients: " + string.Join(", ", loads.Select(load => $"{load.Key.Link} {load.Value / 1e6:F2} Mbit/s")));
        return loads;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Traffic?.Dispose();
        _mirror?.Dispose();
        foreach (Daemon daemon in Enumerable.Reverse(_daemons))
        {
            await daemon.DisposeAsync();
        }

        foreach (NetNamespace network in _namespaces)
        {
            await network.DisposeAsync();
        }

        foreach (FrrRouter edge in Edges.OfType<FrrRouter>())
        {
            edge.CleanUp();
        }

        if (Environment.GetEnvironmentVariable("EGRESS_KEEP_LAB") != "1")
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private async Task StartAsync()
    {
        long start = Stopwatch.GetTimestamp();
        NetNamespace content = await AddNamespaceAsync("content");
        NetNamespace edge = await AddNamespaceAsync("edge");
        NetNamespace clients = await AddNamespaceAsync("clients");
        ApplianceNetwork = await AddNamespaceAsync("app");
        var providers = new List<Provider>();
        for (int number = 1; number <= 3; number++)
        {
            providers.Add(new Provider(number, await AddNamespaceAsync($"isp-{(char)('a' + number - 1)}"), Options.Prefixes, Folder));
        }

        Providers = providers;
        Sites = [new EdgeSite(1, edge, Options.SecondEdge ? [A, B] : providers, Folder)];
        if (Options.SecondEdge)
        {
            EdgeSite second = new(2, await AddNamespaceAsync("edge2"), [C], Directory.CreateDirectory(Path.Combine(Folder, "edge2")).FullName) { Others = Sites };
            Sites[0].Others = [second];
            Sites = [.. Sites, second];
        }

        NetNamespace? mirrorSwitch = Options.MirrorSwitch ? await AddNamespaceAsync("switch") : null;
        await new Wiring(content, Sites, clients, ApplianceNetwork, providers, mirrorSwitch).ConnectAsync();
        _mirror = mirrorSwitch is null ? null : await MirrorSwitch.StartAsync(mirrorSwitch);
        Truth = new GroundTruth(clients);
        await Truth.StartAsync();

        Edges = Options.Edge == EdgeSoftware.Frr
            ? [.. Sites.Select(site => new FrrRouter(site.Number == 1 ? _name : $"{_name}e{site.Number}", site, Options.RouterLimit, Options.ApplianceSection))]
            : [new BirdRouter(EdgeNetwork, providers, Folder, Options.ApplianceSection)];
        foreach (Provider provider in providers)
        {
            _daemons.Add(await provider.StartAsync());
        }

        for (int i = 0; i < Sites.Count; i++)
        {
            _daemons.AddRange(await Edges[i].StartAsync());
            _daemons.Add(await SnmpAgent.StartAsync(Sites[i], Options.CapacityBps));
        }

        Traffic = await TrafficGenerator.StartAsync(content);

        for (int i = 0; i < Sites.Count; i++)
        {
            IEdgeRouter router = Edges[i];
            int[] expected = [.. new[] { false, true }.SelectMany(ipv6 => Enumerable.Repeat(Options.Prefixes.Count(prefix => prefix.IsIpv6 == ipv6), Sites[i].Providers.Count))];
            await Until.ValueAsync(
                $"all providers' routes at {Sites[i].Name}", async () => string.Join(' ', await router.GetProviderRouteCountsAsync()),
                counts => counts == string.Join(' ', expected), StartLimit, Output);
        }

        foreach (LabPrefix prefix in new[] { Options.Prefixes.First(prefix => !prefix.IsIpv6), Options.Prefixes.First(prefix => prefix.IsIpv6) })
        {
            await Until.ValueAsync($"{prefix} by {A.EdgeInterface} in the kernel", () => GetEgressInterfaceAsync(prefix), device => device == A.EdgeInterface, StartLimit, Output);
        }

        Output.WriteLine($"lab {_name} is up after {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s; files in {Folder}");
    }

    /// <summary>A namespace of the lab by its role.</summary>
    public NetNamespace GetNamespace(string role) => _namespaces.Single(n => n.Name == $"{_name}-{role}");

    /// <summary>Makes another namespace, whose end the lab sees to.</summary>
    public async Task<NetNamespace> AddNamespaceAsync(string role)
    {
        NetNamespace created = await NetNamespace.CreateAsync(_name, role);
        _namespaces.Add(created);
        return created;
    }

    private async Task PrintStateAsync()
    {
        Output.WriteLine("---- the test failed; state of the lab ----");
        foreach (Daemon daemon in _daemons)
        {
            Output.WriteLine($"{daemon.Name}: {(daemon.HasExited ? "HAS ENDED" : "running")}");
        }

        try
        {
            foreach (IEdgeRouter edge in Edges)
            {
                Output.WriteLine(await edge.DumpAsync());
            }
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            Output.WriteLine($"the edge router does not answer: {e.Message}");
        }

        foreach (string file in Directory.GetFiles(Folder, "*", SearchOption.AllDirectories).Where(file => file.EndsWith(".log", StringComparison.Ordinal) || file.EndsWith(".out", StringComparison.Ordinal)).Order())
        {
            string[] lines = await File.ReadAllLinesAsync(file);
            Output.WriteLine($"---- {Path.GetFileName(file)} (last {Math.Min(lines.Length, TailLines)} of {lines.Length} lines)");
            foreach (string line in lines.TakeLast(TailLines))
            {
                Output.WriteLine(line);
            }
        }
    }
}
