using System.Net;
using System.Net.Sockets;
using EgressAppliance.Snmp;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Snmp;

/// <summary>
/// A net-snmp agent of our own on a free port of loopback, IPv4 and IPv6, in a namespace or in none. Its folder keeps users and boots counter
/// from one start to the next.
/// </summary>
internal sealed class Snmpd : IAsyncDisposable
{
    /// <summary>Authentication password of all users.</summary>
    public const string AuthPassword = "labauthpass";

    /// <summary>Privacy password of all users.</summary>
    public const string PrivPassword = "labprivpass";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private readonly string _config;
    private readonly NetNamespace? _network;
    private readonly ITestOutputHelper _output;
    private Daemon? _daemon;

    private Snmpd(string config, NetNamespace? network, int port, ITestOutputHelper output)
    {
        _config = config;
        _network = network;
        _output = output;
        Port = port;
        Folder = Directory.CreateTempSubdirectory("easnmpd-").FullName;
    }

    /// <summary>Configuration, state and log.</summary>
    public string Folder { get; }

    /// <summary>UDP port.</summary>
    public int Port { get; }

    /// <summary>Address and port.</summary>
    public IPEndPoint EndPoint => new(IPAddress.Loopback, Port);

    /// <summary>Writes the configuration and starts it; returns when it answers.</summary>
    public static async Task<Snmpd> StartAsync(string config, ITestOutputHelper output, NetNamespace? network = null)
    {
        Snmpd agent = new(config, network, network is null ? FreePort() : 161, output);
        await agent.RestartAsync();
        return agent;
    }

    /// <summary>Ends it, if it runs, and starts it again.</summary>
    /// <param name="forget">Without what it has stored: its boots counter begins anew.</param>
    public async Task RestartAsync(bool forget = false)
    {
        await StopAsync();
        string state = Path.Combine(Folder, "state");
        if (forget)
        {
            Directory.Delete(state, recursive: true);
        }

        Directory.CreateDirectory(state);
        string file = Path.Combine(Folder, "snmpd.conf");
        await File.WriteAllTextAsync(file, $"agentAddress udp:127.0.0.1:{Port},udp6:[::1]:{Port}\nrocommunity ready\nrocommunity6 ready\n{_config}");
        string[] command = ["snmpd", "-f", "-Lf", Path.Combine(Folder, "snmpd.log")];

        // What is stored is read only if its folder is on the path; -C and -c would leave it out, and every start would be the first.
        Dictionary<string, string> environment = new() { ["SNMPCONFPATH"] = $"{Folder}:{state}", ["SNMP_PERSISTENT_DIR"] = state, ["MIBS"] = "" };
        _daemon = Daemon.Start("snmpd", Folder, _network is null ? command : _network.Command(command), environment);
        string[] probe = ["snmpget", "-v2c", "-c", "ready", "-t", "1", "-r", "0", $"127.0.0.1:{Port}", "1.3.6.1.2.1.1.3.0"];
        await Until.TrueAsync("snmpd to answer", async () => (await Shell.RunAsync(_network is null ? probe : _network.Command(probe))).ExitCode == 0, StartLimit, _output);
    }

    /// <summary>A client for it.</summary>
    public SnmpClient Client(SnmpCredentials credentials, bool ipv6 = false) => new(new SnmpClientOptions
    {
        Agent = new IPEndPoint(ipv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, Port),
        Credentials = credentials,
        Timeout = TimeSpan.FromSeconds(5),
        Retries = 1,
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task StopAsync()
    {
        if (_daemon is { } running)
        {
            // In order: it stores its boots counter at the end.
            running.Signal(PosixSignalNumber.Terminate);
            await running.WaitForExitAsync(StartLimit);
            await running.DisposeAsync();
            _daemon = null;
        }
    }

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
