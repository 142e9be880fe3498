namespace EgressAppliance.Decision.Planner;

/// <summary>
/// A lower bound of the overload that remains whatever is moved: prefixes may be split at will over their usable paths, caps and hold are
/// ignored, chains of moves over several links are allowed. Each link can carry, without adding overload, at most its threshold; less if it
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

        for (int i = 0; i < projection.Demands.Count; i++)
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

        return fixedOverload + groups.Values.Sum() - MaxFlow(groups, capacity);
    }

    private static int Bit(int link) => Math.Min(link, MaskBits - 1);

    private static void Add(Projection projection, int index, long[] immovable, Dictionary<ulong, long> groups)
    {
        PrefixDemand demand = projection.Demands[index];
        int native = projection.NativeLink[index];
        OverrideCase? over = projection.OverrideOf.GetValueOrDefault(index);
        int place = over is { Lost: ReasonCode.None, Fixed: ReasonCode.Pinned } ? over.Link : native;
        if (place < 0)
        {
            if (over is not { Lost: ReasonCode.None })
            {
                return;
            }

            place = over.Link;
        }

        if (over is { Fixed: ReasonCode.Pinned, Lost: ReasonCode.None } || projection.Denied(demand.Prefix))
        {
            immovable[place] += demand.RateBps;
            return;
        }

        ulong mask = 1UL << Bit(place);
        for (int p = 0; p < demand.Paths.Count; p++)
        {
            int link = projection.IndexOf(demand.Paths[p]);
            if (link >= 0 && (projection.Limits[link].EnterBps >= demand.RateBps || over?.Link == link))
            {
                mask |= 1UL << Bit(link);
            }
        }

        groups[mask] = groups.GetValueOrDefault(mask) + demand.RateBps;
    }

    /// <summary>Maximum flow from groups to links by shortest augmenting paths. Each path empties a group, fills a link or undoes a flow.</summary>
    private static long MaxFlow(Dictionary<ulong, long> groups, long[] capacity)
    {
        ulong[] masks = [.. groups.Keys.Order()];
        long[] supply = [.. masks.Select(m => groups[m])];
        long[] room = (long[])capacity.Clone();
        long[,] flow = new long[masks.Length, room.Length];
        long total = 0;
        for (int g = 0; g < masks.Length; g++)
        {
            while (supply[g] > 0)
            {
                long pushed = Augment(g, masks, supply[g], room, flow);
                if (pushed == 0)
                {
                    break;
                }

                supply[g] -= pushed;
                total += pushed;
            }
        }

        return total;
    }

    private static long Augment(int start, ulong[] masks, long supply, long[] room, long[,] flow)
    {
        int[] groupOfLink = new int[room.Length];
        int[] linkOfGroup = new int[masks.Length];
        Array.Fill(groupOfLink, -1);
        Array.Fill(linkOfGroup, -1);
        Queue<int> queue = new([start]);
        while (queue.TryDequeue(out int g))
        {
            for (int l = 0; l < room.Length; l++)
            {
                if ((masks[g] >> l & 1) == 0 || groupOfLink[l] >= 0)
                {
                    continue;
                }

                groupOfLink[l] = g;
                if (room[l] > 0)
                {
                    return Push(start, l, supply, room, flow, groupOfLink, linkOfGroup);
                }

                for (int other = 0; other < masks.Length; other++)
                {
                    if (other != start && linkOfGroup[other] < 0 && flow[other, l] > 0)
                    {
                        linkOfGroup[other] = l;
                        queue.Enqueue(other);
                    }
                }
            }
        }

        return 0;
    }

    private static long Push(int start, int end, long supply, long[] room, long[,] flow, int[] groupOfLink, int[] linkOfGroup)
    {
        long amount = Math.Min(supply, room[end]);
        for (int l = end; groupOfLink[l] != start; l = linkOfGroup[groupOfLink[l]])
        {
            amount = Math.Min(amount, flow[groupOfLink[l], linkOfGroup[groupOfLink[l]]]);
        }

        room[end] -= amount;
        int link = end;
        while (true)
        {
            int group = groupOfLink[link];
            flow[group, link] += amount;
            if (group == start)
            {
                return amount;
            }

            link = linkOfGroup[group];
            flow[group, link] -= amount;
        }
    }
}
