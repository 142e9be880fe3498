using System.Diagnostics;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>What happens to the traffic when something breaks while overrides are in force: plain BGP, soon.</summary>
public sealed class FailureTests(ITestOutputHelper output)
{
    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(9);

    // The router's timer may start a keepalive interval late, and the machine is shared.
    private static readonly TimeSpan HoldMargin = TimeSpan.FromSeconds(10);
    private static readonly ApplianceSettings Settings = new() { MinPrefixShare = "15%", HoldSeconds = 30 };

    [SystemFact]
    public Task Killed_appliance_leaves_plain_bgp_and_starts_again() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.OverloadAndAwaitReliefAsync(lab);
        appliance.Process.Signal(PosixSignalNumber.Kill);
        TimeSpan took = await Scenario.AwaitNativeAsync(lab, HoldTime);
        output.WriteLine($"native {took.TotalMilliseconds:F0} ms after SIGKILL");
        await Scenario.AwaitOverridesAsync(lab, [], HoldTime);

        using RunningAppliance again = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.ReliefLimit);
    });

    [SystemFact]
    public Task Frozen_appliance_loses_its_routes_within_the_hold_time() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.OverloadAndAwaitReliefAsync(lab);
        appliance.Process.Signal(PosixSignalNumber.Stop);
        TimeSpan took = await Scenario.AwaitNativeAsync(lab, HoldTime + HoldMargin);
        output.WriteLine($"native {took.TotalSeconds:F1} s after SIGSTOP");
        await Scenario.AwaitOverridesAsync(lab, [], Scenario.WithdrawalLimit);

        // Thawed, it finds its session gone and must begin anew, not carry on with what it believed.
        appliance.Process.Signal(PosixSignalNumber.Continue);
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.Generous);
    });

    [SystemFact]
    public Task Path_withdrawn_under_an_override_on_frr_is_left_within_a_second() => LosePathAsync(EdgeSoftware.Frr);

    [SystemFact]
    public Task Path_withdrawn_under_an_override_on_bird_is_left_within_a_second() => LosePathAsync(EdgeSoftware.Bird);

    [SystemFact]
    public Task Terminated_appliance_withdraws_and_exits_with_zero() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.OverloadAndAwaitReliefAsync(lab);
        appliance.Process.Signal(PosixSignalNumber.Terminate);
        TimeSpan took = await Scenario.AwaitNativeAsync(lab, Scenario.WithdrawalLimit);
        output.WriteLine($"native {took.TotalMilliseconds:F0} ms after SIGTERM");
        Assert.Equal(0, await appliance.Process.WaitForExitAsync(Scenario.Generous));
        Assert.Empty(await lab.Edge.GetOverridesAsync());
        Assert.False((await lab.Edge.GetSessionAsync()).Established);
    });

    // The router itself drops routes over a dead port; the appliance has to find the third way.
    [SystemFact]
    public Task Port_down_under_overrides_leads_to_the_remaining_provider() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.OverloadAndAwaitReliefAsync(lab);
        Provider dead = await Scenario.GetProviderAsync(lab, Scenario.Big[0]);
        Provider remaining = lab.Providers.Single(provider => provider != lab.A && provider != dead);
        await lab.EdgeNetwork.IpAsync($"link set {dead.EdgeInterface} down");
        await Until.ValueAsync(
            $"{Scenario.Big[0]} off the dead port", () => lab.GetEgressInterfaceAsync(Scenario.Big[0]), device => device != dead.EdgeInterface, Scenario.WithdrawalLimit, output, TimeSpan.Zero);
        foreach (LabPrefix prefix in Scenario.Big)
        {
            await Until.ValueAsync($"{prefix} by {remaining.Link}", () => lab.GetEgressInterfaceAsync(prefix), device => device == remaining.EdgeInterface, Scenario.Generous, output);
        }

        await Scenario.AssertRelievedAsync(lab);
    });

    [SystemFact]
    public Task Restarted_router_is_learned_anew_and_relieved_again() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.OverloadAndAwaitReliefAsync(lab);
        Daemon bgpd = lab.GetDaemon("edge1-bgpd");
        bgpd.Signal(PosixSignalNumber.Kill);
        await bgpd.WaitForExitAsync(Scenario.Generous);
        lab.Adopt(((FrrRouter)lab.Edge).StartBgpd());
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.Generous);
        foreach (LabPrefix prefix in Scenario.Big)
        {
            await Until.ValueAsync($"{prefix} off A again", () => lab.GetEgressInterfaceAsync(prefix), device => device.Length > 0 && device != lab.A.EdgeInterface, Scenario.Generous, output);
        }

        await Scenario.AssertRelievedAsync(lab);
        Assert.False(appliance.Process.HasExited);
    });

    // A busy host, a collector of garbage or a hypervisor holds every process up now and then. What queues up meanwhile must not look
    // like a burst of traffic afterwards: steady demands need no further move.
    [SystemFact]
    public Task Stalls_of_the_appliance_move_nothing_further() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        Scenario.SendTooMuch(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { HoldSeconds = 60 });
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.ReliefLimit);
        for (int stall = 0; stall < 10; stall++)
        {
            appliance.Process.Signal(PosixSignalNumber.Stop);
            await Task.Delay(TimeSpan.FromMilliseconds(600));
            appliance.Process.Signal(PosixSignalNumber.Continue);

            // Not a multiple of the cycle, so that stalls meet it in different phases.
            await Task.Delay(TimeSpan.FromMilliseconds(1730));
            Assert.Equal(Scenario.BigNames, await lab.Edge.GetOverridesAsync());
        }
    });

    private Task LosePathAsync(EdgeSoftware software) => Lab.RunAsync(output, new LabOptions { Edge = software }, async lab =>
    {
        Scenario.SendLittle(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, Settings);
        await Scenario.OverloadAndAwaitReliefAsync(lab);
        foreach (LabPrefix prefix in Scenario.Big)
        {
            Provider provider = await Scenario.GetProviderAsync(lab, prefix);
            long sent = lab.Traffic.Sent(prefix);
            long received = (await lab.Truth.ReadAsync()).PacketsOf(prefix);
            long start = Stopwatch.GetTimestamp();
            await provider.WithdrawAsync(prefix);
            await Until.ValueAsync(
                $"{prefix} off {provider.Link}, which withdrew it", () => lab.GetEgressInterfaceAsync(prefix),
                device => device != provider.EdgeInterface, Scenario.WithdrawalLimit - Stopwatch.GetElapsedTime(start), output, TimeSpan.Zero);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            GroundTruthReading after = await lab.Truth.ReadAsync();
            await Until.TrueAsync(
                $"{prefix} to arrive again", async () => (await lab.Truth.ReadAsync()).PacketsOf(prefix) > after.PacketsOf(prefix) + 100, Scenario.Generous, output);
            long lost = lab.Traffic.Sent(prefix) - sent - ((await lab.Truth.ReadAsync()).PacketsOf(prefix) - received);
            output.WriteLine($"{prefix}: off the dead path {took.TotalMilliseconds:F0} ms after the provider was told to withdraw it; {lost} packets lost");

            // The router must not be left with a route to where nothing goes.
            Assert.DoesNotContain(await lab.Edge.GetPathsAsync(prefix), path => path.FromAppliance && path.AsPath == provider.AsPath);
        }
    });
}
