using System.Text.Json;
using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Snmp;

/// <summary>The command <c>snmp walk</c> beside net-snmp's own tool, and the appliance with a user of version 3.</summary>
public sealed partial class SnmpWalkTests(ITestOutputHelper output)
{
    private const string IfTables = "1.3.6.1.2.1.2";
    private const string IfXTables = "1.3.6.1.2.1.31";

    [SystemFact]
    public async Task Walk_of_the_whole_if_mib_agrees_with_snmpwalk()
    {
        await using NetNamespace network = await NetNamespace.CreateAsync(NetNamespace.LabName(9000), "walk");

        // Without traffic nothing changes between the two walks. The addresses begin with an octet that no text has: snmpwalk prints
        // an address whose octets all happen to be printable, as one of forty random ones may be, as text.
        await network.IpAsync(
            ["link set lo up", .. Enumerable.Range(1, 40).Select(i => $"link add prov-{i} address 02:00:00:00:0a:{i:x2} type veth peer name peer-{i} address 02:00:00:00:0b:{i:x2}")]);
        string secrets = Directory.CreateTempSubdirectory("easnmpw-").FullName;
        try
        {
            string auth = await WriteAsync(secrets, "auth", Snmpd.AuthPassword);
            string priv = await WriteAsync(secrets, "priv", Snmpd.PrivPassword);
            string community = await WriteAsync(secrets, "community", "ready");
            await using Snmpd agent = await Snmpd.StartAsync(
                $"createUser edge SHA-512 {Snmpd.AuthPassword} AES {Snmpd.PrivPassword}\nrouser edge authpriv\n", output, network);
            foreach (string root in (string[])[IfTables, IfXTables])
            {
                string[] theirs = Lines(await network.RunAsync(
                    "snmpwalk", "-v3", "-l", "authPriv", "-u", "edge", "-a", "SHA-512", "-A", Snmpd.AuthPassword, "-x", "AES", "-X", Snmpd.PrivPassword,
                    "-t", "10", "-On", "-Oe", "-OU", "-Ot", "127.0.0.1", root));
                string[] byUser = Ours(await network.RunAsync(
                    ApplianceCommand.Path, "snmp", "walk", "--host", "127.0.0.1", "--user", "edge", "--auth", "sha512", "--auth-password-file", auth,
                    "--priv", "aes128", "--priv-password-file", priv, "--json", root));
                string[] byCommunity = Ours(await network.RunAsync(ApplianceCommand.Path, "snmp", "walk", "--host", "127.0.0.1", "--community-file", community, "--json", root));
                Assert.True(theirs.Length > 300, $"{theirs.Length} variables");
                output.WriteLine($"{root}: {theirs.Length} variables");

                // The agent's tools count packets on loopback while they ask.
                Assert.Equal(Still(theirs), Still(byUser));
                Assert.Equal(Still(theirs), Still(byCommunity));
            }
        }
        finally
        {
            Directory.Delete(secrets, recursive: true);
        }
    }

    [SystemFact]
    public Task Appliance_with_a_user_of_version_3_knows_its_links() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { SnmpUser = true, Capacity = "auto", OtherCapacity = "auto", Mode = "observe" });
        await Until.TrueAsync(
            "capacity and counter of every link",
            async () => (await appliance.GetAsync("links")).EnumerateArray().All(link =>
                link.GetProperty("oper_status").GetString() == "up" && link.TryGetProperty("capacity_bps", out JsonElement capacity) && capacity.ValueKind == JsonValueKind.Number
                && link.TryGetProperty("counter_bps", out JsonElement counter) && counter.ValueKind == JsonValueKind.Number),
            Scenario.Generous, output);
    });

    private static async Task<string> WriteAsync(string folder, string name, string secret)
    {
        string path = Path.Combine(folder, name);
        await File.WriteAllTextAsync(path, secret + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    /// <summary>Name and value of net-snmp's lines: <c>.1.3.6 = STRING: "lo"</c>.</summary>
    private static string[] Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
    {
        Match match = TheirLine().Match(line);
        Assert.True(match.Success, line);
        string value = match.Groups[3].Value.Trim().Trim('"');
        return $"{match.Groups[1].Value} {(match.Groups[2].Value == "Hex-STRING" || IsMac(value, match.Groups[1].Value) ? Hex(value) : value.TrimStart('.'))}";
    })];

    private static string[] Ours(string json)
    {
        JsonElement report = JsonDocument.Parse(json).RootElement;
        Assert.False(report.TryGetProperty("error", out JsonElement error), error.ToString());
        return [.. report.GetProperty("variables").EnumerateArray().Select(v => $"{v.GetProperty("name").GetString()} {v.GetProperty("value").GetString()}")];
    }

    /// <summary>The values without those of loopback's counters, which the questions themselves move; names stay.</summary>
    private static string[] Still(string[] lines) => [.. lines.Select(line => LoopbackCounter().IsMatch(line) ? line[..line.IndexOf(' ', StringComparison.Ordinal)] : line)];

    private static bool IsMac(string value, string name) => name.StartsWith("1.3.6.1.2.1.2.2.1.6.", StringComparison.Ordinal) && value.Contains(':', StringComparison.Ordinal);

    private static string Hex(string value) => string.Concat(value.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries).Select(part => part.PadLeft(2, '0'))).ToUpperInvariant();

    [GeneratedRegex("^\\.([0-9.]+) = (?:(?:([A-Za-z0-9-]+): )?(.*))$")]
    private static partial Regex TheirLine();

    // ifInOctets to ifOutQLen and the like of ifXTable, of index 1.
    [GeneratedRegex("^1\\.3\\.6\\.1\\.2\\.1\\.(2\\.2\\.1\\.(1[0-9]|2[01])|31\\.1\\.1\\.1\\.([2-9]|1[0-3]))\\.1 ")]
    private static partial Regex LoopbackCounter();
}
