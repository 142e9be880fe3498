using System.Net;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Interop.Routers;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// One router and one speaker, with two providers that announce the same prefixes:
///
///     namespace            this process
///     router ──edge── eaPIDnN ─┬─ .2 speaker (iBGP)
///       .1                     ├─ .3 provider A (eBGP)
///                              └─ .4 provider B (eBGP)
///
/// The speaker is the library in the test process, so a row can look at its tables directly. The one thing of a bed that stands in this process's own
/// network is its end of the cable, with a network that no other interface has; it goes with the namespace.
/// </summary>
internal sealed class InteropBed : IAsyncDisposable
{
    /// <summary>For whatever has no time of its own.</summary>
    public static readonly TimeSpan Generous = TimeSpan.FromSeconds(90);

    /// <summary>The community that marks our overrides.</summary>
    public const uint Marker = (64512u << 16) | 666;

    // Labs of the other system tests number theirs from 1.
    private const int FirstNumber = 1000;
    private const int TailLines = 40;
    private static int _counter = FirstNumber;

    private readonly CellLog _log;
    private readonly int _number = Interlocked.Increment(ref _counter);
    private readonly List<BgpSpeaker> _speakers = [];
    private readonly List<ProviderFeed> _providers = [];
    private NetNamespace? _network;
    private InteropRouter? _router;

