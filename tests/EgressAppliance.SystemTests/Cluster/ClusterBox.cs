using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.History;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>One box of a site: a collector or a controller.</summary>
internal sealed class ClusterBox(ClusterLab cluster, string name, string role, string address, NetNamespace network) : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(cluster.Lab.Folder, name)).FullName;
    private HttpClient? _http;
    private Daemon? _process;
    private int _starts;

    public string Name => name;

    public string Role => role;

    public string Address => address;

    public NetNamespace Network => network;

    public Daemon Process => _process ?? throw new InvalidOperationException($"{name} was not started");

    private string Socket => Path.Combine(_folder, "api.sock");

    /// <summary>Starts it, or again after its end.</summary>
    public async Task StartAsync(ClusterSettings settings)
    {
        string config = Path.Combine(_folder, "appliance.yaml");
        await SecretAsync("broker.password", RabbitServer.Password);
        await SecretAsync("database", cluster.Connection);
        await File.WriteAllTextAsync(config, Yaml(settings));
        _process = Daemon.Start($"{name}-{++_starts}", cluster.Lab.Folder, network.Command(ApplianceCommand.Path, "run", "--config", config));
        cluster.Lab.Adopt(_process);
        _http?.Dispose();
        _http = SocketApi.Connect(Socket);
        _http.Timeout = TimeSpan.FromSeconds(3);
    }

    /// <summary>A document of the API; null: it does not answer.</summary>
    public async Task<JsonElement?> GetAsync(string path)
    {
        try
        {
            string text = await _http!.GetStringAsync(new Uri("api/v1/" + path, UriKind.Relative));
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            return null;
        }
    }

    public Task<JsonElement?> StatusAsync() => GetAsync("status");

    /// <summary>The verdict; a dash: it does not answer.</summary>
    public async Task<string> VerdictAsync() => await StatusAsync() is { } status ? status.GetProperty("verdict").GetString() ?? "" : "-";

    /// <summary>Sends a request that changes something; returns status code and body.</summary>
    public async Task<(int Status, string Body)> ChangeAsync(HttpMethod method, string path, object? body = null)
    {
        using HttpRequestMessage request = new(method, new Uri("api/v1/" + path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        using HttpResponseMessage answer = await _http!.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>From now on nothing passes between this box and these addresses.</summary>
    public async Task CutAsync(params string[] addresses)
    {
        string set = string.Join(", ", addresses);
        (await Shell.RunAsync(network.Command("nft", "-f", "-"), $$"""
            table inet cut
            delete table inet cut
            table inet cut {
              chain in { type filter hook input priority 0; ip saddr { {{set}} } drop
              }
              chain out { type filter hook output priority 0; ip daddr { {{set}} } drop
              }
            }

            """)).Checked();
    }

    /// <summary>All passes again.</summary>
    public async Task HealAsync() => (await Shell.RunAsync(network.Command("nft", "-f", "-"), "table inet cut\ndelete table inet cut\n")).Checked();

    public void Dispose() => _http?.Dispose();

    private async Task SecretAsync(string file, string secret)
    {
        string path = Path.Combine(_folder, file);
        await File.WriteAllTextAsync(path, secret + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private string Yaml(ClusterSettings settings)
    {
        Lab lab = cluster.Lab;
        string links = string.Concat(lab.Providers.Select(provider => $$"""
              - name: {{provider.Link}}
                router: edge1
                interface: {{provider.EdgeInterface}}
                next_hops: [{{provider.Ipv4}}, "{{provider.Ipv6}}"]
                match: { mac: "{{provider.Mac}}" }
                capacity: 10Mbit/s
                threshold: 95%
                ceiling: 90%
                release: 85%
                overhead: {{GroundTruth.OverheadBytes}}B

            """));
        string collectors = role == "collector" ? "" : "  collectors:\n" + string.Concat(cluster.Collectors.Select(c => $"    - box: {c.Name}\n"));
        string capture = role == "controller" ? "" : """
            capture:
              sources:
                - interface: mir0
                  ring: 4MiB
                  block: 64KiB

            """;
        string snmp = role == "collector" ? "" : $"""
                snmp:
                  version: 2c
                  community_file: {Path.Combine(lab.Folder, "community")}
                  poll: 5s

            """;
        string database = role == "controller" ? $"  database_file: {Path.Combine(_folder, "database")}\n  lease: {settings.LeaseSeconds}s\n" : "";
        return string.Create(CultureInfo.InvariantCulture, $"""
            version: 1
            site: lab
            role: {role}
            box: {name}
            mode: inject
            cluster:
              brokers: [{string.Join(", ", cluster.Brokers.Select(b => $"\"{b.Address}:{b.Port}\""))}]
              user: {RabbitServer.User}
              password_file: {Path.Combine(_folder, "broker.password")}
            {database}{collectors}
            {capture}
            routers:
              - name: edge1
                address: {ClusterLab.Router}
                bgp:
                  local_address: {address}
                  local_as: 65000
                  peer_as: 65000
                  hold_time: 3s
                  connect_retry: 1s
            {snmp}
            links:
            {links}
            decision:
              cycle: 1s
              hold: 5s
              lease: 5s
              window: 2s
              max_share_per_cycle: 100%
              max_share: 100%
              min_prefix_share: 0.1%
              release_window: 0s
              marker_community: "{ApplianceSettings.Marker}"
            history:
              path: {Path.Combine(_folder, "history.db")}
            http:
              listen: 127.0.0.1:8080
              socket: {Socket}
            """) + "\n";
    }
}

/// <summary>What tests vary in the configuration of the boxes.</summary>
internal sealed record ClusterSettings
{
    /// <summary><c>cluster.lease</c>, seconds.</summary>
    public int LeaseSeconds { get; init; } = 7;
}
