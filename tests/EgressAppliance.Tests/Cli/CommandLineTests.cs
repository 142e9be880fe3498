using EgressAppliance.Host.Cli;
using EgressAppliance.Tests.Configuration;

namespace EgressAppliance.Tests.Cli;

public sealed class CommandLineTests
{
    private readonly CliRunner _cli = new();

    [Fact]
    public async Task Run_takes_its_configuration()
    {
        Assert.Equal(0, await _cli.RunAsync("run", "--config", "a.yaml"));
        Assert.Equal(new RunOptions("a.yaml"), _cli.Handlers.Options);

        Assert.Equal(0, await _cli.RunAsync("run"));
        Assert.Equal(new RunOptions("/etc/egress-appliance/appliance.yaml"), _cli.Handlers.Options);
    }

    [Fact]
    public async Task Demo_options_are_parsed()
    {
        await _cli.RunAsync("demo", "--duration", "30s", "--json", "--port", "0");
        Assert.Equal(new DemoOptions(TimeSpan.FromSeconds(30), true, 0), _cli.Handlers.Options);

        await _cli.RunAsync("demo");
        Assert.Equal(new DemoOptions(null, false, null), _cli.Handlers.Options);
    }

    [Fact]
    public async Task Replay_options_are_parsed()
    {
        Assert.Equal(0, await _cli.RunAsync(
            "replay", "--pcap", "a.pcap", "b.pcap", "--pcap", "c.pcap", "--rib", "v4.txt", "v6.mrt", "--config", "c.yaml", "--per-file", "--output", "json", "--match",
            "inner", "--workers", "4", "--summary"));
        ReplayCommandOptions options = Assert.IsType<ReplayCommandOptions>(_cli.Handlers.Options);
        Assert.Equal(["a.pcap", "b.pcap", "c.pcap"], options.Pcaps);
        Assert.Equal(["v4.txt", "v6.mrt"], options.Ribs);
        Assert.Equal(new ReplayCommandOptions(options.Pcaps, options.Ribs, "c.yaml", true, true, MatchHeader.Inner, 4, true), options);
    }

    [Fact]
    public async Task Replay_defaults()
    {
        await _cli.RunAsync("replay", "--pcap", "a.pcap", "--rib", "t");
        ReplayCommandOptions options = Assert.IsType<ReplayCommandOptions>(_cli.Handlers.Options);
        Assert.Equal(new ReplayCommandOptions(options.Pcaps, options.Ribs, null, false, false, MatchHeader.Outer, null, false), options);

        await _cli.RunAsync("replay", "--pcap", "a.pcap", "--rib", "t", "--json");
        Assert.True(Assert.IsType<ReplayCommandOptions>(_cli.Handlers.Options).Json);
    }

    [Fact]
    public async Task Plan_with_snapshot_goes_to_the_planner()
    {
        await _cli.RunAsync("plan", "--snapshot", "-", "--no-caps", "--config", "c.yaml", "--json");
        Assert.Equal(new PlanCommandOptions("-", "c.yaml", true, true), _cli.Handlers.Options);
    }

    [Fact]
    public async Task Replay_journal_options_are_parsed()
    {
        Assert.Equal(0, await _cli.RunAsync("replay-journal", "a.jsonl.gz", "journal", "--json"));
        ReplayJournalOptions options = Assert.IsType<ReplayJournalOptions>(_cli.Handlers.Options);
        Assert.Equal(["a.jsonl.gz", "journal"], options.Paths);
        Assert.True(options.Json);
    }

