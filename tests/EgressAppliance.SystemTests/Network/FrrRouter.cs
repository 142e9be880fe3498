using System.Globalization;
using System.Text;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>
/// FRR as edge router, configured as the appliance's documentation recommends. It re-announces to its providers whatever is best
/// (no outbound policy): the hardest case for routes that must not leak.
/// </summary>
internal sealed class FrrRouter(string instance, EdgeSite site, int limit, string? applianceSection) : IEdgeRouter
{
    private string RunFolder => Path.Combine("/var/run/frr", instance);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Daemon>> StartAsync()
    {
        string zebraConfig = Path.Combine(site.Folder, "zebra.conf");
        string bgpdConfig = Path.Combine(site.Folder, "bgpd.conf");
        await File.WriteAllTextAsync(zebraConfig, $"hostname {site.Name}\nlog file {site.Folder}/frr-zebra.log\n");
        await File.WriteAllTextAsync(bgpdConfig, BuildBgpdConfig());
        Directory.CreateDirectory(Path.Combine(site.Folder, instance));
        await File.WriteAllTextAsync(Path.Combine(site.Folder, instance, "vtysh.conf"), "");
        Directory.CreateDirectory(RunFolder);
        await Shell.CheckedAsync("chown", "-R", "frr:frr", RunFolder, site.Folder);
        Daemon zebra = Start("zebra", zebraConfig, "-s", "90000000");
        await Until.TrueAsync("zebra's socket", () => Task.FromResult(File.Exists(Path.Combine(RunFolder, "zserv.api"))), TimeSpan.FromSeconds(90), Silent.Instance, TimeSpan.FromMilliseconds(20));
        return [zebra, StartBgpd()];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EdgePath>> GetPathsAsync(LabPrefix prefix)
    {
        using JsonDocument answer = await JsonAsync($"show bgp {prefix.Family} unicast {prefix.Prefix} json");
        if (!answer.RootElement.TryGetProperty("paths", out JsonElement paths))
        {
            return [];
        }

        return [.. paths.EnumerateArray().Select(ReadPath)];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> GetOverridesAsync()
    {
        var prefixes = new List<string>();
        foreach (string family in new[] { "ipv4", "ipv6" })
        {
            using JsonDocument answer = await JsonAsync($"show bgp {family} unicast neighbors {site.ApplianceAddress} routes json");
            if (answer.RootElement.TryGetProperty("routes", out JsonElement routes))
            {
                prefixes.AddRange(routes.EnumerateObject().Select(route => route.Name));
            }
        }

        return [.. prefixes.Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async Task<EdgeSession> GetSessionAsync()
    {
        using JsonDocument answer = await JsonAsync($"show bgp neighbors {site.ApplianceAddress} json");
        JsonElement peer = answer.RootElement.GetProperty(site.ApplianceAddress);
        int prefixes = 0;
        if (peer.TryGetProperty("addressFamilyInfo", out JsonElement families))
        {
            foreach (JsonProperty family in families.EnumerateObject())
            {
                prefixes += family.Value.TryGetProperty("acceptedPrefixCounter", out JsonElement count) ? count.GetInt32() : 0;
            }
        }

        return new EdgeSession(
            peer.GetProperty("bgpState").GetString() == "Established",
            peer.GetProperty("messageStats").GetProperty("updatesRecv").GetInt64(),
            prefixes);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<int>> GetProviderRouteCountsAsync()
    {
        var counts = new List<int>();
        foreach (string family in new[] { "ipv4", "ipv6" })
        {
            using JsonDocument answer = await JsonAsync($"show bgp {family} unicast summary json");
            JsonElement peers = answer.RootElement.GetProperty("peers");
            counts.AddRange(site.Providers.Select(provider =>
                peers.TryGetProperty(family == "ipv4" ? provider.Ipv4 : provider.Ipv6, out JsonElement peer)
                    ? peer.GetProperty("pfxRcd").GetInt32()
                    : 0));
        }

        return counts;
    }

    /// <inheritdoc/>
    public async Task<string> DumpAsync() => string.Join('\n',
        await TextAsync("show bgp summary"), await TextAsync("show bgp ipv4 unicast"), await TextAsync("show bgp ipv6 unicast"),
        await TextAsync($"show bgp neighbors {site.ApplianceAddress}"));

    /// <summary>Asks vtysh.</summary>
    public async Task<string> TextAsync(string command) =>
        (await Shell.RunAsync(["vtysh", "--config_dir", site.Folder, "-N", instance, "-c", command])).Checked();

    /// <summary>Asks vtysh several things that it answers in JSON, at one time.</summary>
    public async Task<IReadOnlyList<JsonElement>> ManyAsync(params string[] commands)
    {
        string text = (await Shell.RunAsync(["vtysh", "--config_dir", site.Folder, "-N", instance, .. commands.SelectMany(c => (string[])["-c", c])])).Checked();
        return ReadAll(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>From now on nothing that the appliance announces passes the import policy.</summary>
    public Task RefuseOverridesAsync() => ConfigureAsync(
        "route-map nothing deny 10", "exit", "router bgp 65000",
        "address-family ipv4 unicast", $"neighbor {site.ApplianceAddress} route-map nothing in", "exit-address-family",
        "address-family ipv6 unicast", $"neighbor {site.ApplianceAddress} route-map nothing in", "exit-address-family");

    /// <summary>From now on a provider's IPv4 routes are preferred by weight, which no other router sees.</summary>
    public async Task PreferByWeightAsync(Provider provider)
    {
        await ConfigureAsync("router bgp 65000", "address-family ipv4 unicast", $"neighbor {provider.Ipv4} weight 500", "exit-address-family");
        await TextAsync($"clear bgp ipv4 unicast {provider.Ipv4} in");
    }

    /// <summary>Starts bgpd once more after its end.</summary>
    public Daemon StartBgpd() => Start("bgpd", Path.Combine(site.Folder, "bgpd.conf"));

    /// <summary>Removes what the daemons leave outside the lab's folder.</summary>
    public void CleanUp()
    {
        if (Directory.Exists(RunFolder))
        {
            Directory.Delete(RunFolder, recursive: true);
        }
    }

    private static List<JsonElement> ReadAll(byte[] text)
    {
        List<JsonElement> answers = [];
        Utf8JsonReader reader = new(text, new JsonReaderOptions { AllowMultipleValues = true });
        while (reader.Read())
        {
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            answers.Add(document.RootElement.Clone());
        }

        return answers;
    }

    private EdgePath ReadPath(JsonElement path)
    {
        JsonElement[] nextHops = [.. path.GetProperty("nexthops").EnumerateArray()];
        JsonElement nextHop = nextHops.FirstOrDefault(hop => !hop.TryGetProperty("scope", out JsonElement scope) || scope.GetString() == "global");
        return new EdgePath(
            nextHop.ValueKind == JsonValueKind.Object ? nextHop.GetProperty("ip").GetString() ?? "" : "",
            path.TryGetProperty("locPrf", out JsonElement preference) ? preference.GetInt32() : null,
            path.GetProperty("aspath").GetProperty("string").GetString() ?? "",
            path.TryGetProperty("community", out JsonElement community)
                ? [.. (community.GetProperty("string").GetString() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)]
                : [],
            path.GetProperty("peer").GetProperty("peerId").GetString() == site.ApplianceAddress,
            path.TryGetProperty("bestpath", out JsonElement best) && best.TryGetProperty("overall", out JsonElement overall) && overall.GetBoolean());
    }

    private async Task ConfigureAsync(params string[] lines) =>
        (await Shell.RunAsync(["vtysh", "--config_dir", site.Folder, "-N", instance, "-c", "configure terminal", .. lines.SelectMany(line => (string[])["-c", line])])).Checked();

    private async Task<JsonDocument> JsonAsync(string command)
    {
        string text = await TextAsync(command);
        return JsonDocument.Parse(text.Length == 0 ? "{}" : text);
    }

    private Daemon Start(string daemon, string config, params string[] more) => Daemon.Start(
        $"{site.Name}-{daemon}", site.Folder,
        site.Network.Command([Path.Combine(SystemRequirements.FrrFolder, daemon), "-N", instance, "-f", config, "-i", Path.Combine(site.Folder, daemon + ".pid"), .. more]));

    private string BuildBgpdConfig()
    {
        string peers = string.Concat(site.Providers.Select(provider => $"""
             neighbor {provider.Ipv4} remote-as {provider.As}
             neighbor {provider.Ipv4} timers 3 9
             neighbor {provider.Ipv4} timers connect 1
             neighbor {provider.Ipv4} advertisement-interval 0
             neighbor {provider.Ipv6} remote-as {provider.As}
             neighbor {provider.Ipv6} timers 3 9
             neighbor {provider.Ipv6} timers connect 1
             neighbor {provider.Ipv6} advertisement-interval 0

            """));
        string activate4 = string.Concat(site.Providers.Select(provider => $"  neighbor {provider.Ipv4} activate\n"));
        string activate6 = string.Concat(site.Providers.Select(provider => $"  neighbor {provider.Ipv6} activate\n"));
        string mates = string.Concat(site.Others.Select(other => $"""
             neighbor {other.CoreIpv4} remote-as 65000
             neighbor {other.CoreIpv4} timers 3 9
             neighbor {other.CoreIpv4} timers connect 1
             neighbor {other.CoreIpv4} advertisement-interval 0

            """));
        string activateMates = string.Concat(site.Others.Select(other => $"  neighbor {other.CoreIpv4} activate\n"));

        // The content servers are behind the first.
        string networks4 = site.Number == 1 ? "  network 198.51.100.0/24\n" : "";
        string networks6 = site.Number == 1 ? "  network 2001:db8:c0::/64\n" : "";
        string family = applianceSection is not null ? "" : string.Create(CultureInfo.InvariantCulture, $"""
              neighbor {site.ApplianceAddress} activate
              neighbor {site.ApplianceAddress} addpath-tx-all-paths
              neighbor {site.ApplianceAddress} maximum-prefix {limit}
            """);
        string session = applianceSection is not null ? "" : $"""
             neighbor {site.ApplianceAddress} remote-as 65000
             neighbor {site.ApplianceAddress} timers 3 9
             neighbor {site.ApplianceAddress} timers connect 3
             neighbor {site.ApplianceAddress} graceful-restart-disable

            """;
        return $"""
            hostname {site.Name}
            log file {site.Folder}/frr-bgpd.log
            router bgp 65000
             bgp router-id {site.Address}
             no bgp default ipv4-unicast
             no bgp ebgp-requires-policy
            {session}{peers}{mates}
             address-family ipv4 unicast
            {networks4}{activate4}{activateMates}
            {family}
             exit-address-family
             address-family ipv6 unicast
            {networks6}{activate6}{activateMates}
            {family}
             exit-address-family
            """ + "\n" + applianceSection;
    }
}
