using System.Collections;
using System.Collections.Frozen;
using System.Runtime.InteropServices;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>
/// The snapshot in numbers: links sorted by name, limits as whole bit/s, where each prefix goes natively and by which override.
/// Everything that the planner computes starts from here; nothing here depends on the order of the snapshot's lists.
/// </summary>
internal sealed class Projection
{
    private readonly IReadOnlyList<PrefixDemand> _demands;
    private readonly BitArray _overridden;
    private readonly Dictionary<int, OverrideCase> _overrideOf;
    private readonly FrozenDictionary<string, int> _index;
    private readonly long[] _leastBps;
    private readonly HashSet<IpPrefix> _quarantined;
    private long? _bound;

    /// <param name="snapshot">The inputs.</param>
    /// <param name="options">Limits and policies.</param>
    /// <param name="index">Where the snapshot's prefixes are in their list; not kept.</param>
    public Projection(DecisionSnapshot snapshot, PlannerOptions options, PrefixIndex index)
    {
        Options = options;
        Links = [.. snapshot.Links.OrderBy(l => l.Name, StringComparer.Ordinal)];
        Limits = new LinkLimits[Links.Length];
        Native = new long[Links.Length];
        for (int i = 0; i < Links.Length; i++)
        {
            Limits[i] = LinkLimits.Of(Links[i], options.ReliefMargin);
            Native[i] = Links[i].Up ? Links[i].ResidualBps : 0;
            TotalBps += Links[i].ResidualBps;
        }

        _index = Links.Select((link, i) => KeyValuePair.Create(link.Name, i)).ToFrozenDictionary(StringComparer.Ordinal);
        _leastBps = [.. Links.Select(l => options.NoCaps ? 0 : LinkLimits.Part(l.CapacityBps, options.MinPrefixShare))];
        _quarantined = [.. snapshot.Quarantined];
        _demands = ListSpan.Held(snapshot.Prefixes);
        ReadOnlySpan<PrefixDemand> demands = Demands;
        NativeLink = new int[demands.Length];
        List<int> pins = [];
        for (int i = 0; i < demands.Length; i++)
        {
            int native = NativeOf(demands[i]);
            NativeLink[i] = native;
            TotalBps += demands[i].RateBps;
            if (native >= 0)
            {
                Native[native] += demands[i].RateBps;
            }

            if (demands[i].Policy is { Action: PolicyAction.Pin } pin && demands[i].RateBps > 0 && native >= 0 && Links[native].Name != pin.Links[0])
            {
                pins.Add(i);
            }
        }

        Overrides = [.. snapshot.Overrides.OrderBy(o => o.Prefix).Select(o => new OverrideCase(o))];
        _overridden = new(demands.Length);
        _overrideOf = new(Overrides.Length);
        foreach (OverrideCase over in Overrides)
        {
            over.Demand = index.Find(demands, over.Active.Prefix);
            if (over.Demand >= 0)
            {
                over.Native = NativeLink[over.Demand];
                over.RateBps = demands[over.Demand].RateBps;
                over.FitBps = FitOf(demands[over.Demand]);
                _overridden[over.Demand] = true;
                _overrideOf[over.Demand] = over;
            }

            Judge(over);
        }

        pins.RemoveAll(i => OverrideOf(i) is { Fixed: ReasonCode.Pinned });
        DemandOrder.Sort(this, CollectionsMarshal.AsSpan(pins), i => i);
        Pins = pins;
    }

    /// <summary>The projection of a snapshot that was checked before, or does not need to be.</summary>
    public static Projection Of(DecisionSnapshot snapshot, PlannerOptions options)
    {
        ReadOnlySpan<PrefixDemand> demands = ListSpan.Of(ListSpan.Held(snapshot.Prefixes));
        using PrefixIndex index = new(demands.Length);
        for (int i = 0; i < demands.Length; i++)
        {
            index.TryAdd(demands, i);
        }

        return new Projection(snapshot, options, index);
    }

    public PlannerOptions Options { get; }

    /// <summary>Sorted by name.</summary>
    public LinkState[] Links { get; }

    public LinkLimits[] Limits { get; }

    /// <summary>Load of each link without our overrides.</summary>
    public long[] Native { get; }

    public ReadOnlySpan<PrefixDemand> Demands => ListSpan.Of(_demands);

    /// <summary>Native link of each demand, or −1 when none of its paths has a link of ours that is up.</summary>
    public int[] NativeLink { get; }

    /// <summary>Overrides sorted by prefix.</summary>
    public OverrideCase[] Overrides { get; }

    /// <summary>Demands with traffic that a policy pins to a link that is not their native one, largest first; those that an operator has moved are not among them.</summary>
    public List<int> Pins { get; }

    /// <summary>All traffic of the snapshot, for the caps on shares.</summary>
    public long TotalBps { get; }

    /// <summary>What no assignment can have less overload than; computed when first asked for.</summary>
    public long OverloadLowerBoundBps => _bound ??= OverloadBound.Compute(this);

    /// <summary>The override of a demand. Nearly all have none, and to see that takes no look-up.</summary>
    public OverrideCase? OverrideOf(int demand) => _overridden[demand] ? _overrideOf[demand] : null;

    public int IndexOf(string link) => _index.TryGetValue(link, out int index) ? index : -1;

