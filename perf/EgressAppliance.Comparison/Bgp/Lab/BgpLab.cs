using System.Diagnostics;
using System.Net;
using EgressAppliance.Comparison.Bgp.Peer;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp.Lab;

/// <summary>
/// Two network namespaces joined by a veth pair: routers at <c>198.51.100.2</c> and up, the speaker at <c>198.51.100.1</c>. Each speaker that is
/// measured gets new ones, so that none meets port 179 still taken by connections of the one before.
/// </summary>
internal sealed class BgpLab : IDisposable
{
    /// <summary>The processor of speakers that are compared. What sends, and what asks daemons for their state, runs on processor 0.</summary>
    public const string SpeakerProcessor = "1";

    /// <summary>Both processors.</summary>
    public const string BothProcessors = "0,1";

    /// <summary>TCP port of the speaker's BMP station.</summary>
    public const int MonitoringPort = 11019;

    private const int Routers = 3;
    private static int _made;
    private readonly string _routers = $"egress-bgp-r{_made}-{Environment.ProcessId}";
    private readonly string _speaker = $"egress-bgp-s{_made++}-{Environment.ProcessId}";

    /// <summary>Makes it; needs root.</summary>
    /// <exception cref="ComparisonException">A command fails.</exception>
    public BgpLab()
    {
        Folder = Directory.CreateTempSubdirectory("egress-bgp-").FullName;
        try
        {
            Ip("netns", "add", _routers);
            Ip("netns", "add", _speaker);
            Ip("link", "add", "routers", "netns", _routers, "type", "veth", "peer", "name", "speaker", "netns", _speaker);
            foreach ((string space, string name) in ((string, string)[])[(_routers, "routers"), (_speaker, "speaker")])
            {
                // An address that duplicate detection still looks at cannot be a next hop.
                ProcessRun.Run("ip", "netns", "exec", space, "sysctl", "-qw", $"net.ipv6.conf.{name}.accept_dad=0");
                Ip("-n", space, "link", "set", "lo", "up");
                Ip("-n", space, "link", "set", name, "up");
            }

            AddAddresses(_speaker, "speaker", 1);
            for (int i = 0; i < Routers; i++)
            {
                AddAddresses(_routers, "routers", 2 + i);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The speaker's address.</summary>
    public static IPAddress SpeakerAddress { get; } = IPAddress.Parse("198.51.100.1");

    /// <summary>A folder for configuration and control sockets, removed in the end.</summary>
    public string Folder { get; }

    /// <summary>Address of a router, counted from 0.</summary>
    public static IPAddress RouterAddress(int router) => IPAddress.Parse($"198.51.100.{2 + router}");

    /// <summary>Opens a session from a router to the speaker.</summary>
    public ScriptedPeer Connect(int router, PeerIdentity identity) => NetworkNamespace.Run(
        _routers, () => ScriptedPeer.Connect(RouterAddress(router), new IPEndPoint(SpeakerAddress, 179), identity));

    /// <summary>Connects a router to the speaker's BMP station.</summary>
    public MonitoredRouterScript ConnectStation(int router) => NetworkNamespace.Run(
        _routers, () => new MonitoredRouterScript(RouterAddress(router), new IPEndPoint(SpeakerAddress, MonitoringPort)));

    /// <summary>Starts a program beside the speaker's address.</summary>
    /// <param name="command">Its command line.</param>
    /// <param name="processors">Where it may run, as taskset(1) takes it.</param>
    /// <param name="redirect">Its input and output are pipes.</param>
    public Process Start(IReadOnlyList<string> command, string processors, bool redirect) => Process.Start(
        new ProcessStartInfo("ip", InSpeakerSpace(processors, command))
        {
            RedirectStandardInput = redirect,
            RedirectStandardOutput = redirect,
            UseShellExecute = false,
            WorkingDirectory = Folder,
        })!;

    /// <summary>Adds a mirror port: a second veth pair from the routers to the speaker, over which the kernel sends nothing of its own.</summary>
    public void AddWire(string sender, string mirror)
    {
        Ip("link", "add", sender, "netns", _routers, "type", "veth", "peer", "name", mirror, "netns", _speaker);
        foreach ((string space, string name) in ((string, string)[])[(_routers, sender), (_speaker, mirror)])
        {
            ProcessRun.Run("ip", "netns", "exec", space, "sysctl", "-qw", $"net.ipv6.conf.{name}.disable_ipv6=1");
            Ip("-n", space, "link", "set", name, "up");
        }
    }

    /// <summary>Starts a program beside the routers, on processor 0.</summary>
    public Process StartAtRouters(IReadOnlyList<string> command) => Process.Start(
        new ProcessStartInfo("ip", ["netns", "exec", _routers, "taskset", "-c", "0", .. command]) { RedirectStandardOutput = true, UseShellExecute = false, WorkingDirectory = Folder })!;

    /// <summary>Frames that an interface of the routers has sent.</summary>
    public long CountSent(string name) => long.Parse(
        ProcessRun.Run("ip", "netns", "exec", _routers, "cat", $"/sys/class/net/{name}/statistics/tx_packets").Output, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Runs a program beside the speaker's address to its end, on processor 0.</summary>
    public string Ask(params string[] command) => ProcessRun.Run("ip", InSpeakerSpace("0", command)).Output;

    /// <inheritdoc/>
    public void Dispose()
    {
        ProcessRun.TryFirstLine("ip", "netns", "delete", _routers);
        ProcessRun.TryFirstLine("ip", "netns", "delete", _speaker);
        Directory.Delete(Folder, recursive: true);
    }

    private static void AddAddresses(string space, string name, int number)
    {
        Ip("-n", space, "address", "add", $"198.51.100.{number}/24", "dev", name);
        Ip("-n", space, "address", "add", $"2001:db8:ff::{number}/64", "dev", name, "nodad");
    }

    private static void Ip(params string[] arguments) => ProcessRun.Run("ip", arguments);

    private string[] InSpeakerSpace(string processors, IEnumerable<string> command) => ["netns", "exec", _speaker, "taskset", "-c", processors, .. command];
}