    private InteropBed(InteropSoftware software, InteropOptions options, CellLog log)
    {
        Software = software;
        Options = options;
        _log = log;
        Folder = Directory.CreateTempSubdirectory($"{Name}-").FullName;

        // FRR's daemons drop their privileges and still must read their configuration.
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101);
    }

    /// <summary>The software under trial.</summary>
    public InteropSoftware Software { get; }

    /// <summary>How it is configured.</summary>
    public InteropOptions Options { get; }

    /// <summary>The addresses.</summary>
    public InteropAddresses Addresses { get; private set; } = null!;

    /// <summary>The router.</summary>
    public IInteropRouter Router => _router!;

    /// <summary>The router's namespace.</summary>
    public NetNamespace Network => _network!;

    /// <summary>The speaker made last.</summary>
    public BgpSpeaker Speaker => _speakers[^1];

    /// <summary>The speaker's only peer as it stands.</summary>
    public PeerStatus Peer => Speaker.GetPeers()[0];

    /// <summary>Log of the test.</summary>
    public ITestOutputHelper Output => _log;

    /// <summary>Log lines of the speakers.</summary>
    public IReadOnlyCollection<string> SpeakerLines => _log.SpeakerLines;

    /// <summary>Prefixes announced by the providers.</summary>
    public IReadOnlyList<IpPrefix> Prefixes => [.. Families().SelectMany(family => Enumerable.Range(0, Options.Prefixes).Select(number => FeedRoute.PrefixOf(family, number)))];

    private string Name => NetNamespace.LabName(_number);

    private string Folder { get; }

    /// <summary>Builds a bed, runs a row in it, and tears it down; the state goes to the log if the row fails.</summary>
    public static async Task RunAsync(InteropSoftware software, InteropOptions options, Func<InteropBed, Task> row, CellLog log)
    {
        await using var bed = new InteropBed(software, options, log);
        try
        {
            await bed.StartAsync();
            await row(bed);
        }
        catch
        {
            await bed.PrintStateAsync();
            throw;
        }
    }

    /// <summary>Makes the adapter of a router.</summary>
    public static InteropRouter CreateRouter(InteropSoftware software, InteropSite site) => software switch
    {
        InteropSoftware.Frr => new FrrInterop(site),
        InteropSoftware.Bird => new BirdInterop(site),
        InteropSoftware.OpenBgpd => new OpenBgpdInterop(site),
        InteropSoftware.GoBgp => new GoBgpInterop(site),
        _ => new ExaBgpInterop(site),
    };

    /// <summary>Our options of the session, before a row changes them.</summary>
    public BgpPeerOptions PeerOptions => new()
    {
        Name = Software.ToString(),
        RemoteAddress = IPAddress.Parse(Addresses.Router(Options)),
        LocalAddress = IPAddress.Parse(Addresses.Speaker(Options)),
        LocalAs = InteropRouter.LocalAs,
        PeerAs = InteropRouter.LocalAs,
        Password = Options.RouterPassword,
        TtlSecurity = Options.TtlSecurity,
        ConnectRetry = TimeSpan.FromMilliseconds(500),
    };

    /// <summary>Our options, before a row changes them: we connect and are ready to be connected to.</summary>
    public BgpSpeakerOptions SpeakerOptions => new()
    {
        RouterId = IpAddr.Parse(Addresses.Speaker4).IPv4Value,
        Peers = [PeerOptions],
        Listen = [new IPEndPoint(IPAddress.Parse(Addresses.Speaker(Options)), 179)],
        AllowedNextHops = Families().SelectMany(family => new[] { Addresses.Provider(1, family), Addresses.Provider(2, family) }).ToHashSet(),
        OwnAddresses = new HashSet<IpAddr> { IpAddr.Parse(Addresses.Speaker4), IpAddr.Parse(Addresses.Speaker6) },
        MarkerCommunity = Marker,
        QuietTime = TimeSpan.FromSeconds(1),
    };

    /// <summary>Starts a speaker; the one before must be gone.</summary>
    public async Task<BgpSpeaker> StartSpeakerAsync(BgpSpeakerOptions? options = null)
    {
        // A process that another bed is starting right now holds a copy of the former listener between fork and exec.
        return await Until.ValueAsync("speaker started", () => TryStartSpeakerAsync(options ?? SpeakerOptions), _ => true, Generous, Silent.Instance, Poll);
    }

    private async Task<BgpSpeaker> TryStartSpeakerAsync(BgpSpeakerOptions options)
    {
        var speaker = new BgpSpeaker(options, null, TimeProvider.System, _log);
        _speakers.Add(speaker);
        await speaker.StartAsync(CancellationToken.None);
        return speaker;
    }

    /// <summary>The same with other options of the session.</summary>
    public Task<BgpSpeaker> StartSpeakerAsync(BgpPeerOptions peer) => StartSpeakerAsync(SpeakerOptions with { Peers = [peer] });

    /// <summary>Makes the providers announce their routes, or whatever of them a row wants.</summary>
    public async Task AnnounceAsync(Func<FeedRoute, bool>? which = null)
    {
        FeedRoute[] routes = [.. Routes().Where(which ?? (_ => true))];
        if (!await Router.TryAnnounceAsync(routes))
        {
            foreach (ProviderFeed provider in _providers)
            {
                int number = _providers.IndexOf(provider) + 1;
                provider.Withdraw(Prefixes.Except(routes.Where(route => route.Provider == number).Select(route => route.Prefix)));
                provider.Announce(routes.Where(route => route.Provider == number));
            }
        }
    }

    /// <summary>All routes of both providers.</summary>
    public IEnumerable<FeedRoute> Routes() =>
        from provider in new[] { 1, 2 }
        from family in Families()
        from number in Enumerable.Range(0, Options.Prefixes)
        select FeedRoute.Of(provider, family, number);

    /// <summary>Waits until the router has its providers, and so is past its start.</summary>
    public Task AwaitProvidersAsync() => Until.TrueAsync(
        "providers at the router", () => Task.FromResult(_providers.TrueForAll(provider => provider.Established)), Generous, Output, Poll);

    /// <summary>Waits until the session is established on our side, and says so in words if not.</summary>
    public Task AwaitUpAsync(TimeSpan? limit = null) => Until.ValueAsync(
        "session established", () => Task.FromResult(Peer), peer => peer.State == SessionState.Established, limit ?? Generous, Output, Poll);

    /// <summary>Waits until the session is down on our side.</summary>
    public Task<PeerStatus> AwaitDownAsync() => Until.ValueAsync(
        "session down", () => Task.FromResult(Peer), peer => peer.State != SessionState.Established, Generous, Output, Poll);

    /// <summary>Waits until all routes of both providers are in our table: two paths a prefix with ADD-PATH, else one.</summary>
    public async Task AwaitTableAsync(TimeSpan? limit = null)
    {
        await AwaitUpAsync(limit);
        int expected = Options.Prefixes * (Options.AddPath ? 2 : 1);
        await Until.ValueAsync(
            "all paths in our table", () => Task.FromResult((Peer.RoutesIPv4, Peer.RoutesIPv6)), seen => seen == (expected, expected), limit ?? Generous, Output, Poll);
    }

    /// <summary>Waits until what the router holds from us is right.</summary>
    public Task<IReadOnlyList<ReceivedRoute>> AwaitReceivedAsync(string what, Func<IReadOnlyList<ReceivedRoute>, bool> right, TimeSpan? limit = null) =>
        Until.ValueAsync<IReadOnlyList<ReceivedRoute>>(
            what, async () => new ShownList(await Router.GetReceivedAsync()), right, limit ?? Generous, Output, Poll);

    /// <summary>Makes overrides by provider B and announces them; none may be refused.</summary>
    public IReadOnlyList<Override> Announce(params IReadOnlyCollection<IpPrefix> prefixes)
    {
        var overrides = new List<Override>();
        foreach (IpPrefix prefix in prefixes)
        {
            Assert.True(Speaker.TryCreateOverride(prefix, Addresses.Provider(2, prefix.Family), out Override? created, out OverrideRefusal refusal), $"{prefix}: {refusal}");
            overrides.Add(created!);
        }

        Assert.Empty(Speaker.Announce(overrides));
        return overrides;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (BgpSpeaker speaker in _speakers)
        {
            await speaker.DisposeAsync();
        }

        foreach (ProviderFeed provider in _providers)
        {
            await provider.DisposeAsync();
        }

        if (_router is not null)
        {
            await _router.DisposeAsync();
            _router.CleanUp();
        }

        if (_network is not null)
        {
            await _network.DisposeAsync();
        }

        if (Environment.GetEnvironmentVariable("EGRESS_KEEP_LAB") != "1")
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    /// <summary>Time between looks at a condition.</summary>
    public static TimeSpan Poll => TimeSpan.FromMilliseconds(50);

    /// <summary>Both families.</summary>
    public static IReadOnlyList<IpFamily> Families() => [IpFamily.IPv4, IpFamily.IPv6];

    private async Task StartAsync()
    {
        _network = await NetNamespace.CreateAsync(Name, "router");
        await _network.RunAsync("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0");
        await ConnectAsync();
        _router = CreateRouter(Software, new InteropSite(Name, _network, Folder, Addresses, Options));
        await AnnounceRoutesBeforeStartAsync();
        await _router.StartAsync();
        if (!Options.NoSpeaker)
        {
            await StartSpeakerAsync();
        }
    }

    private async Task AnnounceRoutesBeforeStartAsync()
    {
        if (!await Router.TryAnnounceAsync([.. Routes()]))
        {
            _providers.AddRange([new ProviderFeed(Addresses, 1), new ProviderFeed(Addresses, 2)]);
            await AnnounceAsync();
        }
    }

    private async Task ConnectAsync()
    {
        string device = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"ea{Environment.ProcessId}n{_number}");
        await Shell.CheckedAsync("ip", "link", "add", device, "type", "veth", "peer", "name", "edge", "netns", _network!.Name);
        Addresses = InteropAddresses.Allocate(_number);
        string[] ours = [Addresses.Speaker4, Addresses.Provider4(1), Addresses.Provider4(2), Addresses.Speaker6, Addresses.Provider6(1), Addresses.Provider6(2)];
        await _network.IpAsync("link set lo up", "link set edge up", Add(Addresses.Router4, "edge"), Add(Addresses.Router6, "edge"));
        (await Shell.RunAsync(["ip", "-batch", "-"], string.Join('\n', ours.Select(address => Add(address, device)).Prepend($"link set {device} up")) + "\n")).Checked();
    }

    private static string Add(string address, string device) => address.Contains(':', StringComparison.Ordinal)
        ? $"addr add {address}/{InteropAddresses.Length6} dev {device} nodad"
        : $"addr add {address}/{InteropAddresses.Length4} dev {device}";

    private async Task PrintStateAsync()
    {
        Output.WriteLine("---- the row failed; state of the bed ----");
        if (_speakers.Count > 0)
        {
            Output.WriteLine(Peer.ToString());
        }

        Output.WriteLine($"providers established: {string.Join(' ', _providers.Select(provider => provider.Established))}");
        try
        {
            Output.WriteLine(_router is null ? "no router" : await _router.DumpAsync());
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException or IOException)
        {
            Output.WriteLine($"the router does not answer: {e.Message}");
        }

        foreach (string file in Directory.GetFiles(Folder).Where(file => file.EndsWith(".log", StringComparison.Ordinal) || file.EndsWith(".out", StringComparison.Ordinal)).Order())
        {
            string[] lines = await File.ReadAllLinesAsync(file);
            Output.WriteLine($"---- {Path.GetFileName(file)} (last {Math.Min(lines.Length, TailLines)} of {lines.Length} lines)");
            Output.WriteLine(string.Join('\n', lines.TakeLast(TailLines)));
        }
    }

    /// <summary>A list that a failure message can show.</summary>
    private sealed class ShownList(IReadOnlyList<ReceivedRoute> routes) : List<ReceivedRoute>(routes)
    {
        public override string ToString() => Count == 0 ? "no routes" : string.Join("; ", this.Take(8)) + (Count > 8 ? $"; … {Count} in all" : "");
    }
}