    /// <summary>
    /// The link that plain BGP uses: the first path, or the first one whose link is up (the router already fell back to it).
    /// A path by a link that is not ours ends the search: the traffic is not on any of our links.
    /// </summary>
    public int NativeOf(PrefixDemand demand)
    {
        foreach (string path in ListSpan.Of(demand.Paths))
        {
            int link = IndexOf(path);
            if (link < 0 || Links[link].Up)
            {
                return link;
            }
        }

        return -1;
    }

    /// <summary>Why a demand may not be moved off <paramref name="link"/> whatever the paths, or <see cref="ReasonCode.None"/>.</summary>
    public ReasonCode Immovable(PrefixDemand demand, int link)
    {
        switch (demand.Policy)
        {
            case { Action: PolicyAction.Deny }:
                return ReasonCode.DeniedByPolicy;
            case { Action: PolicyAction.Pin } pin when Links[link].Name == pin.Links[0]:
                return ReasonCode.PinnedByPolicy;
            case { Action: PolicyAction.Pin } when PinObstacle(demand) is var obstacle && obstacle != ReasonCode.None:
                return obstacle;
            default:
                break;
        }

        if (IsQuarantined(demand.Prefix))
        {
            return ReasonCode.Quarantined;
        }

        return demand.RateBps < _leastBps[link] ? ReasonCode.TooSmall : ReasonCode.None;
    }

    /// <summary>The link that a policy pins a demand to, −1 if none or unknown.</summary>
    public int PinOf(PrefixDemand demand) => demand.Policy is { Action: PolicyAction.Pin } pin ? IndexOf(pin.Links[0]) : -1;

    /// <summary>Why a demand that is pinned cannot be on its link, whatever room there is, or <see cref="ReasonCode.None"/>.</summary>
    public ReasonCode PinObstacle(PrefixDemand demand)
    {
        string name = demand.Policy!.Links[0];
        int link = IndexOf(name);
        return link < 0 ? ReasonCode.UnknownLink
            : !demand.Paths.Contains(name, StringComparer.Ordinal) ? ReasonCode.PinHasNoPath
            : !Links[link].Up ? ReasonCode.LinkDown
            : Links[link].Drain ? ReasonCode.Drained
            : ReasonCode.None;
    }

    /// <summary>True if moving the prefix failed a short while ago.</summary>
    public bool IsQuarantined(IpPrefix prefix) => _quarantined.Contains(prefix);

    /// <summary>By how much the native load of a link was higher at its highest in the last minutes than now.</summary>
    public long SwingBps(int link) => Math.Max(0, (Links[link].NativePeakBps ?? 0) - Native[link]);

    /// <summary>True if nothing makes a demand <see cref="Immovable"/>; the rate is looked at first.</summary>
    public bool MayMove(PrefixDemand demand, int link) =>
        demand.RateBps >= _leastBps[link] && Immovable(demand, link) == ReasonCode.None;

    /// <summary>
    /// What a release is judged by. Relief goes by the rate, which rises within seconds, since a link is full now; giving back too early means moving again, so it waits
    /// until rate and mean agree that the prefix is small, and reckons with what may have been missed of it.
    /// </summary>
    private static long FitOf(PrefixDemand demand)
    {
        long bps = Math.Max(demand.RateBps, demand.MeanBps);
        return demand.ErrorRatio is { } error and > 0 ? bps + LinkLimits.Part(bps, error) : bps;
    }

    /// <summary>Decides whether an override can go on at all, and if so whether it is free to be changed.</summary>
    private void Judge(OverrideCase over)
    {
        over.Link = IndexOf(over.Active.Link);
        PrefixPolicy? policy = over.Demand >= 0 ? Demands[over.Demand].Policy : null;
        bool aged = over.Active.AgeSeconds >= Options.Hold.TotalSeconds;
        if (over.Link < 0)
        {
            over.Lost = ReasonCode.PathGone;
        }
        else if (!Links[over.Link].Up)
        {
            over.Lost = ReasonCode.LinkDown;
        }
        else if (over.Demand >= 0 && !Demands[over.Demand].Paths.Contains(over.Active.Link, StringComparer.Ordinal))
        {
            over.Lost = ReasonCode.PathGone;
        }
        else if (over.Active.Pinned)
        {
            over.Fixed = ReasonCode.Pinned;
        }
        else if (Links[over.Link].Drain)
        {
            over.Lost = ReasonCode.Drained;
        }
        else if (policy is { Action: PolicyAction.Deny })
        {
            over.Lost = ReasonCode.DeniedByPolicy;
        }
        else if (policy is { Action: PolicyAction.Pin } && policy.Links[0] != over.Active.Link)
        {
            over.Lost = ReasonCode.PinnedByPolicy;
        }
        else if (over.Native == over.Link)
        {
            over.Lost = ReasonCode.AlreadyNative;
        }
        else if (policy is { Action: PolicyAction.Pin })
        {
            over.Fixed = ReasonCode.PinnedByPolicy;
        }
        else if (aged && over.RateBps == 0)
        {
            over.Lost = ReasonCode.NoRate;
        }
        else if (!aged)
        {
            over.Fixed = ReasonCode.InHold;
        }
        else if (over.Active.Damped)
        {
            over.Fixed = ReasonCode.Damped;
        }
        else if (over.Active.ForCost)
        {
            over.Fixed = ReasonCode.SavesCost;
        }
    }
}
