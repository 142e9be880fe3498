using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>
/// A RabbitMQ node of the test's own, with a port mapper of its own, its data in a temporary folder. It is one process, which is ended by its id. Starting takes some four
/// seconds of one processor, so that a class should have one. Several make a cluster, in which the first has the port mapper.
/// </summary>
internal sealed class RabbitServer : IAsyncDisposable
{
    public const string User = "egress";
    public const string Password = "correct horse";
    private const string Script = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("eamq-");
    private readonly ITestOutputHelper _output;
    private readonly NetNamespace? _network;
    private readonly int _mapperPort;
    private readonly int _nodePort;
    private readonly bool _tls;
    private readonly RabbitServer? _first;
    private Daemon? _mapper;
    private Daemon? _node;

    private RabbitServer(ITestOutputHelper output, NetNamespace? network, string address, bool tls, RabbitServer? first)
    {
        (_output, _network, Address, _tls, _first) = (output, network, address, tls, first);
        Port = FreePort();
        TlsPort = FreePort();
        _mapperPort = first?._mapperPort ?? FreePort();
        _nodePort = FreePort();
    }

    /// <summary>Why tests with it cannot run here, or null.</summary>
    public static string? Missing => !Environment.IsPrivilegedProcess ? "tests with RabbitMQ start a node of their own: run them as root"
        : !File.Exists(Script) ? "tests with RabbitMQ need the package rabbitmq-server: apt-get install rabbitmq-server"
        : SystemRequirements.MissingPackages([("epmd", "erlang-base"), ("erl", "erlang-base")]);

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>Port of AMQP.</summary>
    public int Port { get; }

    /// <summary>Port of AMQP over TLS.</summary>
    public int TlsPort { get; }

    /// <summary>The authority of its certificate, PEM.</summary>
    public string CaFile => Path.Combine(_folder.FullName, "ca.pem");

    /// <summary>Its name among nodes.</summary>
    public string Name => _first is null ? "ea@localhost" : $"ea{_nodePort}@localhost";

    /// <summary>The process.</summary>
    public Daemon Node => _node ?? throw new InvalidOperationException("the node was stopped");

    /// <summary>Where the secret of the cluster lies.</summary>
    private string Home => (_first ?? this)._folder.FullName;

    /// <summary>Starts one.</summary>
    /// <param name="output">The test's output.</param>
    /// <param name="network">Where; null: here.</param>
    /// <param name="address">An address of that network.</param>
    /// <param name="tls">It listens with TLS, too.</param>
    /// <param name="first">The first node of the cluster that it joins; to be disposed after it.</param>
    public static async Task<RabbitServer> StartAsync(ITestOutputHelper output, NetNamespace? network = null, string address = "127.0.0.1", bool tls = false, RabbitServer? first = null)
    {
        RabbitServer server = new(output, network, address, tls, first);
        try
        {
            await server.PrepareAsync();
            await server.StartNodeAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the node, or again after <see cref="StopAsync"/>.</summary>
    public async Task StartNodeAsync()
    {
        _node = Daemon.Start("rabbitmq", _folder.FullName, In(Script), new Dictionary<string, string>
        {
            ["RABBITMQ_NODENAME"] = Name,
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(_folder.FullName, "data"),
            ["RABBITMQ_LOG_BASE"] = _folder.FullName,
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(_folder.FullName, "rabbitmq.conf"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(_folder.FullName, "plugins"),
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(_folder.FullName, "none"),
            ["RABBITMQ_DIST_PORT"] = $"{_nodePort}",
            ["RABBITMQ_NODE_PORT"] = $"{Port}",
            ["ERL_EPMD_PORT"] = $"{_mapperPort}",
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-start_epmd false",
            ["HOME"] = Home,

            // The script then becomes the node instead of watching over it.
            ["NOTIFY_SOCKET"] = Path.Combine(_folder.FullName, "notify"),
        });
        await Until.TrueAsync("RabbitMQ to listen", AnswersAsync, Limit, _output, TimeSpan.FromMilliseconds(100));
    }

    /// <summary>Ends the node.</summary>
    /// <param name="kill">At once, as a failure would; else in order.</param>
    public async Task StopAsync(bool kill)
    {
        Node.Signal(kill ? PosixSignalNumber.Kill : PosixSignalNumber.Terminate);
        await Node.WaitForExitAsync(Limit);
        await Node.DisposeAsync();
        _node = null;
    }

    /// <summary>Deletes a queue, or tells of queues and the like.</summary>
    public Task<ShellResult> ControlAsync(params string[] arguments) => Shell.RunAsync(
        In(["env", $"ERL_EPMD_PORT={_mapperPort}", $"HOME={Home}", $"RABBITMQ_NODENAME={Name}", "/usr/lib/rabbitmq/bin/rabbitmqctl", .. arguments]));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        if (_mapper is not null)
        {
            await _mapper.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private async Task PrepareAsync()
    {
        string folder = _folder.FullName;
        string tls = !_tls ? "" : $"""
            listeners.ssl.1 = {Address}:{TlsPort}
            ssl_options.cacertfile = {CaFile}
            ssl_options.certfile = {folder}/server.pem
            ssl_options.keyfile = {folder}/server.key
            ssl_options.verify = verify_none
            ssl_options.fail_if_no_peer_cert = false
            """;
        string cluster = _first is null ? "" : $"""
            cluster_formation.peer_discovery_backend = classic_config
            cluster_formation.classic_config.nodes.1 = {_first.Name}
            cluster_formation.classic_config.nodes.2 = {Name}
            """;
        await File.WriteAllTextAsync(Path.Combine(folder, "rabbitmq.conf"), $"""
            listeners.tcp.1 = {Address}:{Port}
            loopback_users = none
            default_user = {User}
            default_pass = {Password}
            log.file = rabbit.log
            log.file.level = info
            management_agent.disable_metrics_collector = true
            {cluster}
            {tls}
            """ + "\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "plugins"), "[].\n");
        if (_tls)
        {
            WriteCertificates();
        }

        _mapper = _first is not null ? null : Daemon.Start("epmd", folder, In("epmd", "-port", $"{_mapperPort}", "-address", "127.0.0.1"));
    }

    private void WriteCertificates()
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using RSA authorityKey = RSA.Create(2048);
        CertificateRequest authority = new("CN=test authority", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 ca = authority.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new("CN=broker", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Parse(Address));
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(ca, now.AddHours(-1), now.AddDays(1), [1, 2, 3, 4]);
        File.WriteAllText(CaFile, ca.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.FullName, "server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.FullName, "server.key"), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Asked from where it runs: a namespace's addresses are not to be reached from here.</summary>
    private async Task<bool> AnswersAsync()
    {
        if (Node.HasExited)
        {
            throw new InvalidOperationException("RabbitMQ ended: " + string.Join('\n', Node.Lines.TakeLast(20)));
        }

        return (await Shell.RunAsync(In("bash", "-c", $"exec 3<>/dev/tcp/{Address}/{Port}"))).ExitCode == 0;
    }

    private string[] In(params string[] command) => _network?.Command(command) ?? command;

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
