using System.Globalization;
using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Routers;

/// <summary>BIRD 2.</summary>
internal sealed partial class BirdInterop(InteropSite site) : InteropRouter(site)
{
    /// <inheritdoc/>
    public override string Config => $$"""
        log "{{FilePath("bird.log")}}" all;
        router id {{Site.Addresses.Router4}};
        protocol device { }
        protocol direct { ipv4; ipv6; interface "edge"; }
        {{Provider(1)}}
        {{Provider(2)}}
        {{ApplianceSection}}

        """;

    /// <inheritdoc/>
    public override string ApplianceSection => string.Create(CultureInfo.InvariantCulture, $$"""
        protocol bgp appliance {
          local {{Local}} as {{LocalAs}};
          neighbor {{Peer}} as {{LocalAs}};
          hold time {{Site.Options.RouterHoldTime}}; keepalive time {{Site.Options.RouterHoldTime / 3}}; connect retry time 1; connect delay time 1; error wait time 1, 2;
          graceful restart off;{{(Site.Options.RouterPassive ? "\n  passive on;" : "")}}{{(Site.Options.RouterPassword is { } password ? $"\n  password \"{password}\";" : "")}}{{(Site.Options.TtlSecurity ? "\n  direct; ttl security on;" : "")}}
          ipv4 { import all; export where source = RTS_BGP;{{ChannelOptions}} };
          ipv6 { import all; export where source = RTS_BGP;{{ChannelOptions}} };
        }
        """);

    private string ChannelOptions =>
        (Site.Options.AddPath ? " add paths tx;" : "")
        + (Site.Options.RouterMaxPrefix is { } limit ? string.Create(CultureInfo.InvariantCulture, $" import limit {limit} action disable;") : "");

    private string Socket => FilePath("bird.ctl");

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        await File.WriteAllTextAsync(FilePath("bird.conf"), Config);
        Launch("bird", "bird", "-f", "-c", FilePath("bird.conf"), "-s", Socket, "-P", FilePath("bird.pid"));
    }

    /// <inheritdoc/>
    public override async Task<bool> IsEstablishedAsync() =>
        (await BirdcAsync("show protocols all appliance")).Contains("BGP state:          Established", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<ReceivedRoute>> GetReceivedAsync()
    {
        var routes = new List<ReceivedRoute>();
        foreach (string table in new[] { "master4", "master6" })
        {
            foreach (string block in RouteStart().Split(await BirdcAsync($"show route table {table} protocol appliance all")))
            {
                string[] lines = block.Split('\n');
                if (!lines[0].Contains("[appliance ", StringComparison.Ordinal))
                {
                    continue;
                }

                routes.Add(new ReceivedRoute(
                    lines[0].Split(' ')[0],
                    Attribute(lines, "next_hop").Split(' ')[0],
                    uint.TryParse(Attribute(lines, "local_pref"), CultureInfo.InvariantCulture, out uint preference) ? preference : 0,
                    Attribute(lines, "as_path"),
                    [.. CommunityPair().Matches(Attribute(lines, "community")).Select(match => $"{match.Groups[1].Value}:{match.Groups[2].Value}")],
                    lines[0].Contains("] * (", StringComparison.Ordinal)));
            }
        }

        return routes;
    }

    /// <inheritdoc/>
    public override async Task<long> CountUpdatesAsync() =>
        ImportUpdates().Matches(await BirdcAsync("show protocols all appliance")).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public override Task RequestRefreshAsync() => BirdcAsync("reload in appliance");

    /// <inheritdoc/>
    public override async Task<string> ShutDownAsync(string text)
    {
        await BirdcAsync($"disable appliance \"{text}\"");
        return text;
    }

    /// <inheritdoc/>
    public override async Task<string> DumpAsync() => string.Join('\n', await BirdcAsync("show protocols all"), await BirdcAsync("show route"));

    private static string Attribute(string[] lines, string name)
    {
        string key = $"BGP.{name}: ";
        string? line = lines.Select(text => text.Trim()).FirstOrDefault(text => text.StartsWith(key, StringComparison.Ordinal));
        return line?[key.Length..] ?? "";
    }

    // A line that begins with a prefix begins a route.
    [GeneratedRegex(@"^(?=[0-9a-f][0-9a-f.:]*/\d+ )", RegexOptions.Multiline)]
    private static partial Regex RouteStart();

    [GeneratedRegex(@"\((\d+),(\d+)\)")]
    private static partial Regex CommunityPair();

    [GeneratedRegex(@"Import updates:\s+(\d+)")]
    private static partial Regex ImportUpdates();

    private Task<string> BirdcAsync(string command) => Shell.CheckedAsync("birdc", "-s", Socket, command);

    private string Provider(int provider) => string.Create(CultureInfo.InvariantCulture, $$"""
        protocol bgp provider{{provider}} {
          local {{Site.Addresses.Router4}} as {{LocalAs}};
          neighbor {{Site.Addresses.Provider4(provider)}} as {{FeedRoute.ProviderAs(provider)}};
          passive on;
          ipv4 { import all; export none; };
          ipv6 { import all; export none; };
        }
        """);
}
