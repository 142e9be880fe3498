using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Host.Config;
using EgressAppliance.Simulator;
using EgressAppliance.Simulator.Routing;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Host.Demo;

/// <summary>The configuration of the appliance in the demo: that of a real site, with the periods shortened so that the story can be watched.</summary>
public static class DemoConfig
{
    /// <summary>Name of the packet source.</summary>
    public const string SourceName = "mirror0";

    /// <summary>The configuration for a simulated network. The packet source is given to the appliance beside it.</summary>
    public static ApplianceConfig Build(SimulatedNetwork network, DemoOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        bool shortStory = options.Duration is not null;
        ApplianceConfig config = new()
        {
            Site = "demo",
            Mode = ApplianceMode.Inject,
            Routers =
            [
                new()
                {
                    Name = ThreeProviders.RouterName,
                    Address = network.Bgp.LocalEndPoint.Address,
                    Bgp = new()
                    {
                        LocalAddress = IPAddress.Loopback,
                        LocalAs = network.Router.LocalAs,
                        PeerAs = network.Router.LocalAs,
                        Port = network.Bgp.LocalEndPoint.Port,
                        ListenPort = 0,
                    },
                    Snmp = new()
                    {
                        Community = SimulatedNetwork.Community,
                        Port = network.Agent.LocalEndPoint.Port,
                        Poll = TimeSpan.FromSeconds(1),
                    },
                },
            ],
            Links = [.. network.Router.Links.Select(Link)],
            Decision = new()
            {
                Cycle = TimeSpan.FromSeconds(1),
                Hold = TimeSpan.FromSeconds(shortStory ? 5 : 8),
                Lease = TimeSpan.FromSeconds(10),
                Window = TimeSpan.FromSeconds(2),
                MaxMovesPerCycle = 8,
                MaxSharePerCycle = 0.25,
                MaxShare = 0.5,
                MinPrefixShare = 0.001,
                ReleaseWindow = TimeSpan.FromSeconds(2),
                MarkerCommunity = network.Router.LocalAs << 16 | 666,
            },
            History = new()
            {
                Journal = false,
                AuditFile = "",
                Path = Path.Combine(Path.GetTempPath(), $"egress-appliance-demo-{Guid.NewGuid():N}", "history.db"),
                Temporary = true,
            },
            Http = new() { Listen = new(IPAddress.Loopback, FreePort(options.HttpPort)), Socket = "" },
        };
        return config with { Source = new ConfigSource("", null, Describe(config)) };
    }

    /// <summary>The configuration as an operator would write it, for the page.</summary>
    private static string Describe(ApplianceConfig config)
    {
        RouterConfig router = config.Routers[0];
        DecisionConfig decision = config.Decision;
        string links = string.Concat(config.Links.Select(l =>
            $"  - {{ name: {l.Name}, router: {l.Router}, interface: {l.Interface}, next_hops: [{string.Join(", ", l.NextHops.Select(n => $"\"{n}\""))}], match: {{ mac: \"{l.MatchMac}\" }}, overhead: {l.OverheadBytes}B }}\n"));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            # Built into the demo; what comes from the simulator is as if it stood here.
            version: 1
            site: {{config.Site}}
            mode: inject
            capture: { sources: [ { interface: {{SourceName}} } ] }
            routers:
              - name: {{router.Name}}
                address: {{router.Address}}
                bgp: { local_address: {{router.Bgp.LocalAddress}}, local_as: {{router.Bgp.LocalAs}}, port: {{router.Bgp.Port}} }
                snmp: { community_file: community, port: {{router.Snmp!.Port}}, poll: {{router.Snmp.Poll.TotalSeconds}}s }
            links:
            {{links.TrimEnd()}}
            decision:
              cycle: {{decision.Cycle.TotalSeconds}}s
              window: {{decision.Window.TotalSeconds}}s
              hold: {{decision.Hold.TotalSeconds}}s
              lease: {{decision.Lease.TotalSeconds}}s
              release_window: {{decision.ReleaseWindow.TotalSeconds}}s
              max_moves_per_cycle: {{decision.MaxMovesPerCycle}}
              max_share_per_cycle: {{decision.MaxSharePerCycle * 100}}%
              max_share: {{decision.MaxShare * 100}}%
              min_prefix_share: {{decision.MinPrefixShare * 100}}%
            http: { listen: "{{config.Http.Listen}}" }

            """);
    }

    private static LinkConfig Link(SimulatedLinkOptions link, int index) => new()
    {
        Id = new((ushort)(index + 1)),
        Name = link.Name,
        Router = ThreeProviders.RouterName,
        Interface = link.Interface,
        NextHops = [link.NextHopIPv4, link.NextHopIPv6],
        MatchMac = link.ProviderMac,
        OverheadBytes = FrameWriter.Layer2Overhead,
    };

    /// <summary>The port asked for, or 0 (any) if something has it: two demos may run side by side.</summary>
    private static int FreePort(int wanted)
    {
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, wanted));
            return wanted;
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
