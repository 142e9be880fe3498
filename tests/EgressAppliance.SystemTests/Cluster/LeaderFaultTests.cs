using System.Diagnostics;
using System.Globalization;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>
/// The leader is killed, stopped and cut off at random moments, while the router is looked at several times a second: never have two controllers overrides there, the other one leads within
/// ten seconds where the first cannot, and goes on with the same plan. <c>EGRESS_FAULTS</c> says how many faults; a few of each kind unless it does.
/// </summary>
public sealed class LeaderFaultTests(ITestOutputHelper output)
{
    private const int UsualFaults = 6;
    private static readonly TimeSpan LeadsWithin = TimeSpan.FromSeconds(10);

    /// <summary>Beyond this a stop or cut has taken the leadership away; shorter ones may or may not.</summary>
    private static readonly TimeSpan Certain = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private enum Fault
    {
        Kill,
        Stop,
        CutDatabase,
        CutBroker,
        CutRouter,
        CutAll,
        CutDatabaseAndRouter,
        CutBrokerAndDatabase,
        CutOther,
        StopShortly,
        CutShortly,
        StopWhileCut,
    }

    [ClusterFact]
    public Task Leader_that_fails_in_any_way_is_followed_and_never_doubled() => ClusterLab.RunAsync(output, async cluster =>
    {
        int faults = int.TryParse(Environment.GetEnvironmentVariable("EGRESS_FAULTS"), CultureInfo.InvariantCulture, out int given) ? given : UsualFaults;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("EGRESS_SEED"), CultureInfo.InvariantCulture, out int asked) ? asked : Environment.TickCount;
        output.WriteLine($"{faults} faults, seed {seed}");
        Random random = new(seed);
        Scenario.SendTooMuch(cluster.Lab);
        await ClusterTests.StartAsync(cluster, new ClusterSettings(), overloaded: true);
        await using OverrideWatch watch = new(cluster);
        List<double> followed = [], announced = [];
        for (int i = 0; i < faults; i++)
        {
            (ClusterBox leader, string[] plan) = await SteadyAsync(cluster, watch);
            ClusterBox other = cluster.Controllers.Single(c => c != leader);
            Fault fault = (Fault)(i % Enum.GetValues<Fault>().Length);
            await Task.Delay(random.Next(2000));
            TimeSpan length = fault is Fault.StopShortly or Fault.CutShortly ? TimeSpan.FromSeconds(0.3 + (8 * random.NextDouble())) : Certain + TimeSpan.FromSeconds(5 * random.NextDouble());
            long start = Stopwatch.GetTimestamp();
            Task healed = InflictAsync(cluster, leader, other, fault, length, random);
            if (fault is not (Fault.CutOther or Fault.StopShortly or Fault.CutShortly))
            {
                await Until.TrueAsync($"{i}: {other.Name} to lead after {fault} of {leader.Name}", async () => await LeadsAsync(other), Limit, Silent.Instance, TimeSpan.FromMilliseconds(100));
                followed.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                await Until.ValueAsync(
                    "the same overrides", () => Task.FromResult(string.Join(' ', watch.Latest[other.Name])), seen => seen == string.Join(' ', plan), Limit, Silent.Instance, TimeSpan.FromMilliseconds(50));
                announced.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                output.WriteLine($"{i}: {fault} of {leader.Name} for {length.TotalSeconds:F1} s: {other.Name} leads after {followed[^1]:F2} s, its overrides stand after {announced[^1]:F2} s");
            }
            else
            {
                output.WriteLine($"{i}: {fault} of {leader.Name} for {length.TotalSeconds:F1} s");
            }

            await healed;
            Assert.Empty(watch.Violations);
        }

        await SteadyAsync(cluster, watch);
        Assert.Empty(watch.Violations);
        output.WriteLine($"looked {watch.Looks} times; leads after {followed.Max():F2} s at most, {followed.Order().ElementAt(followed.Count / 2):F2} s in the middle");

        // A machine that does other things beside must not fail the test; one that was asked for a number of faults does nothing else.
        Assert.All(given > 0 ? followed : [], seconds => Assert.True(seconds <= LeadsWithin.TotalSeconds, $"{seconds:F1} s"));
    });

    /// <summary>Waits until one controller leads, no link is overloaded any more thanks to its overrides, which are those at the router, and the other is ready.</summary>
    /// <returns>The leader and its plan. After a moment of plain BGP a leader that went on itself may have found another one.</returns>
    private async Task<(ClusterBox Leader, string[] Plan)> SteadyAsync(ClusterLab cluster, OverrideWatch watch)
    {
        ClusterBox? leader = null;
        string[] plan = [];
        await Until.ValueAsync(
            "one leader whose overrides stand and another that is ready", async () =>
            {
                leader = await cluster.LeaderAsync();
                plan = leader is null ? [] : await PlanOfAsync(leader);
                string[] states = await Task.WhenAll(cluster.Controllers.Select(ClusterTests.StateAsync));
                return (Leader: leader?.Name, States: string.Join("; ", states), Seen: string.Join("; ", watch.Latest.Select(o => $"{o.Key}: {string.Join(' ', o.Value)}")));
            },
            seen => plan.Length > 0 && seen.States.Contains("standby well", StringComparison.Ordinal) && seen.States.Contains("holding well", StringComparison.Ordinal)
                && cluster.Controllers.All(c => watch.Latest.TryGetValue(c.Name, out string[]? own) && own.SequenceEqual(c == leader ? plan : [])),
            Limit, output);
        return (leader!, plan);
    }

    private static async Task<string[]> PlanOfAsync(ClusterBox box) =>
        [.. ((await box.GetAsync("overrides"))?.EnumerateArray().Select(o => o.GetProperty("prefix").GetString() ?? "") ?? []).Order(StringComparer.Ordinal)];

    private static async Task<bool> LeadsAsync(ClusterBox box) => await box.VerdictAsync() is not ("standby" or "-");

    private static async Task InflictAsync(ClusterLab cluster, ClusterBox leader, ClusterBox other, Fault fault, TimeSpan length, Random random)
    {
        switch (fault)
        {
            case Fault.Kill:
                leader.Process.Signal(PosixSignalNumber.Kill);
                await leader.Process.WaitForExitAsync(Limit);
                await Task.Delay(random.Next(3000));
                await leader.StartAsync(new ClusterSettings());
                return;
            case Fault.Stop or Fault.StopShortly:
                leader.Process.Signal(PosixSignalNumber.Stop);
                await Task.Delay(length);
                leader.Process.Signal(PosixSignalNumber.Continue);
                return;
            case Fault.StopWhileCut:
                // What lies in the kernel's buffers is delivered, or not, when the cable is back.
                await leader.CutAsync(ClusterLab.Router, ClusterLab.Edge);
                await Task.Delay(random.Next(1500));
                leader.Process.Signal(PosixSignalNumber.Stop);
                await Task.Delay(random.Next(1500));
                await leader.HealAsync();
                await Task.Delay(length);
                leader.Process.Signal(PosixSignalNumber.Continue);
                return;
            default:
                await leader.CutAsync(fault switch
                {
                    Fault.CutDatabase => [ClusterLab.Database],
                    Fault.CutBroker => [ClusterLab.Broker],
                    Fault.CutRouter => [ClusterLab.Router, ClusterLab.Edge],
                    Fault.CutDatabaseAndRouter => [ClusterLab.Database, ClusterLab.Router, ClusterLab.Edge],
                    Fault.CutBrokerAndDatabase => [ClusterLab.Database, ClusterLab.Broker],
                    Fault.CutOther => [other.Address],
                    Fault.CutShortly => random.Next(2) == 0 ? [ClusterLab.Database] : [ClusterLab.Router, ClusterLab.Edge],
                    _ => [ClusterLab.Database, ClusterLab.Broker, ClusterLab.Router, ClusterLab.Edge, other.Address],
                });
                await Task.Delay(length);
                await leader.HealAsync();
                return;
        }
    }
}
