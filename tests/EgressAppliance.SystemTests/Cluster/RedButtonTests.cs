using System.Diagnostics;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>An operator stops a site at the controller that does not lead, with the database and without it.</summary>
public sealed class RedButtonTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [ClusterFact]
    public Task Red_button_stops_the_site_at_whichever_controller_it_is_pressed() => ClusterLab.RunAsync(output, async cluster =>
    {
        Scenario.SendTooMuch(cluster.Lab);
        await ClusterTests.StartAsync(cluster, overloaded: true);
        ClusterBox leader = await LeaderAsync(cluster), other = cluster.Controllers.Single(c => c != leader);
        await ClusterTests.AwaitOverridesAsync(cluster, leader, Scenario.BigNames);

        // The one that stands by tells the one that leads.
        long pressed = Stopwatch.GetTimestamp();
        (int status, string body) = await other.ChangeAsync(HttpMethod.Post, "withdraw-all");
        Assert.Equal(202, status);
        Assert.Contains($"{leader.Name} leads and was told", body, StringComparison.Ordinal);
        await ClusterTests.AwaitOverridesAsync(cluster, leader, []);
        double seconds = Stopwatch.GetElapsedTime(pressed).TotalSeconds;
        output.WriteLine($"nothing is announced {seconds:F2} s after the button was pressed at the other controller");
        Assert.InRange(seconds, 0, 3);
        await AwaitModeAsync(leader, "observe");
        Assert.Equal(409, (await cluster.Collectors[0].ChangeAsync(HttpMethod.Post, "withdraw-all")).Status);

        // It is obeyed once: what the operator says next stands.
        Assert.Equal(200, (await leader.ChangeAsync(HttpMethod.Put, "mode", new { mode = "inject" })).Status);
        await ClusterTests.AwaitOverridesAsync(cluster, leader, Scenario.BigNames);
        Assert.Equal("0", await cluster.Postgres.QueryAsync("SELECT count(*) FROM egress_stop"));

        // The database is away: nobody leads, and nobody can be told.
        await cluster.Postgres.StopAsync();
        await ClusterTests.AwaitOverridesAsync(cluster, leader, []);
        await Until.ValueAsync("nobody to lead", () => other.VerdictAsync(), v => v == "standby", Limit, output);
        await Until.ValueAsync("nobody to lead", () => leader.VerdictAsync(), v => v == "standby", Limit, output);
        (status, body) = await other.ChangeAsync(HttpMethod.Post, "withdraw-all");
        Assert.Equal(202, status);
        Assert.Contains("No other controller can be told", body, StringComparison.Ordinal);
        await Until.ValueAsync("the order that waits to be told", () => ClusterTests.StateAsync(other), s => s.Contains("no other controller knows of it yet", StringComparison.Ordinal), Limit, output);

        // It is back: whoever leads observes, also after another change of the leadership.
        await using OverrideWatch watch = new(cluster);
        await cluster.Postgres.StartAsync();
        ClusterBox next = await LeaderAsync(cluster);
        await AwaitModeAsync(next, "observe");
        await ClusterTests.AwaitOverridesAsync(cluster, next, []);
        await Until.ValueAsync("the order to be over", () => cluster.Postgres.QueryAsync("SELECT count(*) FROM egress_stop"), n => n == "0", Limit, output);
        next.Process.Signal(PosixSignalNumber.Kill);
        ClusterBox last = cluster.Controllers.Single(c => c != next);
        await Until.ValueAsync("the other to lead", () => last.VerdictAsync(), v => v is not ("standby" or "starting" or "-"), Limit, output);
        await AwaitModeAsync(last, "observe");
        await ClusterTests.AwaitOverridesAsync(cluster, last, []);
        Assert.Empty(watch.Violations);
    });

    private async Task<ClusterBox> LeaderAsync(ClusterLab cluster)
    {
        ClusterBox? leader = null;
        await Until.TrueAsync("one to lead", async () => (leader = await cluster.LeaderAsync()) is not null, Limit, output);
        return leader!;
    }

    private Task<string> AwaitModeAsync(ClusterBox box, string mode) => Until.ValueAsync(
        $"{box.Name} to be in {mode}", async () => await box.StatusAsync() is { } status ? status.GetProperty("mode").GetString() ?? "" : "-", m => m == mode, Limit, output);
}
