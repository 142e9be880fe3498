using System.Diagnostics;
using System.Globalization;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Belief;

/// <summary>
/// What the router's agent says of the octets that left by each link, and what the clients had received, at the moment at which the agent read the kernel's counters.
/// It does so every few seconds, so that an answer alone may be old.
/// </summary>
/// <param name="Truth">What the clients had received then.</param>
/// <param name="Octets">ifHCOutOctets by interface of the router.</param>
internal sealed record AgentReading(GroundTruthReading Truth, IReadOnlyDictionary<string, long> Octets)
{
    private const string IfName = "1.3.6.1.2.1.31.1.1.1.1";
    private const string IfHCOutOctets = "1.3.6.1.2.1.31.1.1.1.10";

    // A busy machine takes its time for a command. What took longer than this says too little about when it was read, and is read again, so many times.
    private const int MostTries = 20;
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(300);

    /// <summary>Waits until the agent has read the counters anew. The links must be busy.</summary>
    public static async Task<AgentReading> AtNextAsync(Lab lab)
    {
        Dictionary<string, string> indexes = (await SnmpAsync(lab, "snmpwalk", IfName))
            .ToDictionary(row => row.Value.Trim('"'), row => row.Name.Split('.')[^1]);
        string[] ports = [.. lab.Providers.Select(provider => provider.EdgeInterface)];
        IReadOnlyDictionary<string, long> first = await OctetsAsync();
        for (int tries = 1; ;)
        {
            long start = Stopwatch.GetTimestamp();
            GroundTruthReading truth = await lab.Truth.ReadAsync();
            IReadOnlyDictionary<string, long> now = await OctetsAsync();
            if (ports.Any(port => now[port] == first[port]))
            {
                continue;
            }

            // Both were read between the answer before and this one.
            if (Stopwatch.GetElapsedTime(start) <= Longest || tries == MostTries)
            {
                return new AgentReading(truth, now);
            }

            first = now;
            tries++;
        }

        async Task<IReadOnlyDictionary<string, long>> OctetsAsync()
        {
            (string Name, string Value)[] rows = await SnmpAsync(lab, "snmpget", [.. ports.Select(port => $"{IfHCOutOctets}.{indexes[port]}")]);
            return ports.Zip(rows).ToDictionary(pair => pair.First, pair => long.Parse(pair.Second.Value, CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Rate of a link by the agent between two readings, bit/s.</summary>
    public static double Rate(Provider provider, AgentReading before, AgentReading after) =>
        (after.Octets[provider.EdgeInterface] - before.Octets[provider.EdgeInterface]) * 8 / Stopwatch.GetElapsedTime(before.Truth.Timestamp, after.Truth.Timestamp).TotalSeconds;

    private static async Task<(string Name, string Value)[]> SnmpAsync(Lab lab, string tool, params string[] oids) =>
        [.. (await lab.ApplianceNetwork.RunAsync([tool, "-v2c", "-c", SnmpAgent.Community, "-Onq", "-t", "5", lab.Sites[0].Address, .. oids]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2)).Select(parts => (parts[0], parts[1].Trim()))];
}
