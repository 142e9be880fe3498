using System.Globalization;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Routers;

/// <summary>GoBGP: a table and no kernel, every next hop is reachable.</summary>
internal sealed class GoBgpInterop(InteropSite site) : InteropRouter(site)
{
    private static readonly string[] Families = ["ipv4", "ipv6"];

    /// <inheritdoc/>
    public override string Config => string.Create(CultureInfo.InvariantCulture, $"""
        [global.config]
          as = {LocalAs}
          router-id = "{Site.Addresses.Router4}"
          local-address-list = ["{Site.Addresses.Router4}", "{Site.Addresses.Router6}"]
        {Provider(1)}
        {Provider(2)}
        {ApplianceSection}

        """);

    /// <inheritdoc/>
    public override string ApplianceSection => string.Create(CultureInfo.InvariantCulture, $"""
        [[neighbors]]
          [neighbors.config]
            neighbor-address = "{Peer}"
            peer-as = {LocalAs}{(Site.Options.RouterPassword is { } password ? $"\n    auth-password = \"{password}\"" : "")}
          [neighbors.timers.config]
            hold-time = {Site.Options.RouterHoldTime}
            keepalive-interval = {Site.Options.RouterHoldTime / 3}
            connect-retry = 1
            idle-hold-time-after-reset = 1
          [neighbors.transport.config]
            local-address = "{Local}"{(Site.Options.RouterPassive ? "\n    passive-mode = true" : "")}{(Site.Options.TtlSecurity ? "\n  [neighbors.ttl-security.config]\n    enabled = true\n    ttl-min = 255" : "")}
        {FamilyLines("ipv4-unicast")}
        {FamilyLines("ipv6-unicast")}
        """);

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        await File.WriteAllTextAsync(FilePath("gobgpd.toml"), Config);
        Launch("gobgpd", "gobgpd", "-f", FilePath("gobgpd.toml"), "--api-hosts", "127.0.0.1:50051", "--pprof-disable");
    }

    /// <inheritdoc/>
    public override async Task<bool> IsEstablishedAsync()
    {
        using JsonDocument answer = await NeighborAsync();
        return answer.RootElement.GetProperty("state").GetProperty("session_state").GetInt32() == 6;
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<ReceivedRoute>> GetReceivedAsync()
    {
        var routes = new List<ReceivedRoute>();
        foreach (string family in Families)
        {
            using JsonDocument answer = JsonDocument.Parse(await GobgpAsync("-j", "global", "rib", "-a", family));
            foreach (JsonProperty prefix in answer.RootElement.EnumerateObject())
            {
                routes.AddRange(prefix.Value.EnumerateArray()
                    .Where(path => path.TryGetProperty("neighbor-ip", out JsonElement neighbor) && neighbor.GetString() == Peer)
                    .Select(path => ReadPath(prefix.Name, path)));
            }
        }

        return routes;
    }

    /// <inheritdoc/>
    public override async Task<long> CountUpdatesAsync()
    {
        using JsonDocument answer = await NeighborAsync();
        return answer.RootElement.GetProperty("state").GetProperty("messages").GetProperty("received").GetProperty("update").GetInt64();
    }

    /// <inheritdoc/>
    public override async Task<string> ShutDownAsync(string text)
    {
        await GobgpAsync("neighbor", Peer, "shutdown", "--reason", text);
        return text;
    }

    /// <inheritdoc/>
    public override async Task<string> DumpAsync() => string.Join('\n', await GobgpAsync("neighbor"), await GobgpAsync("neighbor", Peer), await GobgpAsync("global", "rib"));

    private static ReceivedRoute ReadPath(string prefix, JsonElement path)
    {
        // Attributes by their type codes, the values in the form of GoBGP's own types.
        Dictionary<int, JsonElement> attributes = path.GetProperty("attrs").EnumerateArray()
            .GroupBy(attribute => attribute.GetProperty("type").GetInt32())
            .ToDictionary(group => group.Key, group => group.First());
        return new ReceivedRoute(
            prefix,
            attributes.TryGetValue(3, out JsonElement nextHop) || attributes.TryGetValue(14, out nextHop) ? nextHop.GetProperty("nexthop").GetString() ?? "" : "",
            attributes.TryGetValue(5, out JsonElement preference) ? preference.GetProperty("value").GetUInt32() : 0,
            attributes.TryGetValue(2, out JsonElement asPath)
                ? string.Join(' ', asPath.GetProperty("as_paths").EnumerateArray().SelectMany(segment => segment.GetProperty("asns").EnumerateArray()).Select(number => number.GetUInt32().ToString(CultureInfo.InvariantCulture)))
                : "",
            attributes.TryGetValue(8, out JsonElement communities)
                ? [.. communities.GetProperty("communities").EnumerateArray().Select(community => Bgp.Rib.Community.Format(community.GetUInt32()))]
                : [],
            path.TryGetProperty("best", out JsonElement best) && best.GetBoolean());
    }

    private async Task<JsonDocument> NeighborAsync() => JsonDocument.Parse(await GobgpAsync("-j", "neighbor", Peer));

    private Task<string> GobgpAsync(params string[] command) => Network.RunAsync(["gobgp", .. command]);

    private string FamilyLines(string family) => $"""
          [[neighbors.afi-safis]]
            [neighbors.afi-safis.config]
              afi-safi-name = "{family}"
        """
        + (Site.Options.AddPath ? "\n    [neighbors.afi-safis.add-paths.config]\n      send-max = 8" : "")
        + (Site.Options.RouterMaxPrefix is { } limit
            ? string.Create(CultureInfo.InvariantCulture, $"\n    [neighbors.afi-safis.prefix-limit.config]\n      max-prefixes = {limit}")
            : "");

    private string Provider(int provider) => string.Create(CultureInfo.InvariantCulture, $"""
        [[neighbors]]
          [neighbors.config]
            neighbor-address = "{Site.Addresses.Provider4(provider)}"
            peer-as = {FeedRoute.ProviderAs(provider)}
          [neighbors.transport.config]
            passive-mode = true
          [[neighbors.afi-safis]]
            [neighbors.afi-safis.config]
              afi-safi-name = "ipv4-unicast"
          [[neighbors.afi-safis]]
            [neighbors.afi-safis.config]
              afi-safi-name = "ipv6-unicast"
        """);
}
