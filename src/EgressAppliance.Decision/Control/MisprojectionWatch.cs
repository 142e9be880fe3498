using System.Globalization;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Control;

/// <summary>
/// Compares what is projected with what is seen, cycle by cycle. Everything the planner does rests on the projection: that without an override a prefix leaves
/// by its first path, and with one by the override's. If the router does otherwise (a weight, a policy, another controller), or if a counter lies, plans are
/// made about a network that does not exist. One cycle proves nothing, since routers and estimates take time to follow; a difference that stays is an alarm,
/// and the alarm stays until the difference has been gone for as long.
/// </summary>
/// <param name="limit">Difference as a share of a link's capacity, 0–1, that is too much.</param>
/// <param name="cycles">Cycles in a row that raise or end the alarm.</param>
/// <param name="settling">Overrides younger than this may still be on their way.</param>
internal sealed class MisprojectionWatch(double limit, int cycles, TimeSpan settling)
{
    private int _run;

    /// <summary>True while plans are not to be made.</summary>
    public bool Alarm { get; private set; }

    /// <summary>What differed in the latest cycle, in words.</summary>
    public IReadOnlyList<string> Differences { get; private set; } = [];

    /// <summary>What is remembered.</summary>
    public MisprojectionState State => new(_run, Alarm, Differences);

    /// <summary>Goes on from what another one remembered.</summary>
    public void Restore(MisprojectionState state) => (_run, Alarm, Differences) = (state.Run, state.Alarm, state.Differences);

    /// <summary>Notes a cycle.</summary>
    /// <param name="input">What was seen.</param>
    /// <param name="snapshot">What was projected from: the overrides in force with their ages.</param>
    /// <param name="plan">The projection.</param>
    /// <param name="inForce">The overrides are in force, not just proposed.</param>
    public void Note(CycleInput input, DecisionSnapshot snapshot, Plan plan, bool inForce)
    {
        if (plan.Links.Count == 0)
        {
            return;
        }

        List<string> differences = [];
        ByCounter(snapshot, plan, inForce, differences);
        ByMirror(input, inForce ? snapshot : snapshot with { Overrides = [] }, differences);
        Differences = differences;
        _run = differences.Count > 0 != Alarm ? _run + 1 : 0;
        if (_run >= cycles)
        {
            Alarm = !Alarm;
            _run = 0;
        }
    }

    private void ByCounter(DecisionSnapshot snapshot, Plan plan, bool inForce, List<string> differences)
    {
        Dictionary<string, long> projected = plan.Links.ToDictionary(l => l.Name, l => inForce ? l.CurrentBps : l.NativeBps, StringComparer.Ordinal);
        long unsettled = inForce ? Unsettled(snapshot) : 0;
        foreach (LinkState link in snapshot.Links)
        {
            // A counter cannot exceed the capacity. What is offered beyond it is dropped behind the mirror: an overload rather than a contradiction.
            if (link is { Up: true, MeasuredBps: { } counted } && Math.Abs(Math.Min(projected[link.Name], Math.Max(counted, link.CapacityBps)) - counted) > (limit * link.CapacityBps) + unsettled)
            {
                differences.Add($"{link.Name} should carry {Mbit(projected[link.Name])}, its counter says {Mbit(counted)}");
            }
        }
    }

    /// <summary>Rate of overrides that may still be on their way, and so be on either link.</summary>
    private long Unsettled(DecisionSnapshot snapshot)
    {
        HashSet<IpPrefix> young = [.. snapshot.Overrides.Where(o => o.AgeSeconds < settling.TotalSeconds).Select(o => o.Prefix)];
        return young.Count == 0 ? 0 : snapshot.Prefixes.Where(d => young.Contains(d.Prefix)).Sum(d => d.RateBps);
    }

    private void ByMirror(CycleInput input, DecisionSnapshot snapshot, List<string> differences)
    {
        if (input.ObservedLinks.Count == 0)
        {
            return;
        }

        Dictionary<string, LinkState> links = snapshot.Links.ToDictionary(l => l.Name, StringComparer.Ordinal);
        Dictionary<IpPrefix, ActiveOverride> overrides = snapshot.Overrides.ToDictionary(o => o.Prefix);
        Dictionary<string, (long Bps, IpPrefix Largest, long LargestBps)> astray = new(StringComparer.Ordinal);
        foreach (PrefixDemand demand in snapshot.Prefixes)
        {
            if (!input.ObservedLinks.TryGetValue(demand.Prefix, out string? seen))
            {
                continue;
            }

            string? expected = demand.Paths.FirstOrDefault(p => !links.TryGetValue(p, out LinkState? link) || link.Up);
            if (overrides.TryGetValue(demand.Prefix, out ActiveOverride? over))
            {
                if (over.AgeSeconds < settling.TotalSeconds)
                {
                    continue;
                }

                expected = over.Link;
            }

            if (expected is not null && expected != seen && links.ContainsKey(expected))
            {
                (long bps, IpPrefix largest, long largestBps) = astray.GetValueOrDefault(expected);
                astray[expected] = demand.RateBps > largestBps
                    ? (bps + demand.RateBps, demand.Prefix, demand.RateBps)
                    : (bps + demand.RateBps, largest, largestBps);
            }
        }

        foreach ((string name, (long bps, IpPrefix largest, _)) in astray.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            if (bps > limit * links[name].CapacityBps)
            {
                differences.Add($"{Mbit(bps)} that should leave by {name} leave by other links, most of it to {largest}");
            }
        }
    }

    private static string Mbit(long bps) => (bps / 1e6).ToString("0.#", CultureInfo.InvariantCulture) + " Mbit/s";
}
