using System.Globalization;
using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>BIRD 2 as edge router, with ADD-PATH towards the appliance and its best routes in the kernel.</summary>
internal sealed partial class BirdRouter(NetNamespace network, IReadOnlyList<Provider> providers, string folder, string? applianceSection) : IEdgeRouter
{
    private static readonly string[] Families = ["ipv4", "ipv6"];

    private string Socket => Path.Combine(folder, "edge.ctl");

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Daemon>> StartAsync()
    {
        string config = Path.Combine(folder, "edge.conf");
        await File.WriteAllTextAsync(config, BuildConfig());
        return [Daemon.Start("edge-bird", folder, network.Command("bird", "-f", "-c", config, "-s", Socket, "-P", Path.Combine(folder, "edge.pid")))];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EdgePath>> GetPathsAsync(LabPrefix prefix)
    {
        var paths = new List<EdgePath>();
        foreach (string block in RouteStart().Split(await BirdcAsync($"show route {prefix.Prefix} all")).Skip(1))
        {
            string head = block[..block.IndexOf('\n', StringComparison.Ordinal)];
            paths.Add(new EdgePath(
                Attribute(block, "next_hop").Split(' ')[0],
                int.TryParse(Attribute(block, "local_pref"), CultureInfo.InvariantCulture, out int preference) ? preference : null,
                Attribute(block, "as_path"),
                [.. CommunityText().Matches(Attribute(block, "community")).Select(match => Name(match.Groups[1].Value, match.Groups[2].Value))],
                head.StartsWith("[appliance", StringComparison.Ordinal),
                head.Contains("] * (", StringComparison.Ordinal)));
        }

        return paths;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> GetOverridesAsync()
    {
        var prefixes = new List<string>();
        foreach (string family in Families)
        {
            string text = await BirdcAsync($"show route table {Table(family)} protocol appliance");
            prefixes.AddRange(text.Split('\n').Where(line => line.Length > 0 && char.IsAsciiHexDigit(line[0]) && line.Contains('/', StringComparison.Ordinal) && line.Contains(" unicast ", StringComparison.Ordinal)).Select(line => line.Split(' ')[0]));
        }

        return [.. prefixes.Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async Task<EdgeSession> GetSessionAsync()
    {
        string text = await BirdcAsync("show protocols all appliance");
        return new EdgeSession(
            text.Contains("BGP state:          Established", StringComparison.Ordinal),
            ImportUpdates().Matches(text).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)),
            ImportedRoutes().Matches(text).Sum(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<int>> GetProviderRouteCountsAsync()
    {
        var counts = new List<int>();
        foreach (int version in new[] { 4, 6 })
        {
            foreach (Provider provider in providers)
            {
                string text = await BirdcAsync($"show protocols all isp_{provider.Letter}{version}");
                counts.Add(ImportedRoutes().Matches(text).Sum(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));
            }
        }

        return counts;
    }

    /// <inheritdoc/>
    public async Task<string> DumpAsync() =>
        string.Join('\n', await BirdcAsync("show protocols all"), await BirdcAsync("show route table master4"), await BirdcAsync("show route table master6"));

    private static string Table(string family) => family == "ipv6" ? "master6" : "master4";

    // BIRD prints well-known communities as numbers.
    private static string Name(string upper, string lower) => (upper, lower) switch
    {
        ("65535", "65281") => "no-export",
        _ => $"{upper}:{lower}",
    };

    private static string Attribute(string block, string name)
    {
        string key = $"BGP.{name}: ";
        string? line = block.Split('\n').Select(text => text.Trim()).FirstOrDefault(text => text.StartsWith(key, StringComparison.Ordinal));
        return line?[key.Length..] ?? "";
    }

    [GeneratedRegex(@"(?<=unicast )(?=\[)")]
    private static partial Regex RouteStart();

    [GeneratedRegex(@"\((\d+),(\d+)\)")]
    private static partial Regex CommunityText();

    [GeneratedRegex(@"Import updates:\s+(\d+)")]
    private static partial Regex ImportUpdates();

    [GeneratedRegex(@"Routes:\s+(\d+) imported")]
    private static partial Regex ImportedRoutes();

    private Task<string> BirdcAsync(string command) => Shell.CheckedAsync("birdc", "-s", Socket, "-r", command);

    private const string OwnSection = """
        protocol bgp appliance {
          local 192.0.2.1 as 65000;
          neighbor 192.0.2.2 as 65000;
          hold time 9; keepalive time 3; connect retry time 3; connect delay time 1; error wait time 1, 3;
          graceful restart off;
          ipv4 { import all; import limit 500 action disable; export where source = RTS_BGP; add paths tx; };
          ipv6 { import all; import limit 500 action disable; export where source = RTS_BGP; add paths tx; };
        }
        """;

    private string BuildConfig() => $$"""
        log "{{folder}}/edge.log" all;
        router id 192.0.2.1;
        protocol device { }
        protocol direct { ipv4; ipv6; interface "prov-*", "mgmt", "to-content"; }
        protocol kernel kernel4 { ipv4 { import none; export where source = RTS_BGP; }; }
        protocol kernel kernel6 { ipv6 { import none; export where source = RTS_BGP; }; }
        {{string.Concat(providers.Select(provider => Peer(provider, 4, provider.EdgeIpv4, provider.Ipv4) + Peer(provider, 6, provider.EdgeIpv6, provider.Ipv6)))}}
        {{applianceSection ?? OwnSection}}
        """;

    private static string Peer(Provider provider, int version, string local, string neighbor) => $$"""
        protocol bgp isp_{{provider.Letter}}{{version}} {
          local {{local}} as 65000;
          neighbor {{neighbor}} as {{provider.As}};
          hold time 9; keepalive time 3; connect retry time 1; connect delay time 1; error wait time 1, 2;
          ipv{{version}} { import all; export where source = RTS_BGP; };
        }

        """;
}
