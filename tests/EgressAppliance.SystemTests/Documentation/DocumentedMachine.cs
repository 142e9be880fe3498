using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;
using EgressAppliance.Tests;

namespace EgressAppliance.SystemTests.Documentation;

/// <summary>
/// A machine on which the lines of the documentation can be typed as they stand: in the lab's management namespace, with the README's configuration in the folder
/// and in /etc, /run and /var/lib of its own, the command on the path and in <c>bin</c>, and files of the names that the examples have.
/// </summary>
internal sealed partial class DocumentedMachine
{
    private const string Mounts = "mount --bind \"$MACHINE/etc\" /etc && mount --bind \"$MACHINE/run\" /run && mount --bind \"$MACHINE/lib\" /var/lib && cd \"$MACHINE/work\" && ";

    private readonly Lab _lab;
    private readonly string _folder;
    private readonly Dictionary<string, string> _environment;
    private int _typed;

    private DocumentedMachine(Lab lab)
    {
        _lab = lab;
        _folder = Directory.CreateDirectory(Path.Combine(lab.Folder, "machine")).FullName;
        _environment = new Dictionary<string, string>
        {
            ["MACHINE"] = _folder,
            ["PATH"] = Path.Combine(_folder, "work", "bin") + ":" + Environment.GetEnvironmentVariable("PATH"),
        };
    }

    /// <summary>Makes it.</summary>
    public static async Task<DocumentedMachine> CreateAsync(Lab lab)
    {
        DocumentedMachine machine = new(lab);
        string work = Directory.CreateDirectory(Path.Combine(machine._folder, "work")).FullName;
        foreach (string folder in (string[])["run", "lib/egress-appliance", "work/bin"])
        {
            Directory.CreateDirectory(Path.Combine(machine._folder, folder));
        }

        await Shell.CheckedAsync("cp", "-a", "/etc", Path.Combine(machine._folder, "etc"));
        string configuration = Directory.CreateDirectory(Path.Combine(machine._folder, "etc", "egress-appliance")).FullName;
        string readme = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "README.md"));
        string yaml = ReadmeConfiguration().Match(readme).Groups[1].Value;
        foreach (string folder in (string[])[work, configuration])
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "appliance.yaml"), yaml);
            await WriteSecretAsync(folder, "community", SnmpAgent.Community);
            await WriteSecretAsync(folder, "auth", SnmpAgent.AuthPassword);
            await WriteSecretAsync(folder, "priv", SnmpAgent.PrivPassword);
        }

        await WriteProgramAsync(Path.Combine(work, "bin", "egress-appliance"), $"exec '{ApplianceCommand.Path}' \"$@\"");
        await WriteProgramAsync(Path.Combine(work, "bin", "sudo"), "[ \"$1\" = -u ] && shift 2; exec \"$@\"");
        await WriteExamplesAsync(work);
        return machine;
    }

    /// <summary>Types a line.</summary>
    public Task<ShellResult> TypeAsync(string line) => Shell.RunAsync(Command(line));

    /// <summary>Types a line that does not end, and ends it as a service manager does once it has said that it runs.</summary>
    public async Task<ShellResult> TypeUntilItRunsAsync(string line)
    {
        await using Daemon daemon = Daemon.Start($"typed-{++_typed}", _lab.Folder, Command("exec " + line));
        await Until.TrueAsync(
            $"`{line}` to say that it runs", () => Task.FromResult(daemon.HasExited || daemon.Lines.Any(l => l.StartsWith("running", StringComparison.Ordinal))), Scenario.Generous, _lab.Output);
        daemon.Signal(PosixSignalNumber.Terminate);
        int code = await daemon.WaitForExitAsync(Scenario.Generous);
        return new ShellResult(line, code, string.Join('\n', daemon.Lines), "");
    }

    /// <summary>Types a line that goes on until the lab ends.</summary>
    public void TypeAndLeave(string line) => _lab.Adopt(Daemon.Start("typed", _lab.Folder, Command("exec " + line)));

    /// <summary>Asks the appliance's endpoint, by the socket that it has by default.</summary>
    public async Task<string> GetAsync(string path)
    {
        string socket = Path.Combine(_folder, "run", "egress-appliance", "api.sock");
        using HttpClient http = new(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch (SocketException e)
                {
                    connection.Dispose();
                    throw new IOException(e.Message, e);
                }
            },
        })
        { Timeout = TimeSpan.FromSeconds(30) };
        using HttpResponseMessage answer = await http.GetAsync(new Uri("http://appliance" + path));
        string text = await answer.Content.ReadAsStringAsync();
        return answer.StatusCode == HttpStatusCode.OK ? text : throw new InvalidOperationException($"{path}: {answer.StatusCode} {text}");
    }

    private string[] Command(string line) => _lab.ApplianceNetwork.Command(
        ["env", .. _environment.Select(e => $"{e.Key}={e.Value}"), "unshare", "--mount", "--propagation", "private", "bash", "-c", Mounts + line]);

    private static async Task WriteSecretAsync(string folder, string name, string secret)
    {
        string path = Path.Combine(folder, name);
        await File.WriteAllTextAsync(path, secret + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static async Task WriteProgramAsync(string path, string command)
    {
        await File.WriteAllTextAsync(path, "#!/bin/sh\n" + command + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The files that the examples name, from the test data.</summary>
    private static async Task WriteExamplesAsync(string work)
    {
        File.Copy(TestData.Path("captures", "zeek--btest__Traces__tcp__retransmit-timeout.pcapng"), Path.Combine(work, "mirror.pcap"));
        File.Copy(TestData.Path("bgp", "mrt", "ris.updates.20020722.2238.gz"), Path.Combine(work, "updates.20160811.1600.gz"));
        await using (GZipStream rib = new(File.Create(Path.Combine(work, "rib.20260101.gz")), CompressionLevel.Fastest))
        {
            await rib.WriteAsync(await File.ReadAllBytesAsync(TestData.Path("lpm", "sample.v4.txt")));
        }

        string[][] messages = [.. (await File.ReadAllLinesAsync(TestData.Path("bgp", "messages.tsv"))).Skip(1).Select(line => line.Split('\t'))];
        await File.WriteAllLinesAsync(Path.Combine(work, "messages.txt"), messages.Where(m => m[2] is "OPEN" or "KEEPALIVE").Select(m => m[^1]));
        string[][] monitored = [.. (await File.ReadAllLinesAsync(TestData.Path("bmp", "messages.tsv"))).Skip(1).Select(line => line.Split('\t'))];
        await File.WriteAllBytesAsync(Path.Combine(work, "router.bmp"), [.. monitored.Where(m => m[1] == "initiation").SelectMany(m => Convert.FromHexString(m[^1]))]);
        await File.WriteAllTextAsync(
            Path.Combine(work, "snapshot.json"),
            """
            {"time":"2026-01-02T03:04:05Z",
             "links":[{"name":"isp-a","capacity_bps":1000000000,"up":true,"threshold":0.95,"release":0.85,"ceiling":0.9},
                      {"name":"isp-b","capacity_bps":1000000000,"up":true,"threshold":0.95,"release":0.85,"ceiling":0.9}],
             "prefixes":[{"prefix":"203.0.113.0/24","rate_bps":300000000,"paths":["isp-a","isp-b"]},{"prefix":"198.51.100.0/24","rate_bps":700000000,"paths":["isp-a"]}],
             "overrides":[]}
            """);
    }

    [GeneratedRegex("```yaml\n(version: 1\n.*?)```", RegexOptions.Singleline)]
    private static partial Regex ReadmeConfiguration();
}
