using System.Text.Json;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>The appliance without a mirror: real exporters on the router tell it what leaves.</summary>
public sealed class FlowTests(ITestOutputHelper output)
{
    private const int Port = 2055;

    private static string Section(Lab lab) => $"""
        flow:
          listen: ["{lab.Sites[0].ApplianceAddress}:{Port}"]
          exporters: [ {"{"} address: {lab.Sites[0].Address}, router: {lab.Sites[0].Name} {"}"} ]
          active_timeout: {(2 * FlowProbe.MaxLifeSeconds) + 2}s
        """;

    [FlowFact]
    public Task Overload_is_relieved_by_moved_routes_without_a_mirror() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        await FlowProbe.StartSoftflowdAsync(lab, lab.A, 9, Port);
        await FlowProbe.StartSoftflowdAsync(lab, lab.B, 10, Port);
        await FlowProbe.StartSoftflowdAsync(lab, lab.C, 9, Port);
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { MinPrefixShare = "15%", Flow = Section(lab) });
        await Until.ValueAsync("the traffic by flow export", async () => await RateAsync(appliance, lab.A), rate => rate is > 2_600_000 and < 3_200_000, Scenario.Generous, output);
        Assert.Empty(await lab.Edge.GetOverridesAsync());

        await Scenario.OverloadAndAwaitReliefAsync(lab);
        await Scenario.AssertRelievedAsync(lab);
        await Until.ValueAsync(
            "both overrides confirmed by flow export", async () => string.Join(' ', (await appliance.GetOverridesAsync()).Select(item => $"{item.Key}={item.Value}").Order(StringComparer.Ordinal)),
            seen => seen == string.Join(' ', Scenario.BigNames.Select(name => name + "=confirmed")), Scenario.Generous, output);
        Assert.Equal(Scenario.BigNames, await lab.Edge.GetOverridesAsync());

        string shown = (await appliance.CommandAsync("show", "capture")).Checked();
        output.WriteLine(shown);
        Assert.Contains("output interface, ifIndex by SNMP", shown, StringComparison.Ordinal);
        JsonElement exporter = (await appliance.GetAsync("capture")).GetProperty("flow").GetProperty("exporters").EnumerateArray().Single();
        Assert.Equal("receiving", exporter.GetProperty("state").GetString());
        Assert.Equal(0, exporter.GetProperty("lost").GetInt64());
        Assert.Contains(", 0 differences", await appliance.ReplayJournalAsync(), StringComparison.Ordinal);
    });

    // A by NetFlow 5, which has no IPv6; B by IPFIX of another exporter; C by sFlow, sampled.
    [FlowFact]
    public Task Rates_by_each_protocol_agree_with_what_the_clients_count() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        LabPrefix[] ofB = [LabPrefixes.Ipv4[2], LabPrefixes.Ipv6[2]];
        LabPrefix[] ofC = [LabPrefixes.Ipv4[3], LabPrefixes.Ipv6[3]];
        foreach (LabPrefix prefix in ofB.Concat(ofC))
        {
            await lab.A.WithdrawAsync(prefix);
        }

        foreach (LabPrefix prefix in ofC)
        {
            await lab.B.WithdrawAsync(prefix);
            await Until.ValueAsync($"{prefix} by C", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.C.EdgeInterface, Scenario.Generous, output);
        }

        await FlowProbe.StartSoftflowdAsync(lab, lab.A, 5, Port);
        await FlowProbe.StartNfprobeAsync(lab, lab.B, Port);
        await FlowProbe.StartSfprobeAsync(lab, lab.C, Port, sampling: 5);
        lab.Traffic.SetRate(LabPrefixes.Ipv4[0], 2_000_000);
        lab.Traffic.SetRate(LabPrefixes.Ipv4[1], 1_000_000);
        foreach (LabPrefix prefix in ofB.Concat(ofC))
        {
            lab.Traffic.SetRate(prefix, 2_000_000);
        }

        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { Mode = "observe", WindowSeconds = 20, Flow = Section(lab) });
        foreach ((Provider provider, double tolerance) in new[] { (lab.A, 0.03), (lab.B, 0.03), (lab.C, 0.1) })
        {
            // A busy machine starves the generator now and then: until one comparison of three seconds is right.
            await Until.ValueAsync(
                $"{provider.Link} by flow export as at the clients, within {tolerance:P0}", async () => await RateAsync(appliance, provider) / (await lab.MeasureAsync(TimeSpan.FromSeconds(3)))[provider],
                ratio => Math.Abs(ratio - 1) <= tolerance, Scenario.Generous, output);
        }

        JsonElement[] prefixes = [.. (await appliance.GetAsync("prefixes?top=20")).EnumerateArray()];
        foreach ((LabPrefix prefix, Provider provider) in ofB.Select(p => (p, lab.B)).Concat(ofC.Select(p => (p, lab.C))))
        {
            JsonElement shown = prefixes.Single(p => p.GetProperty("prefix").GetString() == prefix.Prefix);
            Assert.Equal(provider.Link, shown.GetProperty("link").GetString());
            Assert.InRange(shown.GetProperty("rate_bps").GetInt64(), 1_500_000, 2_600_000);
        }

        JsonElement exporter = (await appliance.GetAsync("capture")).GetProperty("flow").GetProperty("exporters").EnumerateArray().Single();
        output.WriteLine(exporter.ToString());
        Assert.Equal(0, exporter.GetProperty("lost").GetInt64());
        Assert.True(exporter.GetProperty("templates").GetInt32() > 0);
    });

    private static async Task<long> RateAsync(RunningAppliance appliance, Provider provider) =>
        (await appliance.GetAsync("links")).EnumerateArray().Single(link => link.GetProperty("name").GetString() == provider.Link).GetProperty("mirror_bps").GetInt64();
}
