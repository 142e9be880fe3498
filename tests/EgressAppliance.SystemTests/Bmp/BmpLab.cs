using System.Globalization;
using System.Net;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.SystemTests.Bmp;

/// <summary>
/// A router between two providers that announce the same prefixes over IPv4 and IPv6 sessions, and a station on its management network, with a BGP speaker if asked for:
///
///     isp-a ─┬─ prov-a  edge  mgmt 192.0.2.1/30 ── mgmt0 192.0.2.2 station
///     isp-b ─┴─ prov-b
/// </summary>
internal sealed class BmpLab : IAsyncDisposable
{
    public const string EdgeAddress = "192.0.2.1";
    public const string StationAddress = "192.0.2.2";
    public const int Port = 11019;

    /// <summary>The community on the speaker's own routes.</summary>
    public const uint Marker = (65000u << 16) | 64900;
    private const string Sysctls =
        "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0";

    private static int _counter = 100;
    private readonly ITestOutputHelper _output;
    private readonly List<Daemon> _daemons = [];
    private readonly List<NetNamespace> _namespaces = [];

    private readonly bool _withSpeaker;

    private BmpLab(ITestOutputHelper output, bool withSpeaker)
    {
        _output = output;
        _withSpeaker = withSpeaker;
        Name = NetNamespace.LabName(Interlocked.Increment(ref _counter));
        Folder = Directory.CreateTempSubdirectory(Name + "-").FullName;

        // FRR's daemons drop their privileges and still must read their configuration.
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101);
    }

    /// <summary>Prefix of all names.</summary>
    public string Name { get; }

    /// <summary>Configurations and logs.</summary>
    public string Folder { get; }

    /// <summary>Where the router runs.</summary>
    public NetNamespace Edge { get; private set; } = null!;

    /// <summary>A and B.</summary>
    public IReadOnlyList<Provider> Providers { get; private set; } = [];

    /// <summary>The station.</summary>
    public BmpStation Station { get; private set; } = null!;

    /// <summary>The speaker that takes what the station shows, in a lab with one; it waits for the router to connect.</summary>
    public BgpSpeaker Speaker { get; private set; } = null!;

    /// <summary>What the station was told, in a lab without a speaker.</summary>
    public MonitoredRoutes Routes { get; } = new();

    /// <summary>The one router as it stands.</summary>
    public BmpRouterStatus Router => Station.GetRouters()[0];

    /// <summary>Builds a lab without its router, runs a test in it and tears it down; prints the daemons' logs if the test fails.</summary>
    public static async Task RunAsync(ITestOutputHelper output, Func<BmpLab, Task> test, bool withSpeaker = false)
    {
        SystemRequirements.Demand();
        await NetNamespace.SweepAsync();
        await using var lab = new BmpLab(output, withSpeaker);
        try
        {
            await lab.StartAsync();
            await test(lab);
        }
        catch
        {
            await lab.PrintStateAsync();
            throw;
        }
    }

    /// <summary>Adds a process whose end the lab sees to.</summary>
    public Daemon Adopt(Daemon daemon)
    {
        _daemons.Add(daemon);
        return daemon;
    }

    /// <summary>What one provider's session must show, in the form of <see cref="MonitoredRoutes.Of"/>.</summary>
    public static IReadOnlyList<string> Announced(Provider provider, bool ipv6, params LabPrefix[] except) =>
        [.. LabPrefixes.All.Where(p => p.IsIpv6 == ipv6 && !except.Contains(p))
            .Select(p => $"{p.Prefix} via {provider.NextHop(p)} {provider.AsPath}")
            .Order(StringComparer.Ordinal)];

    /// <summary>Waits until a table of both sessions of every provider holds exactly what the provider announces.</summary>
    public async Task UntilAnnouncedAsync(BmpTable table, TimeSpan limit)
    {
        foreach (Provider provider in Providers)
        {
            foreach (bool ipv6 in new[] { false, true })
            {
                IReadOnlyList<string> expected = Announced(provider, ipv6);
                await Until.ValueAsync(
                    $"{BmpNames.Of(table)} of {provider.Link} over {(ipv6 ? "IPv6" : "IPv4")}",
                    () => Task.FromResult(Routes.Of(ipv6 ? provider.Ipv6 : provider.Ipv4, table)),
                    seen => seen.SequenceEqual(expected), limit, _output);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Station is not null)
        {
            await Station.DisposeAsync();
        }

        if (Speaker is not null)
        {
            await Speaker.DisposeAsync();
        }

        foreach (Daemon daemon in Enumerable.Reverse(_daemons))
        {
            await daemon.DisposeAsync();
        }

        foreach (NetNamespace network in _namespaces)
        {
            await network.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private async Task StartAsync()
    {
        Edge = await AddNamespaceAsync("edge");
        NetNamespace station = await AddNamespaceAsync("station");
        Providers =
        [
            new(1, await AddNamespaceAsync("isp-a"), LabPrefixes.All, Folder),
            new(2, await AddNamespaceAsync("isp-b"), LabPrefixes.All, Folder),
        ];
        await Task.WhenAll(_namespaces.Select(network => network.RunAsync(["sysctl", "-qw", .. Sysctls.Split(' ')])));
        await WireAsync(station);
        foreach (Provider provider in Providers)
        {
            Adopt(await provider.StartAsync());
        }

        if (_withSpeaker)
        {
            Speaker = new(SpeakerOptions(), null, TimeProvider.System, NullLoggerFactory.Instance);
        }

        Station = new(
            new()
            {
                Routers = [new() { Name = "edge", Address = IPAddress.Parse(EdgeAddress) }],
                Listen = [new(IPAddress.Parse(StationAddress), Port)],
                QuietTime = TimeSpan.FromSeconds(2),
            },
            Speaker?.Monitor ?? Routes, TimeProvider.System, NullLoggerFactory.Instance);
        await ListenInAsync(station);
    }

    private BgpSpeakerOptions SpeakerOptions() => new()
    {
        RouterId = IpAddr.Parse(StationAddress).IPv4Value,
        Peers =
        [
            new()
            {
                Name = "edge",
                RemoteAddress = IPAddress.Parse(EdgeAddress),
                LocalAddress = IPAddress.Parse(StationAddress),
                LocalAs = 65000,
                PeerAs = 65000,
                Passive = true,
            },
        ],
        Listen = [new(IPAddress.Parse(StationAddress), 179)],
        AllowedNextHops = Providers.SelectMany(p => new[] { IpAddr.Parse(p.Ipv4), IpAddr.Parse(p.Ipv6) }).ToHashSet(),
        OwnAddresses = new HashSet<IpAddr> { IpAddr.Parse(StationAddress) },
        MarkerCommunity = Marker,
    };

    /// <summary>A socket belongs to the namespace of the thread that made it; who uses it later does not matter.</summary>
    private Task ListenInAsync(NetNamespace network)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                NativeMethods.EnterNetworkNamespace(network.Path);
                Speaker?.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
                Station.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
                done.SetResult();
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                done.SetException(e);
            }
        });
        thread.IsBackground = true;
        thread.Start();
        return done.Task;
    }

    private async Task WireAsync(NetNamespace station)
    {
        var cables = new List<string> { $"link add mgmt netns {Edge.Name} type veth peer name mgmt0 netns {station.Name}" };
        cables.AddRange(Providers.Select(p => $"link add {p.EdgeInterface} netns {Edge.Name} type veth peer name to-edge netns {p.Network.Name}"));
        (await Shell.RunAsync(["ip", "-batch", "-"], string.Join('\n', cables) + "\n")).Checked();
        await station.IpAsync("link set lo up", "link set mgmt0 up", $"addr add {StationAddress}/30 dev mgmt0");
        await Edge.IpAsync(["link set lo up", "link set mgmt up", $"addr add {EdgeAddress}/30 dev mgmt"]);
        foreach (Provider provider in Providers)
        {
            await Edge.IpAsync(
                $"link set {provider.EdgeInterface} up", $"addr add {provider.EdgeIpv4}/30 dev {provider.EdgeInterface}",
                $"addr add {provider.EdgeIpv6}/64 dev {provider.EdgeInterface}");
            await provider.Network.IpAsync(
                "link set lo up", "link set to-edge up", $"addr add {provider.Ipv4}/30 dev to-edge", $"addr add {provider.Ipv6}/64 dev to-edge");
        }
    }

    private async Task<NetNamespace> AddNamespaceAsync(string role)
    {
        NetNamespace created = await NetNamespace.CreateAsync(Name, role);
        _namespaces.Add(created);
        return created;
    }

    private async Task PrintStateAsync()
    {
        _output.WriteLine("---- the test failed; state of the station ----");
        if (Station is not null)
        {
            BmpRouterStatus router = Router;
            _output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{router.State}, {router.Connections} connections, last error {router.LastError ?? "none"}, last malformed {router.LastMalformed ?? "none"}, {router.Oddities}"));
            foreach (BmpPeerStatus peer in router.Peers)
            {
                _output.WriteLine($"{peer.Id} AS {peer.As} up {peer.IsUp} {peer.DownReason} {string.Join(", ", peer.Tables.Select(t => $"{BmpNames.Of(t.Table)} handle {t.Handle} routes {t.Routes} updates {t.Updates} {t.Fault}"))} {peer.Hint}");
            }
        }

        foreach (string file in Directory.GetFiles(Folder).Where(f => f.EndsWith(".log", StringComparison.Ordinal) || f.EndsWith(".out", StringComparison.Ordinal)).Order())
        {
            _output.WriteLine($"---- {Path.GetFileName(file)}");
            foreach (string line in (await File.ReadAllLinesAsync(file)).TakeLast(40))
            {
                _output.WriteLine(line);
            }
        }
    }
}
