using System.Diagnostics;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Belief;

/// <summary>Mirror, router and clients say the same, whatever the frames look like on their way here.</summary>
[Collection(Alone.Name)]
public sealed class AgreementTests(ITestOutputHelper output)
{
    // The kernel's counter has the Ethernet header and no FCS.
    private const int CountedOverhead = 14;
    private const double Nearness = 0.01;

    // net-snmp reads the kernel's counters every three seconds by a timer of its own, and the appliance takes its rate over half a minute.
    private const double CacheError = 0.1;

    // 29 bytes of IPv4, which Ethernet fills up by 17.
    private const int SmallPayload = 1;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    [SystemFact]
    public Task Mirror_counter_and_clients_agree_within_one_percent_over_a_minute() => Lab.RunAsync(output, new LabOptions { MirrorSwitch = true }, async lab =>
    {
        // A: IPv4 and IPv6 with the two tags of 802.1ad; B: both with one of 802.1Q; C: small and padded IPv4, and IPv6, without any.
        lab.Mirror.Set(new MirrorShape { Tags = [(MirrorSwitch.ServiceTag, 200), (MirrorSwitch.CustomerTag, 101)] }, lab.A);
        lab.Mirror.Set(new MirrorShape { Tags = [(MirrorSwitch.CustomerTag, 102)] }, lab.B);
        lab.Mirror.Set(new MirrorShape { Pad = true }, lab.C);
        foreach (LabPrefix prefix in new[] { LabPrefixes.Ipv4[1], LabPrefixes.Ipv6[1], LabPrefixes.Ipv4[2], LabPrefixes.Ipv6[2] })
        {
            await lab.A.WithdrawAsync(prefix);
        }

        foreach (LabPrefix prefix in new[] { LabPrefixes.Ipv4[2], LabPrefixes.Ipv6[2] })
        {
            await lab.B.WithdrawAsync(prefix);
            await Until.ValueAsync($"{prefix} by C", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.C.EdgeInterface, Scenario.Generous, output);
        }

        lab.Traffic.SetRate(LabPrefixes.Ipv4[0], 1_600_000);
        lab.Traffic.SetRate(LabPrefixes.Ipv6[0], 1_400_000);
        lab.Traffic.SetRate(LabPrefixes.Ipv4[1], 1_100_000);
        lab.Traffic.SetRate(LabPrefixes.Ipv6[1], 1_300_000);
        lab.Traffic.SetRate(LabPrefixes.Ipv4[2], 700_000, SmallPayload);
        lab.Traffic.SetRate(LabPrefixes.Ipv6[2], 900_000);

        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { Mode = "observe", OverheadBytes = CountedOverhead });
        await Until.ValueAsync(
            "a rate by each counter", async () => (await LinkReading.AllAsync(appliance)).Values, links => links.All(link => link.CounterBps > 0), Scenario.Generous, output);

        AgentReading before = await AgentReading.AtNextAsync(lab);
        long start = Stopwatch.GetTimestamp();
        Dictionary<string, List<LinkReading>> readings = lab.Providers.ToDictionary(provider => provider.Link, _ => new List<LinkReading>());
        while (Stopwatch.GetElapsedTime(start) < Duration)
        {
            foreach (LinkReading link in (await LinkReading.AllAsync(appliance)).Values)
            {
                readings[link.Name].Add(link);
            }

            await Task.Delay(Pause);
        }

        AgentReading after = await AgentReading.AtNextAsync(lab);
        output.WriteLine($"frames that the switch could not take: {lab.Mirror.Dropped}");
        List<string> off = [];
        foreach (Provider provider in lab.Providers)
        {
            double truth = GroundTruth.LinkRate(provider, before.Truth, after.Truth, CountedOverhead);
            double mirror = readings[provider.Link].Average(link => link.MirrorBps);
            double agent = AgentReading.Rate(provider, before, after);
            double counter = readings[provider.Link].Average(link => (double)link.CounterBps!.Value);
            string line = $"{provider.Link}: clients {truth / 1e6:F4} Mbit/s, mirror {mirror / truth:P2} of it, agent {agent / truth:P2}, the appliance's rate by it {counter / truth:P2}; last {readings[provider.Link][^1]}";
            output.WriteLine(line);
            if (Math.Abs((mirror / truth) - 1) > Nearness || Math.Abs((agent / truth) - 1) > Nearness || Math.Abs((mirror / agent) - 1) > Nearness || Math.Abs((counter / truth) - 1) > CacheError)
            {
                off.Add(line);
            }
        }

        Assert.Empty(off);
        await Until.ValueAsync(
            "mirror and counter of each link to agree by the appliance's own judgement", async () => string.Join(' ', (await LinkReading.AllAsync(appliance)).Values.Select(link => link.Cause).Distinct()),
            causes => causes == "agree", Scenario.Generous, output);
    });
}
