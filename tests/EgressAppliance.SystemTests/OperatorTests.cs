using System.Diagnostics;
using System.Text.Json;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>What an operator sees and does: observe mode, the red button, and figures that agree with the network's.</summary>
public sealed class OperatorTests(ITestOutputHelper output)
{
    // End-of-RIB of either family is an UPDATE too, the only one that observe mode may send.
    private const int EndOfRibMessages = 2;
    private static readonly ApplianceSettings BigOnly = new() { MinPrefixShare = "15%", HoldSeconds = 60 };

    [SystemFact]
    public Task Observe_mode_shows_its_plan_and_never_announces() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, BigOnly with { Mode = "observe" });
        Scenario.SendTooMuch(lab);
        await Until.ValueAsync(
            "both big prefixes proposed",
            async () =>
            {
                Assert.Equal(0, (await lab.Edge.GetSessionAsync()).PrefixesReceived);
                return string.Join(' ', (await appliance.GetOverridesAsync()).Select(item => $"{item.Key}={item.Value}").Order(StringComparer.Ordinal));
            },
            seen => seen == string.Join(' ', Scenario.BigNames.Select(name => name + "=proposed")), Scenario.Generous, output);

        string plan = (await appliance.CommandAsync("show", "plan")).Checked();
        string overrides = (await appliance.CommandAsync("show", "overrides")).Checked();
        output.WriteLine(plan + overrides);
        Assert.Contains("observe", plan, StringComparison.Ordinal);
        Assert.All(Scenario.BigNames, name => Assert.Contains(name, overrides, StringComparison.Ordinal));
        Assert.Contains("proposed", overrides, StringComparison.Ordinal);
        JsonElement decisions = await appliance.GetAsync("decisions?limit=100");
        string[] moves = [.. decisions.EnumerateArray().SelectMany(decision => decision.GetProperty("moves").EnumerateArray()).Select(move => move.GetProperty("prefix").GetString() ?? "").Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(Scenario.BigNames, moves);

        for (int second = 0; second < 5; second++)
        {
            EdgeSession session = await lab.Edge.GetSessionAsync();
            Assert.True(session.Established);
            Assert.Equal(0, session.PrefixesReceived);
            Assert.InRange(session.UpdatesReceived, 0, EndOfRibMessages);
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        foreach (LabPrefix prefix in Scenario.Big)
        {
            Assert.Equal(lab.A.EdgeInterface, await lab.GetEgressInterfaceAsync(prefix));
        }
    });

    [SystemFact]
    public Task Withdraw_all_empties_the_router_within_a_second() => CheckRedButtonAsync("withdraw-all");

    [SystemFact]
    public Task Mode_observe_empties_the_router_within_a_second() => CheckRedButtonAsync("mode", "observe");

    [SystemFact]
    public Task Rates_agree_with_what_clients_received_and_the_router_counted() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        LabPrefix[] busy = [.. LabPrefixes.Nested, LabPrefixes.Ipv4[5], LabPrefixes.Ipv6[5]];
        for (int i = 0; i < busy.Length; i++)
        {
            lab.Traffic.SetRate(busy[i], 200_000 + (50_000 * i));
        }

        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { Mode = "observe", WindowSeconds = 5 });
        await Until.ValueAsync(
            "every prefix within 10 % of its rate at the clients",
            async () =>
            {
                GroundTruthReading before = await lab.Truth.ReadAsync();
                await Task.Delay(TimeSpan.FromSeconds(5));
                GroundTruthReading after = await lab.Truth.ReadAsync();
                double seconds = Stopwatch.GetElapsedTime(before.Timestamp, after.Timestamp).TotalSeconds;
                Dictionary<string, JsonElement> seen = (await appliance.GetAsync("prefixes?top=100")).EnumerateArray()
                    .ToDictionary(item => item.GetProperty("prefix").GetString() ?? "");
                return busy.Select(prefix => (
                    Name: prefix.Prefix,
                    Truth: (after.Of(lab.A, prefix) - before.Of(lab.A, prefix)).Bytes * 8 / seconds,
                    Shown: seen.TryGetValue(prefix.Prefix, out JsonElement item) ? item.GetProperty("rate_bps").GetInt64() : 0,
                    Link: seen.TryGetValue(prefix.Prefix, out item) ? item.GetProperty("link").GetString() : null)).ToArray();
            },
            rows => rows.All(row => Math.Abs(row.Shown - row.Truth) <= 0.1 * row.Truth && row.Link == lab.A.Link),
            Scenario.Generous, output);

        await Until.ValueAsync(
            "link A's mirror and counter rates within 10 % of each other and of the clients",
            async () =>
            {
                double truth = (await lab.MeasureAsync(TimeSpan.FromSeconds(5)))[lab.A];
                JsonElement link = (await appliance.GetAsync("links")).EnumerateArray().Single(item => item.GetProperty("name").GetString() == lab.A.Link);
                JsonElement counter = link.GetProperty("counter_bps");
                return (Truth: truth, Mirror: link.GetProperty("mirror_bps").GetInt64(), Counter: counter.ValueKind == JsonValueKind.Number ? counter.GetInt64() : 0);
            },
            seen => Math.Abs(seen.Mirror - seen.Truth) <= 0.1 * seen.Truth && Math.Abs(seen.Counter - seen.Truth) <= 0.1 * seen.Truth,
            Scenario.Generous, output);
    });

    // No link is near its threshold: only the operator wants these.
    [SystemFact]
    public Task Override_by_an_operator_stays_until_released() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { HoldSeconds = 1 });
        foreach (LabPrefix prefix in Scenario.Big)
        {
            output.WriteLine((await appliance.CommandAsync("override", "add", prefix.Prefix, lab.C.Link)).Checked());
            await Until.ValueAsync($"{prefix} by C", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.C.EdgeInterface, Scenario.Generous, output);
        }

        ShellResult unknown = await appliance.CommandAsync("override", "add", "20.77.0.0/24", lab.C.Link);
        output.WriteLine(unknown.Error);
        Assert.Equal(1, unknown.ExitCode);
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.Equal(Scenario.BigNames, await lab.Edge.GetOverridesAsync());

        foreach (LabPrefix prefix in Scenario.Big)
        {
            output.WriteLine((await appliance.CommandAsync("override", "release", prefix.Prefix)).Checked());
        }

        await Scenario.AwaitNativeAsync(lab, Scenario.Generous);
        await Scenario.AwaitOverridesAsync(lab, [], Scenario.Generous);
    });

    private Task CheckRedButtonAsync(params string[] command) => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, BigOnly);
        await Scenario.OverloadAndAwaitReliefAsync(lab);

        // A command that has returned has done its work. The start of a process on a busy machine is not held against it.
        long start = Stopwatch.GetTimestamp();
        ShellResult result = await appliance.CommandAsync(command);
        TimeSpan ran = Stopwatch.GetElapsedTime(start);
        TimeSpan native = await Scenario.AwaitNativeAsync(lab, Scenario.WithdrawalLimit);
        await Scenario.AwaitOverridesAsync(lab, [], Scenario.WithdrawalLimit, TimeSpan.Zero);
        output.WriteLine($"`{string.Join(' ', command)}` ran {ran.TotalMilliseconds:F0} ms and said: {result.Checked()}native {native.TotalMilliseconds:F0} ms later");

        // The overload is still there. A red button that the next cycle undoes is none.
        for (int second = 0; second < 5; second++)
        {
            Assert.Empty(await lab.Edge.GetOverridesAsync());
            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    });
}
