using System.Runtime.InteropServices;
using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Decision.Planner;

/// <content>Step 5: the prefixes of overloaded links that may be moved, and where to.</content>
internal sealed partial class PlanDraft
{
    /// <summary>The prefixes on links with a need that fit somewhere, and where.</summary>
    private (List<ReliefItem> Items, List<ReliefOption> Options) Items(long[] need, long[] room)
    {
        ReadOnlySpan<PrefixDemand> demands = _projection.Demands;
        long mostRoom = room.Max();
        List<ReliefItem> items = [];
        List<ReliefOption> options = [];
        for (int i = 0; i < demands.Length; i++)
        {
            int source = SourceOf(i, out bool onOverride);
            if (source < 0 || need[source] == 0 || (Moves.Count > 0 && Moves.ContainsKey(i)))
            {
                continue;
            }

            PrefixDemand demand = demands[i];
            if (demand.RateBps == 0 || !IsFree(_projection.OverrideOf(i), onOverride) || !_projection.MayMove(demand, source))
            {
                continue;
            }

            HadCandidates = HadCandidates || HasAlternative(demand, source);
            int first = options.Count;
            if (demand.RateBps <= mostRoom)
            {
                AddTargets(demand, source, onOverride ? _projection.NativeLink[i] : -1, room, options);
            }

            if (options.Count > first)
            {
                items.Add(new(i, source, demand.RateBps, first, options.Count - first, onOverride, (byte)ClassOf(demand)));
            }
        }

        DemandOrder.Sort(_projection, CollectionsMarshal.AsSpan(items), item => item.Demand);
        return (items, options);
    }

    /// <summary>The link that a demand is on before moves are chosen.</summary>
    private int SourceOf(int index, out bool onOverride)
    {
        OverrideCase? over = _projection.OverrideOf(index);
        onOverride = over is not null && !Released.ContainsKey(over);
        return onOverride ? over!.Link : _projection.NativeLink[index];
    }

    /// <summary>True unless the demand's override stays for now, or was dropped for a look at what is better and would come back at once.</summary>
    private static bool IsFree(OverrideCase? over, bool onOverride) =>
        over is null || (onOverride ? over.Fixed is ReasonCode.None or ReasonCode.Damped or ReasonCode.SavesCost : over is not { Fixed: ReasonCode.InHold, Lost: ReasonCode.None });

    private bool HasAlternative(PrefixDemand demand, int source)
    {
        if (IsPinned(demand))
        {
            return _projection.PinOf(demand) != source;
        }

        foreach (string path in ListSpan.Of(demand.Paths))
        {
            int link = _projection.IndexOf(path);
            if (link >= 0 && link != source)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The links that can take a demand: the native one first (giving back costs no override), then those that a policy prefers, then in the router's order of preference.
    /// One that a policy pins can go to that link alone.
    /// Price and headroom decide only between paths of equal rank, of which a snapshot's ordered list has none unless a link is listed twice.
    /// </summary>
    private void AddTargets(PrefixDemand demand, int source, int native, long[] room, List<ReliefOption> options)
    {
        int first = options.Count;
        if (native >= 0 && room[native] >= demand.RateBps)
        {
            options.Add(new(native, Release: true));
        }

        if (demand.Policy is { Action: PolicyAction.Pin or PolicyAction.Prefer } policy)
        {
            for (int rank = 0; rank < policy.Links.Count; rank++)
            {
                if (demand.Paths.Contains(policy.Links[rank], StringComparer.Ordinal))
                {
                    AddTarget(policy.Links[rank], rank);
                }
            }

            if (policy.Action == PolicyAction.Pin)
            {
                return;
            }
        }

        int last = demand.Policy?.Links.Count ?? 0;
        foreach (string path in ListSpan.Of(demand.Paths))
        {
            AddTarget(path, last);
        }

        void AddTarget(string name, int rank)
        {
            int link = _projection.IndexOf(name);
            if (link >= 0 && link != source && link != native && room[link] >= demand.RateBps && !IsAmong(options, first, link))
            {
                options.Add(new(link, Release: false, rank));
            }
        }
    }

    private static bool IsAmong(List<ReliefOption> options, int first, int link)
    {
        for (int i = first; i < options.Count; i++)
        {
            if (options[i].Link == link)
            {
                return true;
            }
        }

        return false;
    }
}
