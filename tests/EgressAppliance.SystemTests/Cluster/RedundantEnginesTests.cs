using System.Diagnostics;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>A site that is steering on three brokers and a database with a synchronous standby loses each broker in turn, and then the database's primary.</summary>
public sealed class RedundantEnginesTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [ClusterFact]
    public Task Site_outlives_each_broker_and_the_primary_of_the_database() => ClusterLab.RunAsync(output, async cluster =>
    {
        Scenario.SendTooMuch(cluster.Lab);
        await ClusterTests.StartAsync(cluster, new ClusterSettings { LeaseSeconds = 12 }, overloaded: true);
        await using OverrideWatch watch = new(cluster);
        ClusterBox leader = await ClusterTests.SteadyAsync(cluster, watch);

        // RabbitMQ 3.10 writes the register of its quorum queues down some seconds after they are made.
        await Task.Delay(TimeSpan.FromSeconds(7));
        foreach (RabbitServer broker in cluster.Brokers)
        {
            await broker.StopAsync(kill: true);
            await Task.Delay(TimeSpan.FromSeconds(8));

            // Two of three are enough: no collector is missed, nothing has moved.
            Assert.Equal(leader, await ClusterTests.SteadyAsync(cluster, watch));
            Assert.Equal(Scenario.BigNames, watch.Latest[leader.Name]);
            await broker.StartNodeAsync();
            await Until.TrueAsync("both queues on all nodes again", () => EverywhereAsync(broker), Limit, output);
        }

        string token = await cluster.Postgres.QueryAsync("SELECT token FROM egress_lease");
        await cluster.Postgres.StopAsync();
        long died = Stopwatch.GetTimestamp();
        await cluster.Standby!.PromoteAsync();
        Assert.Equal(token, await cluster.Standby.QueryAsync("SELECT token FROM egress_lease"));
        await Until.TrueAsync("a leadership after that of the primary", async () => await cluster.Standby.QueryAsync($"SELECT token > {token} FROM egress_lease") == "t", Limit, output);
        leader = await ClusterTests.SteadyAsync(cluster, watch);
        double seconds = Stopwatch.GetElapsedTime(died).TotalSeconds;
        output.WriteLine($"all well, with the same plan, {seconds:F1} s after the primary died");
        Assert.InRange(seconds, 0, 30);
        Assert.Empty(watch.Violations);
        Assert.All(cluster.Collectors.Concat(cluster.Controllers), box => Assert.False(box.Process.HasExited, $"{box.Name} ended"));

        // What the collectors sent meanwhile has come, all of it.
        JsonElement site = await leader.GetAsync("cluster") ?? throw new InvalidOperationException("the leader does not answer");
        foreach (JsonElement collector in site.GetProperty("collectors").EnumerateArray())
        {
            output.WriteLine(collector.ToString());
            Assert.Equal((0, 0), (collector.GetProperty("lost").GetInt64(), collector.GetProperty("deltas_dropped").GetInt64()));
        }
    }, redundant: true);

    private static async Task<bool> EverywhereAsync(RabbitServer broker)
    {
        string[] queues = [.. (await broker.ControlAsync("-q", "list_queues", "online")).Output.Split('\n').Where(line => line.StartsWith('['))];
        return queues.Length == 2 && queues.All(nodes => nodes.Split(',').Length == 3);
    }
}