    [Fact]
    public async Task Bgp_decode_options_are_parsed()
    {
        await _cli.RunAsync("bgp", "decode", "--hex", "--as2", "--add-path", "-");
        Assert.Equal(new BgpDecodeOptions("-", true, true, true), _cli.Handlers.Options);
        await _cli.RunAsync("bgp", "decode", "--mrt", "--ebgp", "rib.bz2");
        Assert.Equal(new BgpDecodeOptions("rib.bz2", false, false, false) { Mrt = true, Ebgp = true }, _cli.Handlers.Options);
        await _cli.RunAsync("bgp", "decode", "--extended-next-hop", "-");
        Assert.Equal(new BgpDecodeOptions("-", false, false, false) { ExtendedNextHop = true }, _cli.Handlers.Options);
        await _cli.RunAsync("bgp", "decode", "--bmp", "--hex", "-");
        Assert.Equal(new BgpDecodeOptions("-", false, false, true) { Bmp = true }, _cli.Handlers.Options);
    }

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("")]
    [InlineData("show")]
    [InlineData("show linkz")]
    [InlineData("run --confg a.yaml")]
    [InlineData("demo --duration 30")]
    [InlineData("demo --duration 0s")]
    [InlineData("demo --port 70000")]
    [InlineData("demo --port x")]
    [InlineData("replay --rib t")]
    [InlineData("replay --pcap a.pcap")]
    [InlineData("replay --pcap a --rib t --match both")]
    [InlineData("replay --pcap a --rib t --output yaml")]
    [InlineData("replay --pcap a --rib t --workers 0")]
    [InlineData("plan --no-caps")]
    [InlineData("plan --config c.yaml")]
    [InlineData("replay-journal")]
    [InlineData("replay-journal a --per-file")]
    [InlineData("bgp decode")]
    [InlineData("bgp decode --mrt --hex -")]
    [InlineData("bgp decode --mrt --extended-next-hop -")]
    [InlineData("bgp decode --bmp --mrt -")]
    [InlineData("bgp decode --bmp --add-path -")]
    [InlineData("bgp dump")]
    [InlineData("show prefixes --top 0")]
    [InlineData("show decisions --limit 5000")]
    [InlineData("show rib nonsense")]
    [InlineData("explain 203.0.113.1/24")]
    [InlineData("override add 203.0.113.1 isp-a")]
    [InlineData("override add 203.0.113.0/24")]
    [InlineData("mode off")]
    [InlineData("show status --url nonsense")]
    [InlineData("show status --url ftp://localhost")]
    public async Task Bad_usage_exits_with_two_and_says_why(string line)
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Null(_cli.Handlers.Options);
        Assert.StartsWith("egress-appliance: ", _cli.Error, StringComparison.Ordinal);
        Assert.Contains("--help", _cli.Error, StringComparison.Ordinal);
        Assert.Empty(_cli.Out);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("replay --help")]
    [InlineData("show --help")]
    [InlineData("bgp decode --help")]
    public async Task Help_is_no_error(string line)
    {
        Assert.Equal(ExitCode.Done, await _cli.RunAsync(line.Split(' ')));
        Assert.Contains("Usage:", _cli.Out, StringComparison.Ordinal);
        Assert.Empty(_cli.Error);
    }

    [Fact]
    public async Task Help_lists_the_commands()
    {
        await _cli.RunAsync("--help");
        Golden.Compare(TestData.Path("cli", "help.txt"), _cli.Out.Replace(System.CommandLine.RootCommand.ExecutableName, "egress-appliance", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handlers_exit_code_is_passed_on()
    {
        _cli.Handlers.Code = ExitCode.Failed;
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("run"));
    }

    [Theory]
    [InlineData("show status")]
    [InlineData("show status --json")]
    [InlineData("plan")]
    [InlineData("mode")]
    [InlineData("mode inject")]
    [InlineData("withdraw-all")]
    [InlineData("bgp refresh edge1")]
    [InlineData("explain 192.0.2.1")]
    [InlineData("override release 192.0.2.0/24")]
    public async Task Command_without_a_running_appliance_says_so(string line)
    {
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync([.. line.Split(' '), "--socket", "/nonexistent/api.sock"]));
        Assert.Equal(
            "egress-appliance: The appliance is not running: nothing answers at /nonexistent/api.sock. "
            + "Start it with `egress-appliance run`, or name it with --socket or --url.\n",
            _cli.Error);
        Assert.Empty(_cli.Out);
    }
}
