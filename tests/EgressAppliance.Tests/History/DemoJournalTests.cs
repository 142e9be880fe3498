using EgressAppliance.Decision.Journal;
using EgressAppliance.Host;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Demo;
using EgressAppliance.Host.History;
using EgressAppliance.Host.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.History;

public sealed class DemoJournalTests
{
    [Fact]
    public async Task Whole_appliance_steering_simulated_traffic_is_replayed()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("egress-journal-");
        DemoSummary summary = await DemoRunner.RunAsync(
            new() { Duration = TimeSpan.FromSeconds(12), Json = true, HttpPort = 0 },
            async (config, sources) => new Running(await Appliance.StartAsync(
                config with { History = new HistoryConfig { JournalFolder = folder.FullName } }, NullLoggerFactory.Instance, TimeProvider.System, sources, CancellationToken.None)),
            TextWriter.Null, CancellationToken.None);

        JournalReplayResult[] results = [.. JournalFolder.List(folder.FullName).Select(f => JournalReplayer.Replay(File.OpenRead(f.Path), f.Path))];
        folder.Delete(recursive: true);
        JournalReplayResult result = Assert.Single(results);
        Assert.Null(result.Fault);
        Assert.Empty(result.First);
        Assert.True(result.IsComplete);
        Assert.True(result.Cycles > 10, $"{result.Cycles} cycles");

        // What the simulated router saw announced was planned, and each announcement was reported. What was planned may have been refused.
        Assert.True(result.Moves >= summary.Moves && result.Reports >= summary.Moves, $"{result.Moves} moves, {result.Reports} reports, {summary.Moves} seen by the router");
    }

    private sealed class Running(Appliance appliance) : IDemoAppliance
    {
        public int HttpPort => appliance.HttpPort;

        public IApplianceApi Api => appliance.Api;

        public long CountedPackets => appliance.CountedPackets;

        public ValueTask DisposeAsync() => appliance.DisposeAsync();
    }
}
