using System.Globalization;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Routers;

/// <summary>FRR: zebra for the next hops, bgpd for the rest.</summary>
internal sealed class FrrInterop(InteropSite site) : InteropRouter(site)
{
    private static readonly TimeSpan ZebraLimit = TimeSpan.FromSeconds(90);
    // Details cost a command each.
    private const int MostDetails = 32;

    private static readonly string[] Families = ["ipv4", "ipv6"];

    private string RunFolder => Path.Combine("/var/run/frr", Site.Name);

    /// <inheritdoc/>
    public override string Config => string.Create(CultureInfo.InvariantCulture, $"""
        hostname edge
        log file {Site.Folder}/frr-bgpd.log
        router bgp {LocalAs}
         bgp router-id {Site.Addresses.Router4}
         no bgp default ipv4-unicast
         no bgp ebgp-requires-policy
        {Provider(1)}
        {Provider(2)}
        {ApplianceLines(Peer)}
         address-family ipv4 unicast
          neighbor {Site.Addresses.Provider4(1)} activate
          neighbor {Site.Addresses.Provider4(2)} activate
        {FamilyLines(Peer)}
         exit-address-family
         address-family ipv6 unicast
          neighbor {Site.Addresses.Provider4(1)} activate
          neighbor {Site.Addresses.Provider4(2)} activate
        {FamilyLines(Peer)}
         exit-address-family

        """);

