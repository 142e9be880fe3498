using System.Text.Json;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Replay;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.Replay;

public sealed class ReplayCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("replay").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task RunAsync_with_a_configuration_names_each_packets_own_link()
    {
        string pcap = Path.Combine(_folder, "a.pcap");
        File.WriteAllBytes(pcap, new PcapBuilder().FileHeader()
            .Record(Frames.Ip("192.0.2.1", 8, "02:00:00:00:0a:02")).Record(Frames.Ip("198.51.100.1", 8, "02:00:00:00:0b:02")).ToArray());
        string rib = Path.Combine(_folder, "rib");
        File.WriteAllText(rib, "192.0.2.0/24\n198.51.100.0/24\n");
        Assert.True(MacAddress.TryParse("02:00:00:00:0a:02", out MacAddress a));
        Assert.True(MacAddress.TryParse("02:00:00:00:0b:02", out MacAddress b));
        ApplianceConfig config = new() { Links = [Bench.MakeLink(1, "isp-a") with { MatchMac = a }, Bench.MakeLink(2, "isp-b") with { MatchMac = b }, Bench.MakeLink(3, "isp-c")] };
        StringWriter output = new();
        StringWriter error = new();
        ReplayCommandOptions options = new([pcap], [rib], null, PerFile: false, Json: true, MatchHeader.Outer, 1, Summary: false);
        int code = await ReplayCommand.RunAsync(options, config, new CommandConsole { Out = output, Error = error }, CancellationToken.None);
        Assert.Equal("replay: isp-c has no match, and there is no router to ask: none of its packets get their link\n", error.ToString());
        using JsonDocument json = JsonDocument.Parse(output.ToString());
        Assert.Equal(ExitCode.Done, code);
        Assert.Equal(
            ["192.0.2.0/24 isp-a", "198.51.100.0/24 isp-b"],
            json.RootElement.GetProperty("prefixes").EnumerateArray().Select(p => $"{p.GetProperty("prefix")} {p.GetProperty("link")}"));
    }
}
