using System.Collections.Concurrent;
using System.Globalization;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Belief;

/// <summary>Counters that begin anew under other numbers, and a port that goes down: rates and capacities that are right or unknown, in every reading.</summary>
public sealed class RouterRestartTests(ITestOutputHelper output)
{
    private const long CapacityBps = 10_000_000;
    private const long RateBps = 4_000_000;

    // What a rate over half a minute may exceed a steady one by.
    private const double Spike = 1.1;
    private const double Right = 0.05;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    [SystemFact]
    public Task Restart_with_other_numbers_and_a_port_down_give_no_spike() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        LabPrefix byA = LabPrefixes.Ipv4[0];
        LabPrefix byB = LabPrefixes.Ipv6[0];
        await lab.A.WithdrawAsync(byB);
        lab.Traffic.SetRate(byA, RateBps);
        lab.Traffic.SetRate(byB, RateBps);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(
            lab, new ApplianceSettings { Mode = "observe", Capacity = "auto", OtherCapacity = "auto", PollSeconds = 3 });
        using CancellationTokenSource stop = new();
        List<string> spikes = [];
        ConcurrentDictionary<string, bool> polls = [];
        Task watching = WatchAsync(appliance, spikes, polls, stop.Token);
        await AwaitRightAsync(appliance, lab.A, lab.B);

        Daemon agent = lab.GetDaemon("edge1-snmpd");
        agent.Signal(PosixSignalNumber.Terminate);
        await agent.WaitForExitAsync(Scenario.Generous);
        int before = await IndexAsync(lab, lab.A);
        await Wiring.RecableAsync(lab.Sites[0], lab.A);
        Assert.NotEqual(before, await IndexAsync(lab, lab.A));
        await Until.ValueAsync($"{byA} by A again", () => lab.GetEgressInterfaceAsync(byA), device => device == lab.A.EdgeInterface, Scenario.Generous, output);
        GroundTruthReading back = await lab.Truth.ReadAsync();
        await Until.TrueAsync(
            $"{byA} to arrive by A", async () => (await lab.Truth.ReadAsync()).Of(lab.A, byA).Packets > back.Of(lab.A, byA).Packets + 100, Scenario.Generous, output);
        lab.Adopt(await SnmpAgent.StartAsync(lab.Sites[0], CapacityBps));
        await Until.ValueAsync(
            "the restart to be noticed", async () => (await LinkReading.AllAsync(appliance)).Values, links => links.All(link => link.CounterBps is null), Scenario.Generous, output, Pause);
        int from = polls.Count;
        await AwaitRightAsync(appliance, lab.A, lab.B);
        output.WriteLine($"right again {polls.Count - from} polls after the one that noticed it");

        await lab.EdgeNetwork.IpAsync($"link set {lab.B.EdgeInterface} down");
        await Until.ValueAsync("B to be down", () => LinkReading.OfAsync(appliance, lab.B), link => link.OperStatus is "down" or "lower_layer_down", Scenario.Generous, output);
        await Until.ValueAsync(
            "B's rate to be none, and its capacity as before", () => LinkReading.OfAsync(appliance, lab.B), link => link is { CounterBps: null or 0, CapacityBps: CapacityBps }, Scenario.Generous, output);
        await stop.CancelAsync();
        await watching;
        Assert.True(spikes.Count == 0, string.Join('\n', spikes.Distinct()));
    });

    /// <summary>Looks at each reading of the API, not only at the last.</summary>
    private static async Task WatchAsync(RunningAppliance appliance, List<string> spikes, ConcurrentDictionary<string, bool> polls, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            polls.TryAdd((await appliance.GetAsync("status")).GetProperty("snmp")[0].GetProperty("last_poll").ToString(), true);
            foreach (LinkReading link in (await LinkReading.AllAsync(appliance)).Values)
            {
                if (link.CounterBps > Spike * RateBps || link.CapacityBps is not (0 or CapacityBps))
                {
                    spikes.Add(link.ToString());
                }
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task AwaitRightAsync(RunningAppliance appliance, params Provider[] providers) => await Until.ValueAsync(
        "rates and capacities of " + string.Join(" and ", providers.Select(provider => provider.Link)),
        async () =>
        {
            IReadOnlyDictionary<string, LinkReading> links = await LinkReading.AllAsync(appliance);
            return string.Join("; ", providers.Select(provider => links[provider.Link]).Where(link =>
                link.CapacityBps != CapacityBps || link.CounterBps is not { } counter || Math.Abs(counter - RateBps) > Right * RateBps));
        },
        wrong => wrong.Length == 0, Scenario.Generous, output);

    private static async Task<int> IndexAsync(Lab lab, Provider provider) => int.Parse(
        await lab.EdgeNetwork.RunAsync("cat", $"/sys/class/net/{provider.EdgeInterface}/ifindex"), CultureInfo.InvariantCulture);
}
