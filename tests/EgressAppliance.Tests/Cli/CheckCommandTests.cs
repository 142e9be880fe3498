using System.Text.Json;
using EgressAppliance.Host.Cli;
using EgressAppliance.Tests.Configuration;

namespace EgressAppliance.Tests.Cli;

public sealed class CheckCommandTests
{
    private readonly CliRunner _cli = new();

    [Fact]
    public async Task Check_good_file_exits_with_zero()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("check", folder.File));
        Assert.Equal($"{folder.File}: good; 1 router, 2 links, mode observe\n", _cli.Out);
        Assert.Empty(_cli.Error);
    }

    [Fact]
    public async Task Check_bad_file_exits_with_two_and_lists_every_error()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("unknown-key-nearest");
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("check", folder.File));
        Assert.Empty(_cli.Out);
        Assert.Equal(5, _cli.Error.TrimEnd('\n').Split('\n').Length);
        Assert.EndsWith($"{folder.File}: 4 errors\n", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_missing_file_exits_with_two()
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("check", "/nonexistent.yaml"));
        Assert.Contains("there is no such file", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_json_has_positions()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("not-ibgp");
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync("check", folder.File, "--json"));
        using JsonDocument report = JsonDocument.Parse(_cli.Out);
        Assert.False(report.RootElement.GetProperty("ok").GetBoolean());
        JsonElement error = Assert.Single(report.RootElement.GetProperty("errors").EnumerateArray());
        Assert.Equal(6, error.GetProperty("line").GetInt32());
        Assert.Equal(64, error.GetProperty("column").GetInt32());
        Assert.NotEmpty(error.GetProperty("remedy").GetString()!);
    }

    [Fact]
    public async Task Check_defaults_prints_what_is_in_effect()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("check", folder.File, "--defaults"));
        Assert.Equal(File.ReadAllText(TestData.Path("config", "minimal", "effective.yaml")), _cli.Out);

        Assert.Equal(ExitCode.Done, await _cli.RunAsync("check", folder.File, "--defaults", "--json"));
        using JsonDocument report = JsonDocument.Parse(_cli.Out);
        JsonElement key = report.RootElement.GetProperty("keys").EnumerateArray().Single(k => k.GetProperty("key").GetString() == "decision.cycle");
        Assert.Equal("5s", key.GetProperty("value").GetString());
        Assert.Equal("default", key.GetProperty("source").GetString());
    }

    [Fact]
    public async Task Check_defaults_without_file_prints_every_key()
    {
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("check", "--defaults"));
        Golden.Compare(TestData.Path("cli", "check-defaults.yaml"), _cli.Out);
    }

    [Fact]
    public async Task Check_setup_failure_exits_with_one()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        _cli.Handlers.Setup = [new SetupCheck("capture mir0", false, "no such interface"), new SetupCheck("listen 192.0.2.2:179", true, "free")];
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("check", folder.File, "--setup"));
        Assert.Contains("capture mir0          failed  no such interface", _cli.Out, StringComparison.Ordinal);

        _cli.Handlers.Setup = [new SetupCheck("capture mir0", true, "up")];
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("check", folder.File, "--setup", "--json"));
        using JsonDocument report = JsonDocument.Parse(_cli.Out);
        Assert.True(report.RootElement.GetProperty("setup")[0].GetProperty("passed").GetBoolean());
    }

    [Fact]
    public async Task Check_setup_tells_the_place_of_the_key()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        _cli.Handlers.Setup = [new SetupCheck("capture mir0", true, "it has no carrier") { Warning = true, Key = "capture.sources[0].interface", Remedy = "check the cable" }];
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("check", folder.File, "--setup"));
        Assert.Contains("warning", _cli.Out, StringComparison.Ordinal);
        Assert.Contains($"{folder.File}:2:", _cli.Error, StringComparison.Ordinal);
        Assert.Contains("warning: 'capture.sources[0].interface': it has no carrier; check the cable\n", _cli.Error, StringComparison.Ordinal);

        // A key that is not given is where its section is.
        _cli.Handlers.Setup = [new SetupCheck("capture mir0", false, "too much") { Key = "capture.sources[0].ring" }];
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("check", folder.File, "--setup", "--json"));
        using JsonDocument report = JsonDocument.Parse(_cli.Out);
        Assert.Equal(2, report.RootElement.GetProperty("setup")[0].GetProperty("line").GetInt32());
    }
}
