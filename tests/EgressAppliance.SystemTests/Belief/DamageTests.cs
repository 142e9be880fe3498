using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Belief;

/// <summary>
/// Instruments that lie: each is found out by its cause, moves nothing for the wrong reason, and leaves error bars that the truth is within. To name a cause takes a
/// minute of comparisons, so each case has a lab of its own and all run at the same time: what they wait for is time, not the machine.
/// </summary>
[Collection(Alone.Name)]
public sealed class DamageTests(ITestOutputHelper output)
{
    private const double Mbit = 1e6;

    // Three prefixes of nearly a third of a link each.
    private static readonly LabPrefix[] Thirds = [LabPrefixes.Ipv4[0], LabPrefixes.Ipv6[0], LabPrefixes.Ipv4[1]];
    private static readonly LabOptions Options = new() { MirrorSwitch = true };
    private static readonly ApplianceSettings Settings = new() { MinPrefixShare = "15%", HoldSeconds = 60, PollSeconds = 3 };

    [SystemFact]
    public async Task Damaged_instruments_are_named_and_move_nothing_wrong()
    {
        Dictionary<string, Func<ITestOutputHelper, Task>> cases = new()
        {
            ["loss"] = LoseAFifthAsync,
            ["doubled"] = DoubleAsync,
            ["sampled"] = SampleAsync,
            ["cut"] = CutAsync,
            ["snmp"] = SilenceAgentAsync,
        };

        // One alone, for whoever looks into it: docs/lab.md.
        string? only = Environment.GetEnvironmentVariable("EGRESS_DAMAGE");
        await Task.WhenAll(cases.Where(c => only is null || c.Key == only).Select(c => c.Value(new NamedOutput(output, c.Key))));
    }

