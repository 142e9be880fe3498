using System.Text.Json;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>The appliance's purpose, on both kinds of edge router: relieve a link with the fewest moves, and give them back.</summary>
public sealed class SteeringTests(ITestOutputHelper output)
{
    [SystemFact]
    public Task Overload_on_frr_is_relieved_within_ten_seconds_and_given_back() => RelieveAndReleaseAsync(EdgeSoftware.Frr);

    [SystemFact]
    public Task Overload_on_bird_is_relieved_within_ten_seconds_and_given_back() => RelieveAndReleaseAsync(EdgeSoftware.Bird);

    // A rise of some prefixes is one of demand, whatever the counter says so far; it must not wait for the next poll. What it took is printed.
    [SystemFact]
    public Task Overload_by_some_prefixes_is_relieved_before_the_counter_shows_it() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendEnough(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { MinPrefixShare = "15%" });
        await Until.ValueAsync(
            "the counter of A to agree with its mirror",
            async () =>
            {
                JsonElement a = (await appliance.GetAsync("links"))[0];
                return a.GetProperty("counter_bps") is { ValueKind: JsonValueKind.Number } counter ? counter.GetDouble() / a.GetProperty("mirror_bps").GetInt64() : 0;
            },
            ratio => ratio is > 0.9 and < 1.1, Scenario.Generous, output);
        Assert.Empty(await lab.Edge.GetOverridesAsync());

        await Scenario.OverloadAndAwaitReliefAsync(lab);
        JsonElement link = (await appliance.GetAsync("links"))[0];
        output.WriteLine($"by then the counter showed {link.GetProperty("counter_bps")} bit/s");
        await Scenario.AssertRelievedAsync(lab);
        Assert.Equal(Scenario.BigNames, await lab.Edge.GetOverridesAsync());
    });

    // The load is there before the appliance, and every prefix may be moved: the choice is the planner's alone.
    [SystemFact]
    public Task Steady_overload_is_relieved_by_the_fewest_prefixes_of_all() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendTooMuch(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings());
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.ReliefLimit);
        await Scenario.AssertRelievedAsync(lab);
        Assert.Equal(Scenario.BigNames, await lab.Edge.GetOverridesAsync());
        Assert.Equal(Scenario.BigNames, (await appliance.GetOverridesAsync()).Keys.Order(StringComparer.Ordinal));
    });

    [SystemFact]
    public Task Overload_without_room_elsewhere_moves_nothing_and_says_so() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendTooMuch(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { MinPrefixShare = "15%", OtherCapacity = "2Mbit/s" });
        await Until.ValueAsync(
            "link A to be told as over its capacity",
            async () => (await appliance.GetAsync("links")).EnumerateArray().Single(link => link.GetProperty("name").GetString() == lab.A.Link).GetProperty("state").GetString(),
            state => state == "over_capacity", Scenario.Generous, output);
        for (int second = 0; second < 6; second++)
        {
            Assert.Empty(await lab.Edge.GetOverridesAsync());
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        JsonElement decision = (await appliance.GetAsync("decisions?limit=1")).EnumerateArray().Single();
        output.WriteLine(decision.ToString());
        Assert.Empty(decision.GetProperty("moves").EnumerateArray());
        Assert.InRange(decision.GetProperty("overload_bps").GetInt64(), 4_000_000, 6_500_000);
        Assert.NotEqual("", decision.GetProperty("reason").GetString());
    });

    private Task RelieveAndReleaseAsync(EdgeSoftware software) => Lab.RunAsync(output, new LabOptions { Edge = software }, async lab =>
    {
        // While the averages rise, the overload passes through sizes that one small prefix would cure. Small ones are ruled out here, so
        // that the number of moves does not depend on the phase of the cycle at the onset.
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { MinPrefixShare = "15%" });
        await Task.Delay(TimeSpan.FromSeconds(3));
        Assert.Empty(await lab.Edge.GetOverridesAsync());
        string before = await OverrideChecks.DescribeTablesAsync(lab);

        await Scenario.OverloadAndAwaitReliefAsync(lab);
        GroundTruthReading moved = await lab.Truth.ReadAsync();
        await Scenario.AssertRelievedAsync(lab);
        GroundTruthReading later = await lab.Truth.ReadAsync();
        Assert.Equal(Scenario.BigNames, await lab.Edge.GetOverridesAsync());
        foreach (LabPrefix prefix in Scenario.Big)
        {
            await OverrideChecks.AssertSoundAsync(lab, prefix, moved, later);
        }

        await Until.ValueAsync(
            "both overrides confirmed by the mirror", async () => string.Join(' ', (await appliance.GetOverridesAsync()).Select(item => $"{item.Key}={item.Value}").Order(StringComparer.Ordinal)),
            seen => seen == string.Join(' ', Scenario.BigNames.Select(name => name + "=confirmed")), Scenario.Generous, output);

        Scenario.SendLittle(lab);
        await Scenario.AwaitOverridesAsync(lab, [], Scenario.Generous);
        await Scenario.AwaitNativeAsync(lab, Scenario.Generous);
        await Until.ValueAsync("the tables of the edge and the providers as before", () => OverrideChecks.DescribeTablesAsync(lab), now => now == before, Scenario.Generous, output);
        Assert.Empty(await appliance.GetOverridesAsync());
        string replayed = await appliance.ReplayJournalAsync();
        output.WriteLine(replayed);
        Assert.Contains(", 0 differences", replayed, StringComparison.Ordinal);
    });
}
