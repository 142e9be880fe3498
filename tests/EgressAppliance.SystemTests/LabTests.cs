using System.Globalization;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>The lab itself, without the appliance: if one of these fails, no other system test means anything.</summary>
public sealed class LabTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [SystemFact]
    public Task Frr_edge_prefers_provider_a_and_traffic_follows() => CheckNativeRoutingAsync(EdgeSoftware.Frr);

    [SystemFact]
    public Task Bird_edge_prefers_provider_a_and_traffic_follows() => CheckNativeRoutingAsync(EdgeSoftware.Bird);

    [SystemFact]
    public Task Mirror_port_shows_frames_to_the_provider_that_carries_them() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        lab.Traffic.SetRate(LabPrefixes.Ipv4[0], 500_000);
        lab.Traffic.SetRate(LabPrefixes.Ipv6[0], 500_000);
        IReadOnlyList<MirroredFrame> frames = await MirrorTap.ReadAsync(lab.ApplianceNetwork, 60);
        Assert.All(frames, frame => Assert.Equal(lab.A.Mac, frame.DestinationMac));
        Assert.Contains(frames, frame => frame.IsIpv6);
        Assert.Contains(frames, frame => !frame.IsIpv6);
        Assert.All(frames, frame => Assert.True(frame.Length <= 1514, $"offloads are on: {frame}"));
    });

    [SystemFact]
    public Task Snmp_agent_counts_octets_and_tells_configured_speeds() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        string names = await SnmpAsync(lab, "snmpwalk", "1.3.6.1.2.1.31.1.1.1.1");
        string index = names.Split('\n').Single(line => line.Contains($"\"{lab.A.EdgeInterface}\"", StringComparison.Ordinal)).Split(' ')[0].Split('.')[^1];

        // The first answers after the agent's start may still lack the configured speed.
        await Until.ValueAsync("ifHighSpeed of the configured interface", () => ReadAsync(lab, "1.3.6.1.2.1.31.1.1.1.15." + index), speed => speed == 10, Limit, output);
        lab.Traffic.SetRate(LabPrefixes.Ipv4[0], 2_000_000);
        long before = await ReadAsync(lab, "1.3.6.1.2.1.31.1.1.1.10." + index);
        await Until.ValueAsync("ifHCOutOctets to grow by 1 MB", () => ReadAsync(lab, "1.3.6.1.2.1.31.1.1.1.10." + index), octets => octets > before + 1_000_000, Limit, output);
    });

    [SystemFact]
    public Task Provider_withdraws_one_prefix_and_takes_it_back() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        foreach (LabPrefix prefix in new[] { LabPrefixes.Ipv4[3], LabPrefixes.Ipv6[3] })
        {
            await lab.A.WithdrawAsync(prefix);
            await Until.ValueAsync($"{prefix} by B", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.B.EdgeInterface, Limit, output);
            Assert.DoesNotContain(await lab.Edge.GetPathsAsync(prefix), path => path.AsPath == lab.A.AsPath);
            await lab.A.RestoreAsync(prefix);
            await Until.ValueAsync($"{prefix} by A again", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.A.EdgeInterface, Limit, output);
        }
    });

    [SystemFact]
    public Task Override_by_hand_on_frr_moves_traffic_and_does_not_leak() => CheckOverrideByHandAsync(EdgeSoftware.Frr);

    [SystemFact]
    public Task Override_by_hand_on_bird_moves_traffic_and_does_not_leak() => CheckOverrideByHandAsync(EdgeSoftware.Bird);

    // The control of the leak check: without NO_EXPORT this edge does tell the providers, and the check sees it.
    [SystemFact]
    public Task Override_by_hand_without_no_export_leaks_and_is_seen_to() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        LabPrefix prefix = Scenario.Big[0];
        await Until.ValueAsync("C to hear of A's path", () => lab.C.HeardFromEdgeAsync(prefix), heard => heard.EndsWith($"65000 {lab.A.AsPath}", StringComparison.Ordinal), Limit, output);
        await HandInjector.StartAsync(lab, lab.B, ApplianceSettings.Marker, Scenario.Big, noExport: false);
        foreach (Provider listener in new[] { lab.A, lab.C })
        {
            await Until.ValueAsync($"{listener.Link} to hear of B's path", () => listener.HeardFromEdgeAsync(prefix), heard => heard.EndsWith($"65000 {lab.B.AsPath}", StringComparison.Ordinal), Limit, output);
        }
    });

    private static async Task<string> SnmpAsync(Lab lab, string tool, string oid) =>
        (await lab.ApplianceNetwork.RunAsync(tool, "-v2c", "-c", SnmpAgent.Community, "-On", "-t", "5", "192.0.2.1", oid)).Trim();

    private static async Task<long> ReadAsync(Lab lab, string oid) =>
        long.Parse((await SnmpAsync(lab, "snmpget", oid)).Split(' ')[^1], CultureInfo.InvariantCulture);

    private Task CheckNativeRoutingAsync(EdgeSoftware software) => Lab.RunAsync(output, new LabOptions { Edge = software }, async lab =>
    {
        LabPrefix[] busy = [LabPrefixes.Ipv4[0], LabPrefixes.Ipv6[0], .. LabPrefixes.Nested];
        foreach (LabPrefix prefix in busy)
        {
            IReadOnlyList<EdgePath> paths = await lab.Edge.GetPathsAsync(prefix);
            EdgePath best = Assert.Single(paths, path => path.Best);
            Assert.Equal(lab.A.AsPath, best.AsPath);
            Assert.Equal(3, paths.Count(path => !path.FromAppliance));
            Assert.Equal(lab.A.EdgeInterface, await lab.GetEgressInterfaceAsync(prefix));
            lab.Traffic.SetRate(prefix, 400_000);
        }

        Assert.Empty(await lab.Edge.GetOverridesAsync());
        Assert.False((await lab.Edge.GetSessionAsync()).Established);

        // The generator keeps its pace by the clock: a machine that stood still during one measurement has made it up by the next.
        IReadOnlyDictionary<Provider, double> loads = await Until.ValueAsync(
            "a load of 4 Mbit/s on provider A", () => lab.MeasureAsync(TimeSpan.FromSeconds(3)), loads => loads[lab.A] is > 3_800_000 and < 4_200_000, Limit, output);
        Assert.Equal(0, loads[lab.B]);
        Assert.Equal(0, loads[lab.C]);
        GroundTruthReading reading = await lab.Truth.ReadAsync();
        Assert.All(busy, prefix => Assert.True(reading.Of(lab.A, prefix).Packets > 0, $"nothing arrived for {prefix}"));
    });

    private Task CheckOverrideByHandAsync(EdgeSoftware software) => Lab.RunAsync(output, new LabOptions { Edge = software }, async lab =>
    {
        Scenario.SendTooMuch(lab);
        string before = await OverrideChecks.DescribeTablesAsync(lab);
        Daemon injector = await HandInjector.StartAsync(lab, lab.B, ApplianceSettings.Marker, Scenario.Big);
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Limit);
        foreach (LabPrefix prefix in Scenario.Big)
        {
            await Until.ValueAsync($"{prefix} by B", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.B.EdgeInterface, Limit, output);
        }

        GroundTruthReading moved = await lab.Truth.ReadAsync();
        await Scenario.AssertRelievedAsync(lab);
        GroundTruthReading later = await lab.Truth.ReadAsync();
        foreach (LabPrefix prefix in Scenario.Big)
        {
            await OverrideChecks.AssertSoundAsync(lab, prefix, moved, later);
        }

        EdgeSession session = await lab.Edge.GetSessionAsync();
        Assert.True(session.Established);
        Assert.Equal(2, session.PrefixesReceived);
        Assert.True(session.UpdatesReceived >= 2);

        injector.Signal(PosixSignalNumber.Kill);
        TimeSpan native = await Scenario.AwaitNativeAsync(lab, Limit);
        output.WriteLine($"native {native.TotalMilliseconds:F0} ms after SIGKILL");
        await Until.ValueAsync("the tables as before", () => OverrideChecks.DescribeTablesAsync(lab), now => now == before, Limit, output);
    });
}
