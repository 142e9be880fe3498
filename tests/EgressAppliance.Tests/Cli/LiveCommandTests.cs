using System.Net;
using System.Text.Json;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.Configuration;
using EgressAppliance.Tests.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Cli;

/// <summary><c>top</c> and <c>doctor</c> against the real endpoint with a fake appliance behind it.</summary>
public sealed class LiveCommandTests : IAsyncLifetime
{
    private readonly CliRunner _cli = new();
    private readonly FakeAppliance _appliance = new();
    private readonly AuditLog _audit = FakeAppliance.AuditInMemory();
    private ApiServer _server = null!;

    private string Url => $"http://127.0.0.1:{_server.Port}";

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync(
        new HttpConfig { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" }, _appliance, _audit, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _audit.DisposeAsync();
    }

    [Fact]
    public async Task Top_prints_one_picture_where_there_is_no_terminal()
    {
        _appliance.Decisions =
        [
            new DecisionDto(1, FakeAppliance.Time, "relieved", "", "inject", [new MoveDto("192.0.2.0/24", "isp-a", "isp-b", 2_000_000, "")], [new MoveDto("198.51.100.0/24", "isp-b", "isp-a", 0, "")], 0, 0, 1),
        ];
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("top", "--url", Url));
        Assert.Contains("fra1  observe  healthy  2026-01-02 03:04:05Z\nno_overload: No link is over its threshold.\n", _cli.Out, StringComparison.Ordinal);
        // 50 % of the capacity, threshold 95 %: the bar has 24 places up to 120 %.
        Assert.Contains("isp-a  normal  ##########.........|....  50.0%", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("192.0.2.0/24  500 bit/s", _cli.Out, StringComparison.Ordinal);
        Assert.EndsWith("moved 192.0.2.0/24 isp-a -> isp-b, 2.00 Mbit/s\n2026-01-02 03:04:05Z  released 198.51.100.0/24 to isp-a\n", _cli.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', _cli.Out);
    }

    [Fact]
    public async Task Top_on_a_terminal_fits_it_follows_keys_and_leaves_the_screen_as_it_was()
    {
        using StringWriter output = new();
        Queue<char?> keys = new([null, 'l', null, ' ', 'q']);
        CommandConsole console = new()
        {
            Out = output,
            Error = TextWriter.Null,
            Width = 60,
            Height = 12,
            ReadKey = () => keys.Count > 0 ? keys.Dequeue() : 'q',
        };
        Assert.Equal(ExitCode.Done, await CommandLine.RunAsync(["top", "--url", Url, "--interval", "200ms"], new FakeHandlers(), console, CancellationToken.None));
        string all = output.ToString();
        Assert.StartsWith("\u001b[?1049h\u001b[?25l", all, StringComparison.Ordinal);
        Assert.EndsWith("\u001b[?25h\u001b[?1049l", all, StringComparison.Ordinal);
        string[] pictures = all.Split("\u001b[H")[1..];
        Assert.True(pictures.Length >= 2, "it was drawn once only");
        Assert.All(pictures, p =>
        {
            string[] lines = p.Split("\u001b[K");
            Assert.InRange(lines.Length, 5, 13);
            Assert.All(lines, l => Assert.InRange(l.Replace("\u001b[J", "", StringComparison.Ordinal).Trim('\r', '\n').Length, 0, 80));
        });
        Assert.Contains(pictures, p => p.Contains("PREFIX BY ISP-A", StringComparison.Ordinal));
        Assert.Contains(_appliance.Queries, q => q.Link == "isp-a");
    }

    [Fact]
    public async Task Top_without_an_appliance_says_so_before_it_takes_the_screen()
    {
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("top", "--url", "http://127.0.0.1:9"));
        Assert.Contains("not running", _cli.Error, StringComparison.Ordinal);
        Assert.Empty(_cli.Out);
    }

    [Fact]
    public async Task Doctor_tells_problems_of_configuration_setup_and_appliance_and_what_to_do()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        StateEventDto state = FakeAppliance.MakeState("observe");
        CaptureFindingDto loss = new("mir0", "loss", "ring_full", "The kernel drops frames", "raise ring (64MiB)");
        _appliance.Feed.Publish(state with { Status = state.Status with { Problems = ["edge1 does not answer SNMP."], Capture = state.Status.Capture with { Findings = [loss] } } });
        _cli.Handlers.Setup =
        [
            new SetupCheck("capture mir0", false, "there is no interface mir0") { Remedy = "`ip link` lists the interfaces" },
            new SetupCheck("http", false, "127.0.0.1:8080: Address already in use") { Listening = true },
        ];
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("doctor", "--config", folder.File, "--url", Url));
        Assert.Contains("configuration  good", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("What to do:\n1. capture mir0: there is no interface mir0.\n   `ip link` lists the interfaces\n", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("edge1 does not answer SNMP.\n", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("raise ring (64MiB)", _cli.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Address already in use", _cli.Out, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("doctor", "--config", folder.File, "--url", Url, "--json"));
        using JsonDocument report = JsonDocument.Parse(_cli.Out);
        Assert.Equal((false, true), (report.RootElement.GetProperty("ok").GetBoolean(), report.RootElement.GetProperty("running").GetBoolean()));
    }

    [Fact]
    public async Task Doctor_without_an_appliance_looks_at_the_rest_and_counts_addresses_in_use()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        _cli.Handlers.Setup = [new SetupCheck("http", false, "127.0.0.1:8080: Address already in use") { Listening = true }];
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("doctor", "--config", folder.File, "--url", "http://127.0.0.1:9"));
        Assert.Contains("it is not running", _cli.Out, StringComparison.Ordinal);
        Assert.Contains("Address already in use", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_with_a_wrong_configuration_gives_its_place_and_exit_code()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(text => text + "siet: x\n");
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("doctor", "--config", folder.File, "--url", Url));
        Assert.Matches("configuration +failed +.*in\\.yaml:[0-9]+:1: ", _cli.Out);
    }
}