    /// <summary>
    /// A fifth of the frames never comes. A is over its threshold by the counter, not by the mirror. B would have room for any of its prefixes by what the mirror shows
    /// of them, not by what they are; C has room.
    /// </summary>
    private static Task LoseAFifthAsync(ITestOutputHelper output) => Lab.RunAsync(output, Options, async lab =>
    {
        const string Words = "of what the counter of isp-a counts";
        lab.Mirror.Set(new MirrorShape { Loss = 0.2 }, lab.Providers);
        Send(lab, 3_270_000);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings with { SmallProvider = 'b', OtherCapacity = "3.4Mbit/s" });
        BeliefCase belief = new(lab, appliance);
        await Until.ValueAsync("a prefix off A", () => belief.MovesAsync(), moves => moves.Count > 0, Scenario.Generous, output);
        await belief.AwaitNamedAsync(lab.A, "mirror_loss", Words);
        await belief.AssertShownAsync(lab.A, "mirror_loss", Words);
        await belief.AssertStatusSaysAsync(Words);
        await belief.AssertCoversAsync([lab.A, lab.C], Thirds);

        // One was enough, and B, which the router prefers, had no room for it.
        IReadOnlyList<string> moves = await belief.MovesAsync();
        output.WriteLine(string.Join('\n', moves));
        Assert.Contains($"{lab.A.Link} → {lab.C.Link}", Assert.Single(moves), StringComparison.Ordinal);
        await Until.ValueAsync(
            "A under its threshold and nothing on B", () => lab.MeasureAsync(TimeSpan.FromSeconds(3)),
            loads => loads[lab.A] is > 5 * Mbit and < 9.5 * Mbit && loads[lab.B] == 0, Scenario.Generous, output);
    });

    /// <summary>Each frame comes twice from the start: an overload by the mirror, three quarters of a link in truth.</summary>
    private static Task DoubleAsync(ITestOutputHelper output) => Lab.RunAsync(output, Options, async lab =>
    {
        const string Words = "2 times what the counter of isp-a counts";
        lab.Mirror.Set(new MirrorShape { Copies = 2 }, lab.Providers);
        Send(lab, 2_500_000);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings, healthy: false);
        BeliefCase belief = new(lab, appliance);
        await belief.AwaitNamedAsync(lab.A, "duplicated", Words);
        await belief.AssertShownAsync(lab.A, "duplicated", Words);
        await belief.AwaitVerdictAsync("frozen_attribution");
        await belief.AssertStatusSaysAsync(Words);
        await belief.SeeOnPageAsync(lab.A, "every frame comes 2 times");
        await belief.AssertCoversAsync([lab.A], Thirds);
        Assert.Empty(await belief.MovesAsync());
        Assert.Empty(await lab.Edge.GetOverridesAsync());
    });

    /// <summary>
    /// One frame in a hundred comes, and nobody says so, while two prefixes are moved: by the mirror there is room for them at home.
    /// </summary>
    private static Task SampleAsync(ITestOutputHelper output) => Lab.RunAsync(output, Options, async lab =>
    {
        const string Words = "of what the counter of isp-a counts: it is sampled";
        using RunningAppliance appliance = await RelievedAsync(lab);
        BeliefCase belief = new(lab, appliance);
        await belief.AwaitCountersAsync(lab.A, lab.B);
        long relieved = await belief.LastCycleAsync();
        lab.Mirror.Set(new MirrorShape { OneIn = 100 }, lab.Providers);
        await belief.AwaitNamedAsync(lab.A, "sudden", "has jumped away from its counter");
        await belief.AssertShownAsync(lab.A, "sudden", "has jumped away from its counter");
        await belief.AssertCoversAsync(lab.Providers, Scenario.Big);

        // About when it is named the inputs have been bad for a minute, and both are given back; then the counters need half a minute to follow.
        await belief.AwaitNamedAsync(lab.A, "sampling", Words);
        await belief.AssertCoversAsync([lab.A], Scenario.Big);
        await belief.AssertShownAsync(lab.A, "sampling", Words);
        await belief.AssertStatusSaysAsync(Words);
        await AssertGivenBackByGraceOnlyAsync(belief, relieved);
    });

    /// <summary>
    /// The port of A leaves the mirror session while two prefixes of A are moved: by the mirror A is empty. Then the mirror's own cable is pulled.
    /// </summary>
    private static Task CutAsync(ITestOutputHelper output) => Lab.RunAsync(output, Options, async lab =>
    {
        const string Words = "shows nothing of what the counter of isp-a counts";
        using RunningAppliance appliance = await RelievedAsync(lab);
        BeliefCase belief = new(lab, appliance);
        await belief.AwaitCountersAsync(lab.A, lab.B);
        long relieved = await belief.LastCycleAsync();
        lab.Mirror.Set(new MirrorShape { Loss = 1 }, lab.A);
        await belief.AwaitNamedAsync(lab.A, "sudden", "has jumped away from its counter");
        await belief.AssertCoversAsync(lab.Providers, []);
        await belief.AwaitNamedAsync(lab.A, "mirror_silent", Words);
        await belief.AssertShownAsync(lab.A, "mirror_silent", Words);
        await belief.AssertStatusSaysAsync(Words);

        lab.Mirror.Set(new MirrorShape { Loss = 1 }, lab.Providers);
        await belief.AssertStatusSaysAsync("Capture source mir0 has delivered nothing");
        await AssertGivenBackByGraceOnlyAsync(belief, relieved);
    });

    /// <summary>The router's agent hangs, and then an overload comes. Before, the mirror doubles for some cycles, which must not be taken for one.</summary>
    private static Task SilenceAgentAsync(ITestOutputHelper output) => Lab.RunAsync(output, Options, async lab =>
    {
        const string Words = "no longer answers for the counter of isp-a";
        Send(lab, 2_500_000);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        BeliefCase belief = new(lab, appliance);
        await belief.AwaitCountersAsync(lab.A);
        lab.Mirror.Set(new MirrorShape { Copies = 2 }, lab.Providers);
        await belief.AwaitNamedAsync(lab.A, "sudden", "has jumped away from its counter");
        await belief.AwaitCyclesAsync(4);
        lab.Mirror.Set(MirrorShape.Whole, lab.Providers);
        await Until.ValueAsync("the doubt to be over", () => LinkReading.OfAsync(appliance, lab.A), link => link.Cause != "sudden", Scenario.Generous, output);
        await belief.AwaitCyclesAsync(3);
        Assert.Empty(await belief.MovesAsync());

        Daemon agent = lab.GetDaemon("edge1-snmpd");
        agent.Signal(PosixSignalNumber.Stop);
        await belief.AwaitNamedAsync(lab.A, "counter_missing", Words);
        await belief.AssertShownAsync(lab.A, "counter_missing", Words);
        await belief.AwaitVerdictAsync("frozen_counters_stale");
        await belief.AssertStatusSaysAsync("interface counters are");
        await belief.AssertCoversAsync([lab.A], Thirds);

        Send(lab, 3_400_000);
        await Until.ValueAsync("the overload to be seen", () => LinkReading.OfAsync(appliance, lab.A), link => link.MirrorBps > 10 * Mbit, Scenario.Generous, output);
        await belief.AwaitCyclesAsync(5);
        Assert.Empty(await belief.MovesAsync());
        Assert.Empty(await lab.Edge.GetOverridesAsync());

        // It wakes up: now the overload is acted on.
        agent.Signal(PosixSignalNumber.Continue);
        await Until.ValueAsync("an override at the router", lab.Edge.GetOverridesAsync, overrides => overrides.Count > 0, Scenario.Generous, output);
    });

    private static void Send(Lab lab, long eachBps)
    {
        foreach (LabPrefix prefix in Thirds)
        {
            lab.Traffic.SetRate(prefix, eachBps);
        }
    }

    /// <summary>An appliance that has moved two prefixes of A.</summary>
    private static async Task<RunningAppliance> RelievedAsync(Lab lab)
    {
        Scenario.SendTooMuch(lab);
        RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.ReliefLimit);
        return appliance;
    }

    /// <summary>Nothing was moved since, and what was given back was so because the grace period was over.</summary>
    private static async Task AssertGivenBackByGraceOnlyAsync(BeliefCase belief, long since)
    {
        Assert.Empty(await belief.MovesAsync(since));
        IReadOnlyList<string> releases = await belief.ReleasesAsync(since);
        belief.Lab.Output.WriteLine(string.Join('\n', releases));
        Assert.All(releases, release => Assert.StartsWith("giving_back: ", release, StringComparison.Ordinal));
    }
}
