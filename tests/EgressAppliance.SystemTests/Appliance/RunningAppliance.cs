using System.Net.Http.Json;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Appliance;

/// <summary>
/// The built command, running in the lab's management namespace as a user would run it, and its HTTP API over the Unix socket,
/// which is reachable from every namespace.
/// </summary>
internal sealed class RunningAppliance : IDisposable
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(90);
    private static int _starts;

    private readonly Lab _lab;
    private readonly HttpClient _http;
    private readonly string _socket;

    private RunningAppliance(Lab lab, Daemon process, string socket)
    {
        _lab = lab;
        _socket = socket;
        Process = process;
        _http = SocketApi.Connect(socket);
    }

    /// <summary>The process.</summary>
    public Daemon Process { get; }

    /// <summary>Starts it and waits until it holds the router's whole table and says that its inputs are good.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="settings">How.</param>
    /// <param name="healthy">Its inputs can be good. False: they cannot, and the table is enough.</param>
    public static async Task<RunningAppliance> StartAsync(Lab lab, ApplianceSettings settings, bool healthy = true)
    {
        string config = Path.Combine(lab.Folder, "appliance.yaml");
        string community = Path.Combine(lab.Folder, "community");
        string socket = Path.Combine(lab.Folder, "api.sock");
        await File.WriteAllTextAsync(community, SnmpAgent.Community + "\n");
        File.SetUnixFileMode(community, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(config, settings.ToYaml(lab, community, socket));
        Daemon process = Daemon.Start(
            $"appliance-{Interlocked.Increment(ref _starts)}", lab.Folder, lab.ApplianceNetwork.Command(ApplianceCommand.Path, "run", "--config", config));
        lab.Adopt(process);
        var appliance = new RunningAppliance(lab, process, socket);
        try
        {
            await appliance.WaitUntilReadyAsync(healthy);
            return appliance;
        }
        catch
        {
            appliance.Dispose();
            throw;
        }
    }

    /// <summary>A document of the API; the path starts after <c>/api/v1/</c>.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using HttpResponseMessage answer = await SendAsync("api/v1/" + path);
        string text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"GET {path}: {(int)answer.StatusCode} {text}");
        }

        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>Posts a document to the API; the path starts after <c>/api/v1/</c>.</summary>
    public async Task PostAsync(string path, object body)
    {
        using HttpResponseMessage answer = await _http.PostAsJsonAsync(new Uri("api/v1/" + path, UriKind.Relative), body);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"POST {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>The overrides by the API: prefix → state.</summary>
    public async Task<IReadOnlyDictionary<string, string>> GetOverridesAsync() =>
        (await GetAsync("overrides")).EnumerateArray().ToDictionary(
            item => item.GetProperty("prefix").GetString() ?? "", item => item.GetProperty("state").GetString() ?? "");

    /// <summary>Runs another subcommand against the running appliance, in the same namespace.</summary>
    public Task<ShellResult> CommandAsync(params string[] arguments) =>
        Shell.RunAsync(_lab.ApplianceNetwork.Command([ApplianceCommand.Path, .. arguments, "--socket", _socket]));

    /// <summary>Replays the journal so far, by the command and outside the lab: each decision follows from its recorded inputs.</summary>
    /// <returns>What the command printed.</returns>
    public async Task<string> ReplayJournalAsync() =>
        (await ApplianceCommand.RunAsync("replay-journal", Path.Combine(_lab.Folder, "journal"))).Checked();

    /// <summary>Ends our connections to it. The process is ended by the lab.</summary>
    public void Dispose() => _http.Dispose();

    private async Task WaitUntilReadyAsync(bool healthy)
    {
        await Until.ValueAsync(
            healthy ? "the appliance to be healthy with the whole table" : "the appliance to have the whole table",
            async () =>
            {
                if (Process.HasExited)
                {
                    throw new ApplianceEndedException(string.Join('\n', Process.Lines));
                }

                return await GetAsync("status");
            },
            status => (status.GetProperty("healthy").GetBoolean() || !healthy) && status.GetProperty("bgp").GetArrayLength() > 0
                && status.GetProperty("bgp").EnumerateArray().All(peer => peer.GetProperty("table_complete").GetBoolean()),
            ReadyLimit, _lab.Output);
        EdgeSession session = await _lab.Edge.GetSessionAsync();
        Assert.True(session.Established, "the router does not agree that the session is up");
    }

    private async Task<HttpResponseMessage> SendAsync(string path)
    {
        try
        {
            return await _http.GetAsync(new Uri(path, UriKind.Relative));
        }
        catch (TaskCanceledException e)
        {
            throw new IOException($"no answer to GET {path}", e);
        }
    }
}
