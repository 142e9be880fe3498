using System.Runtime.InteropServices;
using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Decision.Planner;

/// <summary>
/// A lower bound of the overload that remains whatever is moved: prefixes may be split at will over their usable paths, caps and hold are
/// ignored, chains of moves over several links are allowed. A prefix that a policy pins can be on its native link and on that of the policy, one that may not be moved on its native link only. Each link can carry, without adding overload, at most its threshold; less if it
/// would have to be entered beyond its ceiling for that: then the larger of its ceiling and what it carries when nothing new enters (its
/// native load and the overrides on it now). What a maximum flow from prefixes to links leaves over is the bound. It is computed only when
/// overload remains.
/// </summary>
internal static class OverloadBound
{
    // Links beyond this many share one bit of the mask, which only loosens the bound.
    private const int MaskBits = 64;

    public static long Compute(Projection projection)
    {
        int links = projection.Links.Length;
        long[] capacity = new long[Math.Min(links, MaskBits)];
        long fixedOverload = 0;
        long[] immovable = new long[links];
        Dictionary<ulong, long> groups = [];
        for (int l = 0; l < links; l++)
        {
            immovable[l] = projection.Links[l].Up ? projection.Links[l].ResidualBps : 0;
        }

        long[] unentered = (long[])projection.Native.Clone();
        foreach (OverrideCase over in projection.Overrides.Where(o => o.Lost == ReasonCode.None))
        {
            unentered[over.Link] += over.RateBps;
        }

        for (int i = 0; i < projection.Demands.Length; i++)
        {
            Add(projection, i, immovable, groups);
        }

        for (int l = 0; l < links; l++)
        {
            LinkLimits limits = projection.Limits[l];
            long most = Math.Min(limits.ThresholdBps, Math.Max(limits.EnterBps, unentered[l]));
            fixedOverload += Math.Max(0, immovable[l] - most);
            capacity[Bit(l)] += Math.Max(0, most - immovable[l]);
        }

        return fixedOverload + GroupFlow.Unplaced(groups, capacity);
    }

    private static int Bit(int link) => Math.Min(link, MaskBits - 1);

    private static void Add(Projection projection, int index, long[] immovable, Dictionary<ulong, long> groups)
    {
        PrefixDemand demand = projection.Demands[index];
        int native = projection.NativeLink[index];
        OverrideCase? over = projection.OverrideOf(index);
        int place = over is { Lost: ReasonCode.None, Fixed: ReasonCode.Pinned } ? over.Link : native;
        if (place < 0)
        {
            if (over is not { Lost: ReasonCode.None })
            {
                return;
            }

            place = over.Link;
        }

        bool pinned = demand.Policy is { Action: PolicyAction.Pin };
        bool stays = demand.Policy is { Action: PolicyAction.Deny } || (pinned && projection.PinObstacle(demand) != ReasonCode.None);
        if (over is { Fixed: ReasonCode.Pinned, Lost: ReasonCode.None } || stays)
        {
            immovable[place] += demand.RateBps;
            return;
        }

        ulong mask = 1UL << Bit(place);
        int pin = projection.PinOf(demand);
        foreach (string path in ListSpan.Of(demand.Paths))
        {
            int link = projection.IndexOf(path);
            if (link >= 0 && (!pinned || link == pin) && (projection.Limits[link].EnterBps >= demand.RateBps || over?.Link == link))
            {
                mask |= 1UL << Bit(link);
            }
        }

        CollectionsMarshal.GetValueRefOrAddDefault(groups, mask, out _) += demand.RateBps;
    }
}
