using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.Cli;
using EgressAppliance.Tests.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Support;

public sealed class SupportCommandTests : IDisposable
{
    /// <summary>Stands in every file with a secret; nothing of a bundle may hold it.</summary>
    private const string Secret = "hunter2-Zx9";

    private readonly string _folder = Directory.CreateTempSubdirectory("egress-support-").FullName;
    private readonly CliRunner _cli = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Bundle_of_an_appliance_that_does_not_run_says_so_and_has_the_rest_without_secrets()
    {
        string config = WriteConfig();
        string file = Path.Combine(_folder, "bundle.tar.gz");
        Assert.Equal(ExitCode.Done, await RunAsync(config, file));
        Dictionary<string, string> members = Read(file);
        Assert.All(members, m => Assert.DoesNotContain(Secret, m.Value, StringComparison.Ordinal));
        using JsonDocument manifest = JsonDocument.Parse(members["bundle/manifest.json"]);
        Assert.False(manifest.RootElement.GetProperty("running").GetBoolean());
        Dictionary<string, (string Result, string Reason)> parts = manifest.RootElement.GetProperty("parts").EnumerateArray().ToDictionary(
            p => p.GetProperty("name").GetString()!, p => (p.GetProperty("result").GetString()!, p.TryGetProperty("reason", out JsonElement reason) ? reason.GetString()! : ""));
        Assert.All(["status.json", "decisions.json", "metrics.txt"], name =>
        {
            Assert.Equal("failed", parts[name].Result);
            Assert.Contains("nobody.sock", parts[name].Reason, StringComparison.Ordinal);
            Assert.DoesNotContain("bundle/" + name, members.Keys);
        });
        Assert.All(["versions.txt", "doctor.txt", "check.txt", "config/appliance.yaml", "files.txt", "audit.jsonl"], name => Assert.Equal(("included", ""), parts[name]));
        Assert.Contains("community_file: community", members["bundle/config/appliance.yaml"], StringComparison.Ordinal);
        Assert.Contains("header_file", members["bundle/config/appliance.yaml"], StringComparison.Ordinal);
        Assert.Contains("\"who\":\"root\"", members["bundle/audit.jsonl"], StringComparison.Ordinal);
        Assert.Contains("appliance.yaml", members["bundle/files.txt"], StringComparison.Ordinal);
        Assert.Matches("(?m)^egress-appliance \\d+\\.\\d+\\.\\d+ ", members["bundle/versions.txt"]);
        Assert.Contains("it is not running", members["bundle/doctor.txt"], StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(["bundle.tar.gz"], Directory.EnumerateFiles(_folder, "bundle*").Select(Path.GetFileName));
    }

    /// <summary>A box whose configuration has an error is just what a bundle is made for.</summary>
    [Theory]
    [InlineData("10Gbit/s", "10Gbitt/s")]
    [InlineData("community_file: community }", "community_file: hunter2-Zx9 }")]
    [InlineData("community_file: community }", "community:hunter2-Zx9: 1 }")]
    [InlineData("mode: observe", "mode: [")]
    public async Task Faulty_configuration_lets_no_secret_out(string right, string wrong)
    {
        string config = WriteConfig();
        string text = await File.ReadAllTextAsync(config);
        await File.WriteAllTextAsync(config, text.Contains(right, StringComparison.Ordinal) ? text.Replace(right, wrong, StringComparison.Ordinal) : text + wrong + "\n");
        string file = Path.Combine(_folder, "bundle.tar.gz");
        await File.WriteAllTextAsync(file + ".partial", "somebody else's");
        Assert.Equal(ExitCode.Done, await RunAsync(config, file));
        Dictionary<string, string> members = Read(file);
        Assert.All(members, m => Assert.False(m.Value.Contains(Secret, StringComparison.Ordinal), m.Key + ":\n" + m.Value));
        Assert.Contains("appliance.yaml:", members["bundle/check.txt"], StringComparison.Ordinal);
        Assert.Equal(wrong != "mode: [", members.ContainsKey("bundle/audit.jsonl"));
        Assert.Equal("somebody else's", await File.ReadAllTextAsync(file + ".partial"));
    }

    [Fact]
    public async Task Bundle_of_a_running_appliance_has_its_documents()
    {
        FakeAppliance appliance = new();
        await using AuditLog audit = FakeAppliance.AuditInMemory();
        await using ApiServer server = await ApiServer.StartAsync(
            new HttpConfig { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" }, appliance, audit, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        string file = Path.Combine(_folder, "bundle.tar.gz");
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("support", "--config", WriteConfig(), "--output", file, "--url", $"http://127.0.0.1:{server.Port}", "--json"));
        using JsonDocument manifest = JsonDocument.Parse(_cli.Out);
        Assert.True(manifest.RootElement.GetProperty("running").GetBoolean());
        Dictionary<string, string> members = Read(file);
        Assert.Contains("\"verdict\":\"no_overload\"", members["bundle/status.json"], StringComparison.Ordinal);
        Assert.Contains("egress_test", members["bundle/metrics.txt"], StringComparison.Ordinal);
        Assert.All(["links.json", "overrides.json", "decisions.json", "prefixes.json", "bgp.json", "cost.json"], name => Assert.Contains("bundle/" + name, members.Keys));
        Assert.Contains("it runs in mode observe", members["bundle/doctor.txt"], StringComparison.Ordinal);

        // The fake keeps no history: one part less, and nothing else.
        Assert.Contains(manifest.RootElement.GetProperty("parts").EnumerateArray(), p => p.GetProperty("name").GetString() == "history.json" && p.GetProperty("result").GetString() == "failed");
    }

    [Fact]
    public async Task File_that_is_there_is_not_overwritten_and_a_part_that_is_too_long_is_cut_at_its_begin()
    {
        string config = WriteConfig(auditLines: 40_000);
        string file = Path.Combine(_folder, "bundle.tar.gz");
        Assert.Equal(ExitCode.Done, await RunAsync(config, file));
        Assert.Matches("audit.jsonl +[0-9,]+ +cut +the last", _cli.Out);
        string audit = Read(file)["bundle/audit.jsonl"];
        Assert.InRange(audit.Length, (1 << 20) - 200, 1 << 20);
        Assert.Contains("\"n\":39999", audit, StringComparison.Ordinal);
        Assert.StartsWith("{\"n\":", audit, StringComparison.Ordinal);
        byte[] before = await File.ReadAllBytesAsync(file);
        Assert.Equal(ExitCode.Failed, await RunAsync(config, file));
        Assert.Contains("it is there already", _cli.Error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(file));
        Assert.Equal(ExitCode.Failed, await RunAsync(config, Path.Combine(_folder, "no", "such", "folder.tar.gz")));
    }

    [Fact]
    public async Task List_says_what_would_be_in_it_and_writes_nothing()
    {
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("support", "--list", "--config", Path.Combine(_folder, "none.yaml")));
        Assert.Contains("log.txt", _cli.Out, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("9000")]
    [InlineData("x")]
    public async Task Bad_hours_are_told(string hours) => Assert.Equal(ExitCode.Usage, await _cli.RunAsync("support", "--hours", hours, "--list"));

    private Task<int> RunAsync(string config, string file) => _cli.RunAsync("support", "--config", config, "--output", file, "--socket", Path.Combine(_folder, "nobody.sock"));

    /// <summary>A configuration with every kind of secret that the format knows, in its files, and one in a comment.</summary>
    private string WriteConfig(int auditLines = 1)
    {
        foreach (string name in new[] { "community", "auth", "priv", "md5", "click", "broker" })
        {
            Write(name, $"{Secret}-{name}\n");
        }

        Write("pg", $"Host=127.0.0.1;Username=egress;Password={Secret}\n");
        Write("site-db", $"Host=127.0.0.1;Username=egress;Password='{Secret};x'\n");
        Write("header", $"Authorization: Bearer {Secret}\n");
        Write("audit.jsonl", string.Concat(Enumerable.Range(0, auditLines).Select(i => $"{{\"n\":{i},\"who\":\"root\",\"detail\":\"community {Secret}-community was typed\"}}\n")));
        string config = $$"""
            # The old password was {{Secret}}.
            version: 1
            role: collector
            cluster: { brokers: [localhost], password_file: broker, database_file: site-db }
            capture: { sources: [ { interface: mir0 } ] }
            routers:
              - { name: edge1, address: 192.0.2.1, bgp: { local_address: 192.0.2.2, local_as: 65000, password_file: md5 }, snmp: { community_file: community } }
              - name: edge2
                address: 192.0.2.5
                bgp: { local_address: 192.0.2.2, local_as: 65000 }
                snmp: { version: 3, user: edge, auth: sha256, auth_password_file: auth, priv: aes128, priv_password_file: priv }
            links:
              - { name: isp-a, router: edge1, interface: prov-a, next_hops: [100.64.1.2], match: { mac: "02:00:00:00:0a:02" }, capacity: 10Gbit/s }
              - { name: isp-b, router: edge2, interface: prov-b, next_hops: [100.64.2.2], match: { mac: "02:00:00:00:0b:02" }, capacity: 10Gbit/s }
            history:
              path: history.db
              sinks:
                - { kind: postgresql, connection_file: pg }
                - { kind: clickhouse, url: "http://127.0.0.1:8123", user: egress, password_file: click }
            telemetry: { otlp: { endpoint: "http://127.0.0.1:4318", header_file: header } }
            """;
        return Write("appliance.yaml", config);
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private static Dictionary<string, string> Read(string file)
    {
        using FileStream stream = File.OpenRead(file);
        using GZipStream gzip = new(stream, CompressionMode.Decompress);
        using TarReader tar = new(gzip);
        Dictionary<string, string> members = [];
        while (tar.GetNextEntry() is { } entry)
        {
            using StreamReader reader = new(entry.DataStream ?? Stream.Null, Encoding.UTF8);
            members.Add(entry.Name, reader.ReadToEnd());
        }

        return members;
    }
}
