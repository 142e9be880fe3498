using System.Diagnostics;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>
/// The load that most tests use, on links of 10 Mbit/s with threshold 9.5, ceiling 9.0 and release 8.5 Mbit/s. All of it is native
/// to A:
///
///     big IPv4 3.4 + big IPv6 3.3 + medium 1.2 + 23 small × 0.3 = 14.8 Mbit/s
///
/// 5.3 Mbit/s must go. No single prefix and no other pair is enough (3.4 + 1.2 = 4.6), the two big ones are (6.7): the fewest moves
/// are exactly these two. They leave A with 8.1 and fit together or apart on B and C. The margins are 5 % or more of the load.
/// </summary>
internal static class Scenario
{
    /// <summary>When to give up on the relief of an overload. What it took is printed; a busy machine must not fail the test.</summary>
    public static readonly TimeSpan ReliefLimit = TimeSpan.FromSeconds(45);

    /// <summary>
    /// When to give up on a withdrawal reaching the router's kernel. What it took is printed; this only tells a withdrawal from a hold timer that expires.
    /// </summary>
    public static readonly TimeSpan WithdrawalLimit = TimeSpan.FromSeconds(5);

    /// <summary>For what has no limit of its own.</summary>
    public static readonly TimeSpan Generous = TimeSpan.FromSeconds(90);

    private const double Mbit = 1e6;
    private const double Threshold = 9.5 * Mbit;
    private const double Ceiling = 9.0 * Mbit;

    /// <summary>The prefixes that must move.</summary>
    public static IReadOnlyList<LabPrefix> Big { get; } = [LabPrefixes.Ipv4[0], LabPrefixes.Ipv6[0]];

    /// <summary>The same, as the router and the API name them.</summary>
    public static IReadOnlyList<string> BigNames { get; } = [.. Big.Select(prefix => prefix.Prefix).Order(StringComparer.Ordinal)];

    private static LabPrefix Medium => LabPrefixes.Ipv4[1];

    private static IReadOnlyList<LabPrefix> Small { get; } = [.. LabPrefixes.Ipv4.Skip(2).Take(12), .. LabPrefixes.Ipv6.Skip(1).Take(11)];

    /// <summary>A load that needs nothing: 2.9 Mbit/s.</summary>
    public static void SendLittle(Lab lab) => Send(lab, 200_000, 200_000, 200_000, 100_000);

    /// <summary>The load above without what the big prefixes bring it over the threshold by: 8.5 Mbit/s.</summary>
    public static void SendEnough(Lab lab) => Send(lab, 200_000, 200_000, 1_200_000, 300_000);

    /// <summary>The load above: 14.8 Mbit/s.</summary>
    public static void SendTooMuch(Lab lab) => Send(lab, 3_400_000, 3_300_000, 1_200_000, 300_000);

    /// <summary>Puts the overload on and waits until both big prefixes have left A in the router's kernel.</summary>
    public static async Task OverloadAndAwaitReliefAsync(Lab lab)
    {
        SendTooMuch(lab);
        long onset = Stopwatch.GetTimestamp();
        await AwaitOverridesAsync(lab, BigNames, ReliefLimit);
        foreach (LabPrefix prefix in Big)
        {
            await Until.ValueAsync(
                $"{prefix} off {lab.A.EdgeInterface} in the kernel", () => lab.GetEgressInterfaceAsync(prefix),
                device => device != lab.A.EdgeInterface, ReliefLimit - Stopwatch.GetElapsedTime(onset), lab.Output);
        }

        lab.Output.WriteLine($"relieved {Stopwatch.GetElapsedTime(onset).TotalSeconds:F2} s after the onset");
    }

    /// <summary>Waits until the router holds exactly these prefixes from the appliance.</summary>
    public static Task AwaitOverridesAsync(Lab lab, IReadOnlyList<string> expected, TimeSpan limit, TimeSpan? pause = null) => Until.ValueAsync(
        expected.Count == 0 ? "no route from the appliance at the router" : $"exactly {string.Join(" and ", expected)} from the appliance at the router",
        async () => string.Join(' ', await lab.Edge.GetOverridesAsync()), seen => seen == string.Join(' ', expected), limit, lab.Output, pause);

    /// <summary>Waits, asking as fast as it can, until the kernel sends these prefixes by A; returns how long the last one took.</summary>
    public static async Task<TimeSpan> AwaitNativeAsync(Lab lab, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (LabPrefix prefix in Big)
        {
            await Until.ValueAsync($"{prefix} back by A in the kernel", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.A.EdgeInterface, limit, lab.Output, TimeSpan.Zero);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>The provider by which the kernel sends a prefix now.</summary>
    public static async Task<Provider> GetProviderAsync(Lab lab, LabPrefix prefix)
    {
        string device = await lab.GetEgressInterfaceAsync(prefix);
        return lab.Providers.Single(provider => provider.EdgeInterface == device);
    }

    /// <summary>
    /// Measures at the clients that A is under its threshold and the others at or under their ceiling. A busy machine starves the generator now and then, so it is measured until
    /// one reading has all of it; what is moved to nowhere never comes back.
    /// </summary>
    public static async Task AssertRelievedAsync(Lab lab)
    {
        await Until.ValueAsync(
            "all traffic at the clients, A under its threshold, the others at or under their ceiling", MeasureAsync,
            loads => loads.A is >= 7.0 * Mbit and <= Threshold && loads.B <= Ceiling && loads.C <= Ceiling && loads.A + loads.B + loads.C is >= 13.2 * Mbit and <= 16.2 * Mbit,
            Generous, lab.Output);

        async Task<(double A, double B, double C)> MeasureAsync()
        {
            IReadOnlyDictionary<Provider, double> loads = await lab.MeasureAsync(TimeSpan.FromSeconds(3));
            return (loads[lab.A], loads[lab.B], loads[lab.C]);
        }
    }

    private static void Send(Lab lab, long big4, long big6, long medium, long small)
    {
        lab.Traffic.SetRate(Big[0], big4);
        lab.Traffic.SetRate(Big[1], big6);
        lab.Traffic.SetRate(Medium, medium);
        foreach (LabPrefix prefix in Small)
        {
            lab.Traffic.SetRate(prefix, small);
        }
    }
}
