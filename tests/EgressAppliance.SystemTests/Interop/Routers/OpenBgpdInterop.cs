using System.Globalization;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Routers;

/// <summary>OpenBGPD, portable edition: on Linux it has no kernel routing table, and so takes every next hop for reachable. It waits for our
/// connection, since after two failures in a row it takes no connection for half a minute and more.</summary>
internal sealed class OpenBgpdInterop(InteropSite site) : InteropRouter(site)
{
    // Its processes confine themselves to this folder, which the packaged service makes at start.
    private const string PrisonFolder = "/run/openbgpd";

    /// <inheritdoc/>
    public override string Config => string.Create(CultureInfo.InvariantCulture, $$"""
        AS {{LocalAs}}
        router-id {{Site.Addresses.Router4}}
        fib-update no
        listen on {{Site.Addresses.Router4}}
        listen on {{Site.Addresses.Router6}}
        socket "{{Socket}}"
        log updates
        connect-retry 1
        {{Provider(1)}}
        {{Provider(2)}}
        {{ApplianceSection}}

        """);

    /// <inheritdoc/>
    public override string ApplianceSection => string.Create(CultureInfo.InvariantCulture, $$"""
        neighbor {{Peer}} {
          remote-as {{LocalAs}}
          holdtime {{Site.Options.RouterHoldTime}}
          announce IPv4 unicast
          announce IPv6 unicast{{(Site.Options.AddPath ? "\n  announce add-path send all" : "")}}
          announce restart no{{More}}
        }
        allow from any
        allow to {{Peer}}
        """);

    private string More =>
        (Site.Options.OverIPv6 ? $"\n  local-address {Local}" : "")
        + (Site.Options.RouterConnects ? "" : "\n  passive")
        + (Site.Options.RouterPassword is { } password ? $"\n  tcp md5sig password \"{password}\"" : "")
        + (Site.Options.TtlSecurity ? "\n  ttl-security yes" : "")
        + (Site.Options.RouterMaxPrefix is { } limit ? string.Create(CultureInfo.InvariantCulture, $"\n  max-prefix {limit}") : "");

    private string Socket => FilePath("bgpd.sock");

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        Directory.CreateDirectory(PrisonFolder);
        await File.WriteAllTextAsync(FilePath("bgpd.conf"), Config);
        File.SetUnixFileMode(FilePath("bgpd.conf"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Launch("openbgpd", "bgpd", "-d", "-f", FilePath("bgpd.conf"));
    }

    /// <inheritdoc/>
    public override async Task<bool> IsEstablishedAsync()
    {
        using JsonDocument answer = await JsonAsync("show", "neighbor", Peer);
        return answer.RootElement.GetProperty("neighbors")[0].GetProperty("state").GetString() == "Established";
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<ReceivedRoute>> GetReceivedAsync()
    {
        // The Loc-RIB, because only it tells the best path; the one policy lets everything in.
        using JsonDocument answer = await JsonAsync("show", "rib", "neighbor", Peer, "detail");
        return answer.RootElement.TryGetProperty("rib", out JsonElement rib)
            ? [.. rib.EnumerateArray().Select(path => new ReceivedRoute(
                path.GetProperty("prefix").GetString() ?? "",
                path.GetProperty("exit_nexthop").GetString() ?? "",
                path.GetProperty("localpref").GetUInt32(),
                path.GetProperty("aspath").GetString() ?? "",
                path.TryGetProperty("communities", out JsonElement communities)
                    ? [.. communities.EnumerateArray().Select(community => CommunityText(community.GetString() ?? ""))]
                    : [],
                path.TryGetProperty("best", out JsonElement best) && best.GetBoolean()))]
            : [];
    }

    /// <inheritdoc/>
    public override async Task<long> CountUpdatesAsync()
    {
        using JsonDocument answer = await JsonAsync("show", "neighbor", Peer);
        return answer.RootElement.GetProperty("neighbors")[0].GetProperty("stats").GetProperty("message").GetProperty("received").GetProperty("updates").GetInt64();
    }

    /// <inheritdoc/>
    public override Task RequestRefreshAsync() => BgpctlAsync("neighbor", Peer, "refresh");

    /// <inheritdoc/>
    public override async Task<string> ShutDownAsync(string text)
    {
        await BgpctlAsync("neighbor", Peer, "down", text);
        return text;
    }

    /// <inheritdoc/>
    public override async Task<string> DumpAsync() => string.Join('\n', await BgpctlAsync("show"), await BgpctlAsync("show", "neighbor", Peer), await BgpctlAsync("show", "rib"));

    private async Task<JsonDocument> JsonAsync(params string[] command)
    {
        string text = await BgpctlAsync(["-j", .. command]);
        return JsonDocument.Parse(text.Length == 0 ? "{}" : text);
    }

    private Task<string> BgpctlAsync(params string[] command) => Shell.CheckedAsync(["bgpctl", "-s", Socket, .. command]);

    private string Provider(int provider) => string.Create(CultureInfo.InvariantCulture, $$"""
        neighbor {{Site.Addresses.Provider4(provider)}} {
          remote-as {{FeedRoute.ProviderAs(provider)}}
          passive
          announce IPv4 unicast
          announce IPv6 unicast
        }
        """);
}