    /// <inheritdoc/>
    public override string ApplianceSection => string.Create(CultureInfo.InvariantCulture, $"""
        router bgp {LocalAs}
         no bgp default ipv4-unicast
        {ApplianceLines(Peer)}
         address-family ipv4 unicast
        {FamilyLines(Peer)}
         exit-address-family
         address-family ipv6 unicast
        {FamilyLines(Peer)}
         exit-address-family
        """);

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        await File.WriteAllTextAsync(FilePath("zebra.conf"), $"hostname edge\nlog file {Site.Folder}/frr-zebra.log\n");
        await File.WriteAllTextAsync(FilePath("bgpd.conf"), Config);
        Directory.CreateDirectory(FilePath(Site.Name));
        await File.WriteAllTextAsync(Path.Combine(FilePath(Site.Name), "vtysh.conf"), "");
        CleanUp();
        Directory.CreateDirectory(RunFolder);
        await Shell.CheckedAsync("chown", "-R", "frr:frr", RunFolder, Site.Folder);
        Launch("frr-zebra", Binary("zebra"), "-N", Site.Name, "-f", FilePath("zebra.conf"), "-i", FilePath("zebra.pid"), "-s", "90000000");
        await Until.TrueAsync(
            "zebra's socket", () => Task.FromResult(File.Exists(Path.Combine(RunFolder, "zserv.api"))), ZebraLimit, Silent.Instance, TimeSpan.FromMilliseconds(20));
        Launch("frr-bgpd", Binary("bgpd"), "-N", Site.Name, "-f", FilePath("bgpd.conf"), "-i", FilePath("bgpd.pid"));
    }

    /// <inheritdoc/>
    public override async Task<bool> IsEstablishedAsync()
    {
        using JsonDocument answer = await JsonAsync($"show bgp neighbors {Peer} json");
        return answer.RootElement.GetProperty(Peer).GetProperty("bgpState").GetString() == "Established";
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<ReceivedRoute>> GetReceivedAsync()
    {
        var routes = new List<ReceivedRoute>();
        foreach (string family in Families)
        {
            // One question for the whole table; paths with all their attributes come only prefix by prefix.
            using JsonDocument answer = await JsonAsync($"show bgp {family} unicast neighbors {Peer} routes json");
            if (!answer.RootElement.TryGetProperty("routes", out JsonElement table))
            {
                continue;
            }

            if (table.EnumerateObject().Count() > MostDetails)
            {
                routes.AddRange(table.EnumerateObject().Select(prefix => new ReceivedRoute(prefix.Name, "", 0, "", [], false)));
                continue;
            }

            foreach (JsonProperty prefix in table.EnumerateObject())
            {
                using JsonDocument detail = await JsonAsync($"show bgp {family} unicast {prefix.Name} json");
                routes.AddRange(detail.RootElement.GetProperty("paths").EnumerateArray()
                    .Where(path => path.GetProperty("peer").GetProperty("peerId").GetString() == Peer)
                    .Select(path => ReadPath(prefix.Name, path)));
            }
        }

        return routes;
    }

    /// <inheritdoc/>
    public override async Task<long> CountUpdatesAsync()
    {
        using JsonDocument answer = await JsonAsync($"show bgp neighbors {Peer} json");
        return answer.RootElement.GetProperty(Peer).GetProperty("messageStats").GetProperty("updatesRecv").GetInt64();
    }

    /// <inheritdoc/>
    public override async Task RequestRefreshAsync()
    {
        foreach (string family in Families)
        {
            await VtyshAsync($"clear bgp {family} unicast {Peer} soft in");
        }
    }

    /// <inheritdoc/>
    public override async Task<string> ShutDownAsync(string text)
    {
        await VtyshAsync("configure terminal", string.Create(CultureInfo.InvariantCulture, $"router bgp {LocalAs}"), $"neighbor {Peer} shutdown message {text}");
        return text;
    }

    /// <inheritdoc/>
    public override async Task<string> DumpAsync() =>
        string.Join('\n', await VtyshAsync("show bgp summary"), await VtyshAsync("show bgp ipv4 unicast"), await VtyshAsync($"show bgp neighbors {Peer}"));

    /// <inheritdoc/>
    public override void CleanUp()
    {
        if (Directory.Exists(RunFolder))
        {
            Directory.Delete(RunFolder, recursive: true);
        }
    }

    private static string Binary(string daemon) => Path.Combine(SystemRequirements.FrrFolder, daemon);

    private static ReceivedRoute ReadPath(string prefix, JsonElement path)
    {
        JsonElement nextHop = path.GetProperty("nexthops").EnumerateArray()
            .FirstOrDefault(hop => !hop.TryGetProperty("scope", out JsonElement scope) || scope.GetString() == "global");
        return new ReceivedRoute(
            prefix,
            nextHop.ValueKind == JsonValueKind.Object ? nextHop.GetProperty("ip").GetString() ?? "" : "",
            path.TryGetProperty("locPrf", out JsonElement preference) ? preference.GetUInt32() : 0,
            path.GetProperty("aspath").GetProperty("string").GetString() ?? "",
            path.TryGetProperty("community", out JsonElement community)
                ? [.. (community.GetProperty("string").GetString() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(CommunityText)]
                : [],
            path.TryGetProperty("bestpath", out JsonElement best) && best.TryGetProperty("overall", out JsonElement overall) && overall.GetBoolean());
    }

    private async Task<JsonDocument> JsonAsync(string command)
    {
        string text = await VtyshAsync(command);
        return JsonDocument.Parse(text.Length == 0 ? "{}" : text);
    }

    private async Task<string> VtyshAsync(params string[] commands) =>
        (await Shell.RunAsync(["vtysh", "--config_dir", Site.Folder, "-N", Site.Name, .. commands.SelectMany(command => new[] { "-c", command })])).Checked();

    private string Provider(int provider) => string.Create(CultureInfo.InvariantCulture, $"""
         neighbor {Site.Addresses.Provider4(provider)} remote-as {FeedRoute.ProviderAs(provider)}
         neighbor {Site.Addresses.Provider4(provider)} passive
         neighbor {Site.Addresses.Provider4(provider)} advertisement-interval 0
        """);

    private string ApplianceLines(string peer) => string.Create(CultureInfo.InvariantCulture, $"""
         neighbor {peer} remote-as {LocalAs}
         neighbor {peer} timers {Site.Options.RouterHoldTime / 3} {Site.Options.RouterHoldTime}
         neighbor {peer} timers connect 1
         neighbor {peer} graceful-restart-disable
        """)
        + (Site.Options.RouterPassive ? $"\n neighbor {peer} passive" : "")
        + (Site.Options.RouterPassword is { } password ? $"\n neighbor {peer} password {password}" : "");

    private string FamilyLines(string peer) =>
        $"  neighbor {peer} activate"
        + (Site.Options.AddPath ? $"\n  neighbor {peer} addpath-tx-all-paths" : "")
        + (Site.Options.RouterMaxPrefix is { } limit ? string.Create(CultureInfo.InvariantCulture, $"\n  neighbor {peer} maximum-prefix {limit}") : "");
}
