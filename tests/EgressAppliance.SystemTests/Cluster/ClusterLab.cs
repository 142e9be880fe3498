using System.Text.Json;
using EgressAppliance.SystemTests.History;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>
/// A site of several boxes around a <see cref="Network.Lab"/>:
///
///     edge 198.18.0.1 ┐                              ┌ col1 .21 ── a third of the edge's mirror
///                     ├── bridge of namespace srv ───┼ col2 .22 ── another
///     ctl1 .11, ctl2 .12 ┘  RabbitMQ .2, PostgreSQL .3 └ col3 .23 ── the rest
///
/// The switch behind the edge's mirror port spreads the frames of all links over three ports by their destination, so that no collector sees more than a part of any link. A box is cut
/// from another by nftables in its own namespace, both ways.
/// </summary>
internal sealed class ClusterLab : IAsyncDisposable
{
    public const string Edge = "198.18.0.1";
    public const string Broker = "198.18.0.2";
    public const string Database = "198.18.0.3";

    /// <summary>The edge router's address, as the boxes' configuration has it.</summary>
    public const string Router = "192.0.2.1";
    private const string Offload = "for d in $(ls /sys/class/net); do [ $d = lo ] || ethtool -K $d tso off gso off gro off tx off >/dev/null; done";
    private readonly List<ClusterBox> _boxes = [];

    private ClusterLab(Lab lab) => Lab = lab;

    public Lab Lab { get; }

    /// <summary>The broker; where there are several, the first that was started.</summary>
    public RabbitServer Rabbit => Brokers[0];

    public IReadOnlyList<RabbitServer> Brokers { get; private set; } = [];

    /// <summary>The database, or its primary.</summary>
    public PostgresServer Postgres { get; private set; } = null!;

    /// <summary>A synchronous standby of the database; null: there is none.</summary>
    public PostgresServer? Standby { get; private set; }

    /// <summary>Connection string of the controllers, which names all servers.</summary>
    public string Connection => Standby is null ? Postgres.Connection
        : Postgres.Connection.Replace($"Host={Database};", $"Host={Database}:{Postgres.Port},{Database}:{Standby.Port};", StringComparison.Ordinal);

    public IReadOnlyList<ClusterBox> Collectors => [.. _boxes.Where(b => b.Role == "collector")];

    public IReadOnlyList<ClusterBox> Controllers => [.. _boxes.Where(b => b.Role == "controller")];

    /// <summary>Builds all of it, without starting the boxes; runs a test, and tears it down.</summary>
    /// <param name="output">The test's output.</param>
    /// <param name="test">The test.</param>
    /// <param name="redundant">Three brokers in a cluster, and a database with a synchronous standby; else one of each.</param>
    public static Task RunAsync(ITestOutputHelper output, Func<ClusterLab, Task> test, bool redundant = false) => Lab.RunAsync(
        output, new LabOptions { MirrorSwitch = true, ApplianceSection = Section() }, async lab =>
        {
            await using ClusterLab cluster = new(lab);
            await cluster.BuildAsync(redundant);
            await test(cluster);
        });

    /// <summary>The box that leads by its own word; null: none, or it does not answer.</summary>
    public async Task<ClusterBox?> LeaderAsync()
    {
        foreach (ClusterBox box in Controllers)
        {
            if (await box.StatusAsync() is { } status && status.GetProperty("verdict").GetString() is not ("standby" or "starting"))
            {
                return box;
            }
        }

        return null;
    }

    /// <summary>The prefixes that the edge router has from each controller now, in one look.</summary>
    public async Task<IReadOnlyDictionary<string, string[]>> OverridesAsync()
    {
        var router = (FrrRouter)Lab.Edge;
        string[] commands = [.. Controllers.SelectMany(c => new[] { "ipv4", "ipv6" }.Select(family => $"show bgp {family} unicast neighbors {c.Address} routes json"))];
        IReadOnlyList<JsonElement> answers = await router.ManyAsync(commands);
        return Controllers.Select((c, i) => (c.Name, Prefixes: answers.Skip(2 * i).Take(2)
                .SelectMany(a => a.TryGetProperty("routes", out JsonElement routes) ? routes.EnumerateObject().Select(r => r.Name) : []).Order(StringComparer.Ordinal).ToArray()))
            .ToDictionary(c => c.Name, c => c.Prefixes);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ClusterBox box in _boxes)
        {
            box.Dispose();
        }

