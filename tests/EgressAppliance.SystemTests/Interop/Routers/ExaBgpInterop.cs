using System.Globalization;
using System.Text;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Routers;

/// <summary>
/// ExaBGP: sends the routes of its configuration and prints what it receives, without a table between the two. A shell that it runs as its API process
/// writes what it prints to a file, from which the routes held from us are put together here, and passes commands on. It waits for our connection, since it
/// does not settle collisions well.
/// </summary>
internal sealed class ExaBgpInterop(InteropSite site) : InteropRouter(site)
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(90);
    private IReadOnlyCollection<FeedRoute> _routes = [];

    /// <inheritdoc/>
    public override string Config => Configuration(string.Concat(_routes.Select(RouteLine)));

    /// <inheritdoc/>
    public override string ApplianceSection => NeighborLines + "\n}";

    // Without the closing brace: in a test the routes stand inside.
    private string NeighborLines => string.Create(CultureInfo.InvariantCulture, $$"""
        neighbor {{Peer}} {
          local-address {{Local}}; router-id {{Site.Addresses.Router4}};
          local-as {{LocalAs}}; peer-as {{LocalAs}};
          hold-time {{Site.Options.RouterHoldTime}};{{(Site.Options.RouterConnects ? "" : " passive true;")}}{{(Site.Options.RouterPassword is { } password ? $" md5-password \"{password}\";" : "")}}{{(Site.Options.TtlSecurity ? " incoming-ttl 255; outgoing-ttl 255;" : "")}}
          family { ipv4 unicast; ipv6 unicast; }
          capability { asn4 enable; route-refresh enable;{{(Site.Options.AddPath ? " add-path send;" : "")}} }
        """);

    private string Heard => FilePath("exabgp-heard.json");

    private string Commands => FilePath("exabgp-commands");

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        await File.WriteAllTextAsync(FilePath("exabgp.conf"), Config);
        await File.WriteAllTextAsync(Heard, "");
        // The pipe is opened for reading and writing, so that it never ends.
        await File.WriteAllTextAsync(FilePath("exabgp-api.sh"), $"exec 3<&0\ncat <&3 >>{Heard} &\nexec cat <>{Commands}\n");
        if (!File.Exists(Commands))
        {
            await Shell.CheckedAsync("mkfifo", Commands);
        }

        Launch(
            "exabgp", "env", "exabgp_daemon_daemonize=false", "exabgp_daemon_user=root", "exabgp_daemon_drop=false", "exabgp_api_cli=false", "exabgp_api_ack=false",
            $"exabgp_tcp_bind={Local}", "exabgp", FilePath("exabgp.conf"));
    }

    /// <inheritdoc/>
    public override async Task<bool> IsEstablishedAsync() => (await ReadAsync()).Up;

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<ReceivedRoute>> GetReceivedAsync() => [.. (await ReadAsync()).Routes.Values];

    /// <inheritdoc/>
    public override async Task<long> CountUpdatesAsync() => (await ReadAsync()).Updates;

    /// <inheritdoc/>
    public override Task RequestRefreshAsync() => CommandAsync($"neighbor {Peer} announce route-refresh ipv4 unicast\nneighbor {Peer} announce route-refresh ipv6 unicast\n");

    /// <inheritdoc/>
    public override async Task<string> ShutDownAsync(string text)
    {
        // Its command takes a subcode and no text; the text sent is its own.
        await CommandAsync($"neighbor {Peer} teardown 2\n");
        return "Administrative Shutdown";
    }

    /// <inheritdoc/>
    public override async Task<bool> TryAnnounceAsync(IReadOnlyCollection<FeedRoute> routes)
    {
        _routes = routes;
        await File.WriteAllTextAsync(FilePath("exabgp.conf"), Config);
        foreach (Daemon daemon in Daemons)
        {
            daemon.Signal(PosixSignalNumber.User1);
        }

        return true;
    }

    /// <inheritdoc/>
    public override async Task<string> DumpAsync()
    {
        string[] lines = await File.ReadAllLinesAsync(Heard);
        return string.Join('\n', lines.TakeLast(20));
    }

    private static ReceivedRoute RouteOf(string prefix, string nextHop, JsonElement attributes) => new(
        prefix,
        nextHop,
        attributes.TryGetProperty("local-preference", out JsonElement preference) ? preference.GetUInt32() : 0,
        attributes.TryGetProperty("as-path", out JsonElement asPath) ? string.Join(' ', asPath.EnumerateArray().Select(number => number.ToString())) : "",
        attributes.TryGetProperty("community", out JsonElement communities)
            ? [.. communities.EnumerateArray().Select(community => string.Join(':', community.EnumerateArray().Select(number => number.ToString())))]
            : [],
        Best: null);

    private static void Apply(JsonElement update, State state)
    {
        if (update.TryGetProperty("withdraw", out JsonElement withdrawn))
        {
            foreach (JsonElement nlri in withdrawn.EnumerateObject().SelectMany(family => family.Value.EnumerateArray()))
            {
                state.Routes.Remove(nlri.GetProperty("nlri").GetString() ?? "");
            }
        }

        if (update.TryGetProperty("announce", out JsonElement announced))
        {
            foreach (JsonProperty nextHop in announced.EnumerateObject().SelectMany(family => family.Value.EnumerateObject()).Where(hop => hop.Value.ValueKind == JsonValueKind.Array))
            {
                foreach (JsonElement nlri in nextHop.Value.EnumerateArray().Where(nlri => nlri.TryGetProperty("nlri", out _)))
                {
                    string prefix = nlri.GetProperty("nlri").GetString() ?? "";
                    state.Routes[prefix] = RouteOf(prefix, nextHop.Name, update.GetProperty("attribute"));
                }
            }
        }
    }

    private async Task<State> ReadAsync()
    {
        var state = new State();
        string text;
        await using (var stream = new FileStream(Heard, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        using (var reader = new StreamReader(stream))
        {
            text = await reader.ReadToEndAsync();
        }

        // The last line may still be in the writing.
        foreach (string line in text[..(text.LastIndexOf('\n') + 1)].Split('\n').Where(line => line.StartsWith('{')))
        {
            // It puts the octets of a NOTIFICATION's data into the text as they are, which is no JSON.
            using JsonDocument document = JsonDocument.Parse(string.Concat(line.Where(c => !char.IsControl(c))));
            JsonElement neighbor = document.RootElement.TryGetProperty("neighbor", out JsonElement found) ? found : default;
            switch (document.RootElement.GetProperty("type").GetString())
            {
                case "state":
                    state.Up = neighbor.GetProperty("state").GetString() == "up";
                    state.Routes.Clear();
                    break;
                case "update" when neighbor.GetProperty("message").TryGetProperty("update", out JsonElement update):
                    state.Updates++;
                    Apply(update, state);
                    break;
                default:
                    break;
            }
        }

        return state;
    }

    private async Task CommandAsync(string commands)
    {
        using var limit = new CancellationTokenSource(CommandLimit);
        await using var pipe = new FileStream(Commands, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        await pipe.WriteAsync(Encoding.ASCII.GetBytes(commands), limit.Token);
    }

    private string Configuration(string routes) => $$"""
        process tap {
          run /bin/sh {{FilePath("exabgp-api.sh")}};
          encoder json;
        }
        {{NeighborLines}}
          api { processes [ tap ]; neighbor-changes; receive { parsed; update; } }
          static {
        {{routes}}  }
        }

        """;

    private string RouteLine(FeedRoute route) => string.Create(
        CultureInfo.InvariantCulture,
        $"    route {route.Prefix} next-hop {Site.Addresses.Provider(route.Provider, route.Prefix.Family)}{(Site.Options.AddPath ? $" path-information 0.0.0.{route.Provider}" : "")} as-path [ {string.Join(' ', route.AsPath)} ] local-preference 100{(route.Med is { } med ? $" med {med}" : "")} community [ {string.Join(' ', route.Communities.Select(Bgp.Rib.Community.Format))} ]{(route.LargeCommunities.IsEmpty ? "" : $" large-community [ {string.Join(' ', route.LargeCommunities)} ]")};\n");

    private sealed class State
    {
        public bool Up { get; set; }

        public long Updates { get; set; }

        public Dictionary<string, ReceivedRoute> Routes { get; } = [];
    }
}
