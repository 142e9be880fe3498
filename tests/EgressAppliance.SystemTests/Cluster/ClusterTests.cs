using System.Diagnostics;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>Three collectors on three mirrors and two controllers, on a real broker and a real database.</summary>
public sealed class ClusterTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [ClusterFact]
    public Task Overload_that_no_collector_sees_is_relieved() => ClusterLab.RunAsync(output, async cluster =>
    {
        Scenario.SendLittle(cluster.Lab);
        await StartAsync(cluster);
        ClusterBox leader = (await cluster.LeaderAsync())!;
        Scenario.SendTooMuch(cluster.Lab);
        long onset = Stopwatch.GetTimestamp();
        await AwaitOverridesAsync(cluster, leader, Scenario.BigNames);
        output.WriteLine($"relieved {Stopwatch.GetElapsedTime(onset).TotalSeconds:F1} s after the onset");
        await Scenario.AssertRelievedAsync(cluster.Lab);

        // No collector shows A near its threshold.
        foreach (ClusterBox box in cluster.Collectors)
        {
            JsonElement links = await box.GetAsync("links") ?? throw new InvalidOperationException($"{box.Name} does not answer");
            long shown = links.EnumerateArray().Single(l => l.GetProperty("name").GetString() == cluster.Lab.A.Link).GetProperty("mirror_bps").GetInt64();
            output.WriteLine($"{box.Name} shows {shown / 1e6:F2} Mbit/s of {cluster.Lab.A.Link}");
            Assert.InRange(shown, 100_000, 7_000_000);
            Assert.Equal("collecting", await box.VerdictAsync());
        }
    });

    [ClusterFact]
    public Task Totals_equal_the_clients_count_to_the_packet_when_traffic_has_stopped() => ClusterLab.RunAsync(output, async cluster =>
    {
        await StartAsync(cluster);
        ClusterBox leader = (await cluster.LeaderAsync())!;
        await Task.Delay(TimeSpan.FromSeconds(3));
        GroundTruthReading before = await cluster.Lab.Truth.ReadAsync();
        IReadOnlyDictionary<string, long> first = await TotalsAsync(leader);
        Scenario.SendEnough(cluster.Lab);
        await Task.Delay(TimeSpan.FromSeconds(30));
        cluster.Lab.Traffic.Quiet();
        await Task.Delay(TimeSpan.FromSeconds(4));
        IReadOnlyDictionary<string, long> last = await TotalsAsync(leader);
        GroundTruthReading after = await cluster.Lab.Truth.ReadAsync();
        double truth = cluster.Lab.Providers.Sum(p => GroundTruth.LinkRate(p, before, after)) * Stopwatch.GetElapsedTime(before.Timestamp, after.Timestamp).TotalSeconds / 8;
        double counted = cluster.Lab.Providers.Sum(p => (double)(last[p.Link] - first[p.Link]));
        output.WriteLine($"clients {truth / 1e6:F3} MB, collectors {counted / 1e6:F3} MB, {(counted / truth) - 1:P3}");
        Assert.InRange(counted / truth, 0.99, 1.01);
    });

    /// <summary>Starts all boxes and waits until one controller leads, both hear all, and all is well.</summary>
    internal static async Task StartAsync(ClusterLab cluster, ClusterSettings? settings = null, bool overloaded = false)
    {
        settings ??= new ClusterSettings();
        foreach (ClusterBox box in cluster.Collectors.Concat(cluster.Controllers))
        {
            await box.StartAsync(settings);
        }

        await Until.ValueAsync("one controller to lead and another to stand by, both well", async () => string.Join("; ", await Task.WhenAll(cluster.Controllers.Select(StateAsync))),
            states => (overloaded && states.Contains("standby", StringComparison.Ordinal)) || states.Contains("standby well", StringComparison.Ordinal) && states.Split("; ").Any(s => s is "no_overload well" or "holding well"), Limit, cluster.Lab.Output);
    }

    internal static async Task<string> StateAsync(ClusterBox box)
    {
        if (await box.StatusAsync() is not { } status)
        {
            return box.Process.HasExited ? "ENDED: " + string.Join(' ', box.Process.Lines.TakeLast(3)) : "-";
        }

        string[] problems = [.. status.GetProperty("problems").EnumerateArray().Select(p => p.GetString() ?? "")];
        return $"{status.GetProperty("verdict").GetString()} {(status.GetProperty("healthy").GetBoolean() ? "well" : string.Join(' ', problems))}";
    }

    /// <summary>Waits until the router has exactly these from one controller and nothing from the other.</summary>
    internal static Task AwaitOverridesAsync(ClusterLab cluster, ClusterBox of, IReadOnlyList<string> expected) => Until.ValueAsync(
        $"exactly {string.Join(" and ", expected)} of {of.Name} at the router",
        async () => string.Join("; ", (await cluster.OverridesAsync()).Select(o => $"{o.Key}: {string.Join(' ', o.Value)}")),
        seen => seen == string.Join("; ", cluster.Controllers.Select(c => $"{c.Name}: {(c == of ? string.Join(' ', expected) : "")}")), Limit, cluster.Lab.Output, TimeSpan.FromMilliseconds(100));

    /// <summary>Waits until one controller leads, the router has both big prefixes of it and nothing of the other, and all is well; returns it.</summary>
    internal static async Task<ClusterBox> SteadyAsync(ClusterLab cluster, OverrideWatch watch)
    {
        ClusterBox? found = null;
        await Until.ValueAsync(
            "one leader with both overrides, and all well", async () =>
            {
                found = await cluster.LeaderAsync();
                return string.Join("; ", await Task.WhenAll(cluster.Controllers.Select(StateAsync)));
            },
            states => found is not null && states.Contains("standby well", StringComparison.Ordinal) && states.Contains("holding well", StringComparison.Ordinal)
                && cluster.Controllers.All(c => watch.Latest.TryGetValue(c.Name, out string[]? own) && own.SequenceEqual(c == found ? Scenario.BigNames : [])),
            Limit, cluster.Lab.Output, TimeSpan.FromMilliseconds(100));
        return found!;
    }

    /// <summary>Bytes that a controller has counted on each link since its start.</summary>
    private static async Task<IReadOnlyDictionary<string, long>> TotalsAsync(ClusterBox box) =>
        (await box.GetAsync("links") ?? throw new InvalidOperationException("the leader does not answer")).EnumerateArray()
            .ToDictionary(l => l.GetProperty("name").GetString() ?? "", l => l.GetProperty("mirror_bytes").GetInt64());
}
