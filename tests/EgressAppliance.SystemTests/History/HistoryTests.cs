using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.History;

/// <summary>The history on a disk that is full, and copied into a real PostgreSQL.</summary>
public sealed partial class HistoryTests(ITestOutputHelper output)
{
    private const int Minutes = 1440;
    private const int Links = 4;
    private const int Prefixes = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };

    [HistoryFact]
    public async Task Full_disk_is_told_steering_goes_on_and_writing_resumes_by_itself()
    {
        HistoryFactDemand();
        DirectoryInfo folder = Directory.CreateTempSubdirectory("eafull-");
        try
        {
            // The file system is in a mount namespace of the demo's own and goes with it. Its history is in TMPDIR.
            string disk = Path.Combine(folder.FullName, "disk");
            Directory.CreateDirectory(disk);
            await using Daemon demo = Daemon.Start(
                "demo", folder.FullName,
                [
                    "unshare", "--mount", "--propagation", "private", "sh", "-c",
                    "mount -t tmpfs -o size=3m none \"$1\" && TMPDIR=\"$1\" exec \"$2\" demo --port 0", "sh", disk, ApplianceCommand.Path,
                ]);
            string origin = await OriginAsync(demo);
            string inside = $"/proc/{demo.ProcessId}/root{disk}";
            await Until.TrueAsync("the history to be written", async () => await MetricAsync(origin, "egress_history_write_seconds_count") > 0, Limit, output);

            // All that is left, and what the log has kept for itself.
            await Shell.RunAsync(["dd", "if=/dev/zero", $"of={inside}/filler", "bs=4k"]);
            await Until.TrueAsync("the full disk to be told", async () => await MetricAsync(origin, "egress_history_up") == 0, Limit, output);
            JsonElement status = await Until.ValueAsync(
                "the problem in the status of the next cycle", () => GetAsync(origin, "status"),
                s => s.GetProperty("problems").EnumerateArray().Any(p => p.GetString()!.Contains("is full", StringComparison.Ordinal)), Limit, output);
            Assert.False(status.GetProperty("healthy").GetBoolean());
            Assert.NotEmpty((await GetAsync(origin, "history/status")).GetProperty("problems").EnumerateArray());

            // Neither the control loop nor the data path waits for it.
            double cycles = await MetricAsync(origin, "egress_decision_cycles_total");
            double packets = await MetricAsync(origin, "egress_capture_packets_total");
            await Until.TrueAsync("five more cycles", async () => await MetricAsync(origin, "egress_decision_cycles_total") >= cycles + 5, Limit, output);
            Assert.True(await MetricAsync(origin, "egress_capture_packets_total") > packets);
            Assert.Equal(0, await MetricAsync(origin, "egress_history_dropped_ticks_total"));

            double written = await MetricAsync(origin, "egress_history_write_seconds_count");
            File.Delete($"{inside}/filler");
            await Until.TrueAsync("writing to resume", async () => await MetricAsync(origin, "egress_history_up") == 1, Limit, output);
            await Until.TrueAsync("a transaction", async () => await MetricAsync(origin, "egress_history_write_seconds_count") > written, Limit, output);
            Assert.Empty((await GetAsync(origin, "history/status")).GetProperty("problems").EnumerateArray());
            demo.Signal(PosixSignalNumber.Terminate);
            Assert.Equal(0, await demo.WaitForExitAsync(Limit));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Without TimescaleDB, and with it where this machine has it.</summary>
    public static TheoryData<bool> Timescale => PostgresServer.HasTimescale ? [false, true] : [false];

    [HistoryTheory]
    [MemberData(nameof(Timescale))]
    public async Task Sink_copies_samples_and_events_into_postgresql_and_outlasts_its_outage(bool timescale)
    {
        HistoryFactDemand();
        DirectoryInfo folder = Directory.CreateTempSubdirectory("easink-");
        try
        {
            string database = Path.Combine(folder.FullName, "history.db");
            await FillAsync(database);
            await using PostgresServer server = await PostgresServer.StartAsync(output, timescale: timescale);
            string config = await ConfigAsync(folder.FullName, database, server.Connection);
            await using (Daemon appliance = Daemon.Start("run", folder.FullName, [ApplianceCommand.Path, "run", "--config", config]))
            {
                string origin = await OriginAsync(appliance);

                // All but the newest minute, which a restart may add to.
                await CountAsync(server, "egress_link_minute", Links * (Minutes - 1));
                await CountAsync(server, "egress_prefix_minute", Prefixes * (Minutes - 1));
                await Until.TrueAsync("a good sink", async () => await MetricAsync(origin, "egress_history_sink_up") == 1, Limit, output);
                await CompareAsync(server, database, "links", "egress_link_minute", ["time", "link", "mirror_bps", "counter_bps", "native_bps", "capacity_bps", "native_overload_seconds"], "time, link");
                await CompareAsync(server, database, "prefixes", "egress_prefix_minute", ["time", "prefix", "link", "bps"], "time, prefix, link");

                await server.StopAsync();
                await ModeAsync(origin, "inject");
                await Until.TrueAsync("the outage to be told", async () => await MetricAsync(origin, "egress_history_sink_up") == 0, Limit, output);
                await ModeAsync(origin, "observe");
                await server.StartAsync();
                await Until.ValueAsync(
                    "the events of the outage", () => server.QueryAsync("SELECT string_agg(code, ' ' ORDER BY id) FROM egress_event WHERE kind = 'mode'"), modes => modes == "observe inject observe",
                    Limit, output);
                await Until.TrueAsync("a good sink again", async () => await MetricAsync(origin, "egress_history_sink_up") == 1, Limit, output);
                appliance.Signal(PosixSignalNumber.Terminate);
                Assert.Equal(0, await appliance.WaitForExitAsync(Limit));
            }

            Assert.Equal("1", await server.QueryAsync("SELECT count(DISTINCT box) FROM egress_link_minute WHERE box <> ''"));
            await AgeAsync(server, timescale);

            // Taken back to the begin the sink sends all once more, and nothing is there twice.
            await Shell.CheckedAsync("sqlite3", database, "UPDATE sink SET position = 0");
            await using (Daemon appliance = Daemon.Start("again", folder.FullName, [ApplianceCommand.Path, "run", "--config", config]))
            {
                string origin = await OriginAsync(appliance);
                await Until.TrueAsync("everything to be sent", async () => await MetricAsync(origin, "egress_history_sink_rows_total") >= (Links + Prefixes) * (Minutes - 1), Limit, output);
                await Until.TrueAsync("a good sink", async () => await MetricAsync(origin, "egress_history_sink_up") == 1, Limit, output);
            }

            // What is older than all that is kept is gone, with its partition.
            Assert.Equal("0", await server.QueryAsync("SELECT count(*) FROM egress_event WHERE time < '2002-01-01 00:00+00'"));
            Assert.Equal("0", await server.QueryAsync(timescale
                ? "SELECT count(*) FROM timescaledb_information.chunks WHERE range_end < '2002-01-01 00:00+00'"
                : "SELECT count(*) FROM pg_class WHERE relname = 'egress_event_200101'"));
            Assert.Equal($"{Links * (Minutes - 1)}", await server.QueryAsync("SELECT count(*) FROM egress_link_minute WHERE time < '2026-01-01 23:59:00+00'"));
            Assert.Equal("observe,inject,observe,observe", await server.QueryAsync("SELECT string_agg(code, ',' ORDER BY id) FROM egress_event WHERE kind = 'mode'"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Looks at how the tables are partitioned, compresses what can be, and adds an event that is not kept any longer.</summary>
    private static async Task AgeAsync(PostgresServer server, bool timescale)
    {
        if (timescale)
        {
            Assert.Equal("egress_event,egress_link_minute,egress_prefix_minute", await server.QueryAsync("SELECT string_agg(hypertable_name, ',' ORDER BY hypertable_name) FROM timescaledb_information.hypertables WHERE compression_enabled"));
            Assert.Equal("3", await server.QueryAsync("SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' AND hypertable_name LIKE 'egress\\_%'"));
            foreach (string table in (string[])["egress_link_minute", "egress_prefix_minute", "egress_event"])
            {
                await server.QueryAsync($"SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('{table}') c");
            }

            Assert.Equal("0", await server.QueryAsync("SELECT count(*) FROM timescaledb_information.chunks WHERE NOT is_compressed"));
        }
        else
        {
            Assert.Equal("egress_link_minute_202601", await server.QueryAsync("SELECT DISTINCT tableoid::regclass FROM egress_link_minute WHERE time < '2026-02-01 00:00+00'"));
            await server.QueryAsync("CREATE TABLE egress_event_200101 PARTITION OF egress_event FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-02-01 00:00+00')");
        }

        await server.QueryAsync("INSERT INTO egress_event SELECT site, box, '2001-01-02 00:00+00', 0, kind, subject, prefix, from_link, to_link, bps, count, code, text FROM egress_event LIMIT 1");
        Assert.Equal("1", await server.QueryAsync("SELECT count(*) FROM egress_event WHERE time < '2002-01-01 00:00+00'"));
    }

    private static void HistoryFactDemand()
    {
        if (HistoryFactAttribute.Missing() is { } reason)
        {
            throw new InvalidOperationException(reason);
        }
    }

    /// <summary>A day of minutes, by the program that also measures.</summary>
    private static async Task FillAsync(string database)
    {
        DirectoryInfo output = new(AppContext.BaseDirectory);
        string program = Path.Combine(
            output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName, "perf", "EgressAppliance.HistoryLoad", "bin", output.Parent.Name, output.Name, "EgressAppliance.HistoryLoad.dll");
        await Shell.CheckedAsync("dotnet", "exec", program, "year", database, $"{Links}", $"{Prefixes}", "1");
    }

    private static async Task<string> ConfigAsync(string folder, string database, string connection)
    {
        string secret = Path.Combine(folder, "connection");
        await File.WriteAllTextAsync(secret, connection + "\n");
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        // An empty capture: this is about what the history has already.
        byte[] header = new byte[24];
        BitConverter.TryWriteBytes(header, 0xa1b2c3d4u);
        (header[4], header[6], header[16], header[20]) = (2, 4, 255, 1);
        await File.WriteAllBytesAsync(Path.Combine(folder, "empty.pcap"), header);
        string config = Path.Combine(folder, "appliance.yaml");
        await File.WriteAllTextAsync(config, $$"""
            version: 1
            site: test
            capture: { sources: [ { file: empty.pcap, backend: pcap_file } ] }
            routers:
              - name: edge1
                address: 127.0.0.9
                bgp: { local_address: 127.0.0.1, local_as: 65000, port: 17999, listen_port: 0 }
            links:
              - { name: isp-01, router: edge1, interface: a, next_hops: [100.64.1.2], capacity: 1Gbit/s, match: { mac: "02:00:00:00:0a:02" } }
            history:
              path: {{database}}
              journal: false
              retention: { minute: 1100d, five_minutes: 1100d, events: 3650d }
              sinks: [ { kind: postgresql, connection_file: connection } ]
            http: { listen: "127.0.0.1:{{FreePort()}}", socket: "" }
            """);
        return config;
    }

    private async Task CountAsync(PostgresServer server, string table, int rows) => await Until.ValueAsync(
        $"{rows} rows in {table}", () => server.QueryAsync($"SELECT count(*) FROM {table} WHERE time < '2026-01-01 23:59:00+00'"), count => count == rows.ToString(CultureInfo.InvariantCulture), Limit, output);

    /// <summary>What is there is what the export of the same table says.</summary>
    private async Task CompareAsync(PostgresServer server, string database, string table, string copy, string[] columns, string order)
    {
        string[] lines = (await ApplianceCommand.RunAsync("history", "export", "--table", table, "--to", "2026-01-01T23:59:00Z", "--database", database)).Checked()
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] header = lines[0].Split(',');
        int[] wanted = [.. columns.Select(c => Array.IndexOf(header, c))];
        string[] exported = [.. lines.Skip(1).Select(line => line.Split(',')).Select(fields => string.Join(',', wanted.Select(i => fields[i])))];
        string select = string.Join(", ", columns.Select(c => c == "time" ? "to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')" : c));
        string[] copied = (await server.QueryAsync($"SELECT {select} FROM {copy} WHERE time < '2026-01-01 23:59:00+00' ORDER BY {order}")).Split('\n');
        Assert.Equal(exported.Order(StringComparer.Ordinal), copied.Order(StringComparer.Ordinal));
        output.WriteLine($"{table}: {copied.Length} rows are the same");
    }

    private async Task<string> OriginAsync(Daemon process) => await Until.ValueAsync(
        "the endpoint", () => process.HasExited
            ? throw new ApplianceEndedException(string.Join('\n', process.Lines))
            : Task.FromResult(process.Lines.Select(line => Address().Match(line)).FirstOrDefault(match => match.Success)?.Value ?? ""),
        origin => origin.Length > 0, Limit, output);

    private static async Task ModeAsync(string origin, string mode)
    {
        using StringContent body = new($"{{\"mode\":\"{mode}\"}}", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Http.PutAsync($"{origin}/api/v1/mode", body);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<JsonElement> GetAsync(string origin, string path) => JsonDocument.Parse(await Http.GetStringAsync($"{origin}/api/v1/{path}")).RootElement;

    private static async Task<double> MetricAsync(string origin, string name)
    {
        Match sample = Regex.Match(await Http.GetStringAsync($"{origin}/metrics"), $@"(?m)^{name}(\{{[^}}]*\}})? (\S+)$");
        return sample.Success ? double.Parse(sample.Groups[2].Value, CultureInfo.InvariantCulture) : throw new InvalidOperationException($"no sample of {name}");
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        probe.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        return ((System.Net.IPEndPoint)probe.LocalEndPoint!).Port;
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