        // The first has the port mapper of all.
        foreach (RabbitServer broker in Brokers.Reverse())
        {
            await broker.DisposeAsync();
        }

        if (Standby is not null)
        {
            await Standby.DisposeAsync();
        }

        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }
    }

    private static IEnumerable<(string Name, string Role, string Address)> Plan() =>
    [
        ("ctl1", "controller", "198.18.0.11"), ("ctl2", "controller", "198.18.0.12"),
        ("col1", "collector", "198.18.0.21"), ("col2", "collector", "198.18.0.22"), ("col3", "collector", "198.18.0.23"),
    ];

    /// <summary>What the edge router's configuration says of the boxes.</summary>
    private static string Section()
    {
        string sessions = string.Concat(Plan().Select(b => $"""
             neighbor {b.Address} remote-as 65000
             neighbor {b.Address} update-source {Router}
             neighbor {b.Address} timers 1 3
             neighbor {b.Address} timers connect 1
             neighbor {b.Address} graceful-restart-disable

            """));
        string family = string.Concat(Plan().Select(b => $"""
              neighbor {b.Address} activate
              neighbor {b.Address} addpath-tx-all-paths

            """));
        return $"""
            router bgp 65000
            {sessions} address-family ipv4 unicast
            {family} exit-address-family
             address-family ipv6 unicast
            {family} exit-address-family

            """;
    }

    private async Task BuildAsync(bool redundant)
    {
        NetNamespace services = await Lab.AddNamespaceAsync("srv");
        await services.IpAsync("link set lo up", "link add lan0 type bridge", "link set lan0 up", $"addr add {Broker}/24 dev lan0", $"addr add {Database}/24 dev lan0");
        await AttachAsync(services, Lab.EdgeNetwork, "edge", Edge);
        string community = Path.Combine(Lab.Folder, "community");
        await File.WriteAllTextAsync(community, SnmpAgent.Community + "\n");
        File.SetUnixFileMode(community, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        NetNamespace split = Lab.GetNamespace("switch");
        int mirrors = 0;
        foreach ((string name, string role, string address) in Plan())
        {
            NetNamespace network = await Lab.AddNamespaceAsync(name);
            await network.IpAsync("link set lo up");
            await AttachAsync(services, network, name, address);
            await network.IpAsync($"route add {Router}/32 via {Edge}");
            if (role == "collector")
            {
                string port = $"out{++mirrors}";
                await Shell.CheckedAsync(["ip", .. $"link add {port} netns {split.Name} type veth peer name mir0 netns {network.Name}".Split(' ')]);
                await split.IpAsync($"link set {port} addrgenmode none", $"link set {port} up promisc on");
                await network.IpAsync("link set mir0 addrgenmode none", "link set mir0 up promisc on");
                await split.RunAsync("sh", "-c", Offload);
            }

            await network.RunAsync("sh", "-c", Offload);
            _boxes.Add(new ClusterBox(this, name, role, address, network));
        }

        Lab.Mirror.Spread("out1", "out2", "out3");
        Task<RabbitServer> rabbit = RabbitServer.StartAsync(Lab.Output, services, Broker);
        Postgres = await PostgresServer.StartAsync(Lab.Output, services, Database);
        Brokers = [await rabbit];
        if (redundant)
        {
            Standby = await Postgres.StartReplicaAsync();
            await Postgres.QueryAsync("ALTER SYSTEM SET synchronous_standby_names = '*'");
            await Postgres.QueryAsync("SELECT pg_reload_conf()");
            for (int i = 0; i < 2; i++)
            {
                Brokers = [.. Brokers, await RabbitServer.StartAsync(Lab.Output, services, Broker, first: Rabbit)];
            }
        }
    }

    private static async Task AttachAsync(NetNamespace services, NetNamespace network, string name, string address)
    {
        await Shell.CheckedAsync(["ip", .. $"link add to-{name} netns {services.Name} type veth peer name lan0 netns {network.Name}".Split(' ')]);
        await services.IpAsync($"link set to-{name} master lan0", $"link set to-{name} up");
        await network.IpAsync("link set lan0 up", $"addr add {address}/24 dev lan0");
        foreach (NetNamespace end in new[] { services, network })
        {
            await end.RunAsync("sh", "-c", Offload);
        }
    }
}
