using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>What a router does otherwise than its routes say: it refuses ours, or prefers by what BGP does not show. And how fast it lets go of many.</summary>
public sealed class RouterPolicyTests(ITestOutputHelper output)
{
    private const int Many = 1000;
    private static readonly ApplianceSettings BigOnly = new() { MinPrefixShare = "15%", HoldSeconds = 60 };

    /// <summary>The mirror may show a moved prefix elsewhere for 30 s before it is rolled back.</summary>
    private static readonly TimeSpan RollBackLimit = TimeSpan.FromSeconds(60);

    [SystemFact]
    public Task Route_that_the_router_refuses_is_rolled_back_with_the_reason() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, BigOnly);
        await ((FrrRouter)lab.Edge).RefuseOverridesAsync();
        Scenario.SendTooMuch(lab);

        // Both are announced, and the router goes on as if they were not.
        await Until.ValueAsync(
            "both announced", async () => Join(await appliance.GetOverridesAsync()), seen => seen == Join(Scenario.BigNames.ToDictionary(name => name, _ => "announced")),
            Scenario.Generous, output);
        Assert.Equal(0, (await lab.Edge.GetSessionAsync()).PrefixesReceived);
        Assert.Equal(lab.A.EdgeInterface, await lab.GetEgressInterfaceAsync(Scenario.Big[0]));

        await Until.ValueAsync(
            "both rolled back", async () => Join(await appliance.GetOverridesAsync()), seen => seen.Length == 0, RollBackLimit, output);
        string[] reasons = [.. (await appliance.GetAsync("decisions?limit=100")).EnumerateArray()
            .SelectMany(decision => decision.GetProperty("releases").EnumerateArray())
            .Select(release => $"{release.GetProperty("prefix").GetString()}: {release.GetProperty("reason").GetString()}").Order(StringComparer.Ordinal)];
        output.WriteLine(string.Join('\n', reasons));
        Assert.Equal(Scenario.BigNames, reasons.Select(reason => reason[..reason.IndexOf(": ", StringComparison.Ordinal)]));
        Assert.All(reasons, reason => Assert.Contains("never left by the new link", reason, StringComparison.Ordinal));

        // Not tried again at once, and the operator is told why.
        for (int second = 0; second < 5; second++)
        {
            Assert.Empty(await appliance.GetOverridesAsync());
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        string why = (await appliance.CommandAsync("explain", Scenario.BigNames[0])).Checked();
        output.WriteLine(why);
        Assert.Contains("a short while ago", why, StringComparison.Ordinal);
    });

    [SystemFact]
    public Task Weight_on_the_router_is_noticed() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, BigOnly);
        await ((FrrRouter)lab.Edge).PreferByWeightAsync(lab.B);
        await Until.ValueAsync(
            "the traffic on B", () => lab.GetEgressInterfaceAsync(Scenario.Big[0]), device => device == lab.B.EdgeInterface, Scenario.Generous, output);

        string problems = await Until.ValueAsync(
            "the weight told", async () => string.Join('\n', (await appliance.GetAsync("status")).GetProperty("problems").EnumerateArray().Select(problem => problem.GetString())),
            told => told.Contains("the router weighs something that BGP does not show", StringComparison.Ordinal), Scenario.Generous, output);
        output.WriteLine(problems);
        Assert.Empty(await lab.Edge.GetOverridesAsync());
    });

    [SystemFact]
    public Task Thousand_overrides_are_gone_from_the_router_within_a_second_of_the_red_button() => Lab.RunAsync(
        output, new LabOptions { Prefixes = [.. LabPrefixes.All, .. Enumerable.Range(0, Many).Select(Numbered)], RouterLimit = 2 * Many }, async lab =>
    {
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, BigOnly);
        foreach (LabPrefix prefix in Enumerable.Range(0, Many).Select(Numbered))
        {
            await appliance.PostAsync("overrides", new { prefix = prefix.Prefix, link = lab.B.Link });
        }

        await Until.ValueAsync("all at the router", async () => (await lab.Edge.GetSessionAsync()).PrefixesReceived, held => held == Many, Scenario.Generous, output);
        await Until.ValueAsync(
            "the last of them by B in the kernel", () => lab.GetEgressInterfaceAsync(Numbered(Many - 1)), device => device == lab.B.EdgeInterface, Scenario.Generous, output);

        long start = Stopwatch.GetTimestamp();
        await appliance.PostAsync("withdraw-all", new { });
        TimeSpan said = Stopwatch.GetElapsedTime(start);
        await Until.ValueAsync(
            "none at the router", async () => (await lab.Edge.GetSessionAsync()).PrefixesReceived, held => held == 0, Scenario.WithdrawalLimit, output, TimeSpan.Zero);
        TimeSpan gone = Stopwatch.GetElapsedTime(start);
        await Until.ValueAsync(
            "native in the kernel", () => lab.GetEgressInterfaceAsync(Numbered(Many - 1)), device => device == lab.A.EdgeInterface, Scenario.Generous, output, TimeSpan.Zero);
        output.WriteLine($"{Many} overrides: answered after {said.TotalMilliseconds:F0} ms, gone from FRR's table after {gone.TotalMilliseconds:F0} ms");
    });

    private static string Join(IReadOnlyDictionary<string, string> overrides) =>
        string.Join(' ', overrides.Select(item => $"{item.Key}={item.Value}").Order(StringComparer.Ordinal));

    private static LabPrefix Numbered(int i) => new(
        string.Create(CultureInfo.InvariantCulture, $"20.{200 + (i / 250)}.{i % 250}.0/24"), IPAddress.Parse($"20.{200 + (i / 250)}.{i % 250}.10"));
}
