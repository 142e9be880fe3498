using System.Diagnostics;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>RabbitMQ and PostgreSQL are restarted under a site that is steering.</summary>
public sealed class EngineRestartTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [ClusterFact]
    public Task Site_comes_back_after_a_restart_of_the_broker_and_of_the_database() => ClusterLab.RunAsync(output, async cluster =>
    {
        Scenario.SendTooMuch(cluster.Lab);
        await ClusterTests.StartAsync(cluster, overloaded: true);
        await using OverrideWatch watch = new(cluster);
        ClusterBox leader = await ClusterTests.SteadyAsync(cluster, watch);

        // RabbitMQ 3.10 writes the register of its quorum queues down some seconds after they are made.
        await Task.Delay(TimeSpan.FromSeconds(7));
        foreach ((string what, bool broker, bool kill) in new[] { ("the broker, killed", true, true), ("the broker, in order", true, false), ("the database, killed", false, true) })
        {
            if (broker)
            {
                await cluster.Rabbit.StopAsync(kill);
                await Until.ValueAsync("the gap to be told", async () => await ClusterTests.StateAsync(leader), state => state.Contains("frozen_site_incomplete", StringComparison.Ordinal) || state.Contains("standby", StringComparison.Ordinal), Limit, output);

                // Nothing is moved on half a site, and what stands stays.
                Assert.Equal(Scenario.BigNames, watch.Latest[leader.Name]);
                await cluster.Rabbit.StartNodeAsync();
            }
            else
            {
                await cluster.Postgres.StopAsync();
                await Task.Delay(TimeSpan.FromSeconds(1));
                await cluster.Postgres.StartAsync();
            }

            long back = Stopwatch.GetTimestamp();
            leader = await ClusterTests.SteadyAsync(cluster, watch);
            double seconds = Stopwatch.GetElapsedTime(back).TotalSeconds;
            output.WriteLine($"{what}: all well {seconds:F1} s after it was back");
            Assert.All(cluster.Collectors.Concat(cluster.Controllers), box => Assert.False(box.Process.HasExited, $"{box.Name} ended"));
            Assert.Empty(watch.Violations);
        }

        // What the collectors kept while the broker was away came in the end: no tick is lost, and gaps are counted.
        JsonElement site = await leader.GetAsync("cluster") ?? throw new InvalidOperationException("the leader does not answer");
        foreach (JsonElement collector in site.GetProperty("collectors").EnumerateArray())
        {
            output.WriteLine(collector.ToString());
            Assert.Equal(0, collector.GetProperty("deltas_dropped").GetInt64());
            Assert.True(collector.GetProperty("gaps").GetInt64() > 0);
        }
    });
}
