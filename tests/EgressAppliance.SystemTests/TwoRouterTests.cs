using System.Diagnostics;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>
/// A site with two edge routers: A and B are on the first, C on the second. Each router knows the providers of the other only by iBGP and so, A being best, knows C at the
/// second alone. An override by C must be in force at both: at the first, or nothing moves; at the second, or it sends the traffic back to A in a circle.
/// </summary>
public sealed class TwoRouterTests(ITestOutputHelper output)
{
    // B has no room for either of the big prefixes, so relief is to be had at the second router only.
    private static readonly ApplianceSettings Settings = new() { MinPrefixShare = "15%", HoldSeconds = 5, SmallProvider = 'b', OtherCapacity = "2Mbit/s" };

    /// <summary>Hold time, and the time that the speaker and the routers need to act on its end.</summary>
    private static readonly TimeSpan HoldLimit = TimeSpan.FromSeconds(12);

    [SystemFact]
    public Task Overload_on_the_first_router_is_relieved_by_a_link_of_the_second() => RunAsync(async (lab, appliance) =>
    {
        GroundTruthReading before = await lab.Truth.ReadAsync();
        await Until.ValueAsync(
            "loads of A and C", () => lab.MeasureAsync(TimeSpan.FromSeconds(3)), loads => loads[lab.A] is >= 7.0e6 and <= 9.5e6 && loads[lab.C] is >= 5.5e6 and <= 9.0e6,
            Scenario.Generous, output);
        GroundTruthReading after = await lab.Truth.ReadAsync();
        Assert.All(Scenario.Big, prefix => Assert.True((after.Of(lab.C, prefix) - before.Of(lab.C, prefix)).Packets > 0, $"nothing for {prefix} came by C"));

        await Until.ValueAsync(
            "both confirmed by the second router's mirror", async () => string.Join(' ', (await appliance.GetOverridesAsync()).Values.Distinct()), states => states == "confirmed",
            Scenario.Generous, output);

        Scenario.SendLittle(lab);
        await AwaitNowhereAsync(lab, Scenario.Generous);
        await Scenario.AwaitNativeAsync(lab, Scenario.Generous);
    });

    [SystemFact]
    public Task Loss_of_the_second_router_ends_what_goes_by_it_at_the_first() => RunAsync(async (lab, appliance) =>
    {
        long lost = Stopwatch.GetTimestamp();
        await KillAsync(lab.GetDaemon("edge2-bgpd"));

        // The paths by C have gone with their session: at the first router within a second, whatever the cycle does.
        await Until.ValueAsync(
            "nothing of ours at the first router", async () => (await lab.Edge.GetOverridesAsync()).Count, count => count == 0, Scenario.WithdrawalLimit, output, TimeSpan.Zero);
        await Scenario.AwaitNativeAsync(lab, Scenario.WithdrawalLimit);
        output.WriteLine($"native {Stopwatch.GetElapsedTime(lost).TotalMilliseconds:F0} ms after the end of bgpd");
        await AwaitVerdictAsync(appliance, "withdrawn_route_feed_lost");

        lab.Adopt(((FrrRouter)lab.Edges[1]).StartBgpd());
        await AwaitReliefAsync(lab, TimeSpan.FromSeconds(60));
    });

    [SystemFact]
    public Task Loss_of_the_first_router_ends_all_overrides_at_the_second() => RunAsync(async (lab, appliance) =>
    {
        await KillAsync(lab.GetDaemon("edge1-bgpd"));
        await Until.ValueAsync(
            "nothing of ours at the second router", async () => (await lab.Edges[1].GetOverridesAsync()).Count, count => count == 0, Scenario.Generous, output, TimeSpan.Zero);
        await AwaitVerdictAsync(appliance, "withdrawn_route_feed_lost");

        lab.Adopt(((FrrRouter)lab.Edge).StartBgpd());
        await AwaitReliefAsync(lab, TimeSpan.FromSeconds(60));
    });

    [SystemFact]
    public Task Silence_towards_one_router_ends_all_overrides_within_the_hold_time() => RunAsync(async (lab, appliance) =>
    {
        EdgeSite second = lab.Sites[1];
        long cut = Stopwatch.GetTimestamp();
        await lab.ApplianceNetwork.RunAsync(
            "nft", $"add table inet cut; add chain inet cut in {{ type filter hook input priority 0; }}; add rule inet cut in ip saddr {second.Address} drop; "
            + $"add chain inet cut out {{ type filter hook output priority 0; }}; add rule inet cut out ip daddr {second.Address} drop");
        await AwaitNowhereAsync(lab, HoldLimit);
        await Scenario.AwaitNativeAsync(lab, Scenario.WithdrawalLimit);
        output.WriteLine($"native {Stopwatch.GetElapsedTime(cut).TotalSeconds:F1} s after the cut");
        await AwaitVerdictAsync(appliance, "withdrawn_route_feed_lost");

        await lab.ApplianceNetwork.RunAsync("nft", "delete table inet cut");
        await AwaitReliefAsync(lab, TimeSpan.FromSeconds(60));
    });

    /// <summary>A lab with two routers, in which an overload has just been relieved.</summary>
    private Task RunAsync(Func<Lab, RunningAppliance, Task> test) => Lab.RunAsync(output, new LabOptions { SecondEdge = true }, async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        Scenario.SendTooMuch(lab);
        long onset = Stopwatch.GetTimestamp();
        await AwaitReliefAsync(lab, Scenario.ReliefLimit);
        output.WriteLine($"relieved at both routers {Stopwatch.GetElapsedTime(onset).TotalSeconds:F2} s after the onset");
        await test(lab, appliance);
    });

    /// <summary>Waits until both routers hold both overrides, the first sends the prefixes to the second, and that one to C.</summary>
    private async Task AwaitReliefAsync(Lab lab, TimeSpan limit)
    {
        string expected = string.Join(' ', Scenario.BigNames);
        foreach (IEdgeRouter router in lab.Edges)
        {
            await Until.ValueAsync("both overrides at each router", async () => string.Join(' ', await router.GetOverridesAsync()), seen => seen == expected, limit, output);
        }

        foreach (LabPrefix prefix in Scenario.Big)
        {
            await Until.ValueAsync(
                $"{prefix} by the second router and C",
                async () => (await Lab.GetEgressInterfaceAsync(prefix, lab.Sites[0]), await Lab.GetEgressInterfaceAsync(prefix, lab.Sites[1])),
                ways => ways == ("core", lab.C.EdgeInterface), limit, output);
        }
    }

    private async Task AwaitNowhereAsync(Lab lab, TimeSpan limit)
    {
        foreach (IEdgeRouter router in lab.Edges)
        {
            await Until.ValueAsync("no override at either router", async () => (await router.GetOverridesAsync()).Count, count => count == 0, limit, output);
        }
    }

    private async Task AwaitVerdictAsync(RunningAppliance appliance, string verdict) => await Until.ValueAsync(
        $"verdict {verdict}", async () => (await appliance.GetAsync("status")).GetProperty("verdict").GetString(), seen => seen == verdict, Scenario.Generous, output);

    private static async Task KillAsync(Daemon daemon)
    {
        daemon.Signal(PosixSignalNumber.Kill);
        await daemon.WaitForExitAsync(Scenario.Generous);
    }
}
