using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.History;

/// <summary>A PostgreSQL server of the test's own, on loopback or in a namespace, with its data in a temporary folder; it runs as the user of the package, since it refuses to be root.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    public const string Password = "correct horse";
    private const string User = "postgres";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder;
    private readonly ITestOutputHelper _output;
    private Daemon? _server;

    private readonly NetNamespace? _network;
    private readonly string _address;

    private PostgresServer(DirectoryInfo folder, int port, NetNamespace? network, string address, ITestOutputHelper output) =>
        (_folder, Port, _network, _address, _output) = (folder, port, network, address, output);

    /// <summary>Folder of the server's programs, of the newest version that is installed; null if there is none.</summary>
    public static string? Folder { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Where(b => File.Exists(Path.Combine(b, "initdb"))).OrderDescending(StringComparer.Ordinal).FirstOrDefault()
        : null;

    /// <summary>Whether this machine's PostgreSQL has TimescaleDB, which Debian has no package of.</summary>
    public static bool HasTimescale { get; } = Folder is not null && File.Exists($"/usr/share/postgresql/{Path.GetFileName(Path.GetDirectoryName(Folder))}/extension/timescaledb.control");

    public int Port { get; }

    /// <summary>Connection string for the sink.</summary>
    public string Connection => $"Host={_address};Port={Port};Database=postgres;Username={User};Password={Password};Timeout=5";

    /// <summary>The process.</summary>
    public Daemon Server => _server ?? throw new InvalidOperationException("the server was stopped");

    /// <summary>Starts one.</summary>
    /// <param name="output">The test's output.</param>
    /// <param name="network">Where; null: here.</param>
    /// <param name="address">An address of that network.</param>
    /// <param name="timescale">Whether its database has TimescaleDB.</param>
    public static async Task<PostgresServer> StartAsync(ITestOutputHelper output, NetNamespace? network = null, string address = "127.0.0.1", bool timescale = false)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("eapg-");
        PostgresServer server = new(folder, FreePort(), network, address, output);
        try
        {
            string password = Path.Combine(folder.FullName, "password");
            await File.WriteAllTextAsync(password, Password);
            await Shell.CheckedAsync("chown", "-R", User, folder.FullName);
            await Shell.CheckedAsync([.. As("initdb"), "-D", server.Data, "-A", "scram-sha-256", "-U", User, "--pwfile", password, "--no-sync", "-E", "UTF8", "--locale", "C"]);
            await File.AppendAllTextAsync(Path.Combine(server.Data, "pg_hba.conf"), "host all all 0.0.0.0/0 scram-sha-256\nhost replication all 0.0.0.0/0 scram-sha-256\n");
            if (timescale)
            {
                await File.AppendAllTextAsync(Path.Combine(server.Data, "postgresql.conf"), "shared_preload_libraries = 'timescaledb'\ntimescaledb.telemetry_level = off\n");
            }

            await server.StartAsync();
            if (timescale)
            {
                await server.QueryAsync("CREATE EXTENSION timescaledb");
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A standby of this server on the same machine, which follows it asynchronously.</summary>
    public async Task<PostgresServer> StartReplicaAsync()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("eapg-");
        PostgresServer replica = new(folder, FreePort(), _network, _address, _output);
        try
        {
            await Shell.CheckedAsync("chown", "-R", User, folder.FullName);
            (await Shell.RunAsync(
                [.. _network?.Command() ?? [], .. As("pg_basebackup"), "-D", replica.Data, "-R", "-X", "stream", "-c", "fast", "-d", $"host={_address} port={Port} user={User} password='{Password}'"])).Checked();
            await replica.StartAsync();
            return replica;
        }
        catch
        {
            await replica.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a primary of a standby.</summary>
    public async Task PromoteAsync() => (await Shell.RunAsync([.. As("pg_ctl"), "-D", Data, "-w", "promote"])).Checked();

    /// <summary>From the next start on it speaks TLS, with a certificate for <c>localhost</c> of an authority of its own.</summary>
    /// <returns>The file with the certificate of the authority.</returns>
    public async Task<string> MakeTlsAsync()
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest authorityRequest = new("CN=an authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));

        // One time for both: a certificate may not outlive its authority by the second in which it is made.
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(authority, now.AddDays(-1), now.AddDays(1), [1]);
        string file = Path.Combine(_folder.FullName, "authority.pem"), keyFile = Path.Combine(Data, "server.key");
        await File.WriteAllTextAsync(file, authority.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(Data, "server.crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Shell.CheckedAsync("chown", User, keyFile);
        await File.AppendAllTextAsync(Path.Combine(Data, "postgresql.conf"), "ssl = on\n");
        return file;
    }

    /// <summary>Sends a signal to all processes of the server.</summary>
    public void SignalAll(PosixSignalNumber signal)
    {
        Server.Signal(signal);
        foreach (string child in File.ReadAllText($"/proc/{Server.ProcessId}/task/{Server.ProcessId}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            // One that ended meanwhile needs no signal.
            if (Directory.Exists($"/proc/{child}"))
            {
                NativeMethods.Kill(int.Parse(child, CultureInfo.InvariantCulture), signal);
            }
        }
    }

    /// <summary>Starts it, or again after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        _server = Daemon.Start(
            "postgres", _folder.FullName,
            [.. _network?.Command() ?? Array.Empty<string>(), .. As("postgres"), "-D", Data, "-k", _folder.FullName, "-c", $"listen_addresses={_address}", "-p", $"{Port}", "-c", "fsync=off"]);
        await Until.TrueAsync("PostgreSQL to answer", async () => await QueryAsync("SELECT 1") == "1", Limit, _output);
    }

    /// <summary>Ends it at once, as a failure would.</summary>
    public async Task StopAsync()
    {
        if (_server is not null)
        {
            // SIGTERM would wait for the sink to hang up.
            await Shell.RunAsync([.. As("pg_ctl"), "-D", Data, "-m", "immediate", "-w", "stop"]);
            await _server.DisposeAsync();
            _server = null;
        }
    }

    /// <summary>The answer of a query, one row a line, columns separated by commas.</summary>
    public async Task<string> QueryAsync(string sql) => (await Shell.CheckedAsync(
        [.. _network?.Command() ?? Array.Empty<string>(), "psql", $"postgresql://{User}:{Uri.EscapeDataString(Password)}@{_address}:{Port}/postgres", "-X", "-A", "-t", "-F", ",", "-v", "ON_ERROR_STOP=1", "-c", sql])).Trim();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    private string Data => Path.Combine(_folder.FullName, "data");

    private static string[] As(string program) => ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", Path.Combine(Folder!, program)];

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
