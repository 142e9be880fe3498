using System.Numerics;

namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Maximum flow from groups of traffic to links with room, by shortest augmenting paths over the links. A group knows the links it can use as
/// a mask, bit l for link l, so that a search costs a few operations on words per link and what is on it, however many groups there are.
/// </summary>
internal sealed class GroupFlow
{
    private readonly ulong[] _masks;
    private readonly long[] _room;
    private readonly List<(int Group, long Amount)>[] _on;

    // Of the search under way: the link that a link was reached from (−1 from the group itself), and by which of its entries in _on.
    private readonly int[] _from;
    private readonly int[] _by;
    private readonly int[] _queue;
    private ulong _reached;

    // Links from which no room can be reached any more. Whatever is placed later does not change that: it is placed elsewhere.
    private ulong _closed;

    private GroupFlow(ulong[] masks, long[] room)
    {
        _masks = masks;
        _room = (long[])room.Clone();
        _on = new List<(int Group, long Amount)>[room.Length];
        for (int l = 0; l < room.Length; l++)
        {
            _on[l] = [];
        }

        _from = new int[room.Length];
        _by = new int[room.Length];
        _queue = new int[room.Length];
    }

    /// <summary>What finds no room.</summary>
    /// <param name="groups">Traffic by the mask of the links it can use.</param>
    /// <param name="room">Room of each link, at most 64.</param>
    public static long Unplaced(Dictionary<ulong, long> groups, long[] room)
    {
        // The least flexible groups first: those that come later find their way around them more often without a search.
        ulong[] masks = [.. groups.Keys.OrderBy(BitOperations.PopCount).ThenBy(m => m)];
        GroupFlow flow = new(masks, room);
        long unplaced = 0;
        for (int g = 0; g < masks.Length; g++)
        {
            unplaced += flow.Place(g, groups[masks[g]]);
        }

        return unplaced;
    }

    /// <summary>Places what it can of a group and returns the rest.</summary>
    private long Place(int group, long supply)
    {
        while (supply > 0)
        {
            int end = Search(_masks[group] & ~_closed);
            if (end < 0)
            {
                _closed |= _reached;
                return supply;
            }

            supply -= Push(group, supply, end);
        }

        return 0;
    }

    /// <summary>The nearest link with room that can be reached from some links by moving on what is on them, or −1.</summary>
    private int Search(ulong start)
    {
        int count = 0;
        _reached = 0;
        int found = Reach(start, -1, 0, ref count);
        for (int next = 0; found < 0 && next < count; next++)
        {
            int link = _queue[next];
            List<(int Group, long Amount)> on = _on[link];
            for (int i = 0; found < 0 && i < on.Count; i++)
            {
                ulong fresh = _masks[on[i].Group] & ~(_reached | _closed);
                if (fresh != 0)
                {
                    found = Reach(fresh, link, i, ref count);
                }
            }
        }

        return found;
    }

    /// <summary>Notes how links were reached; returns one of them that has room, or −1.</summary>
    private int Reach(ulong links, int from, int by, ref int count)
    {
        _reached |= links;
        for (; links != 0; links &= links - 1)
        {
            int link = BitOperations.TrailingZeroCount(links);
            _from[link] = from;
            _by[link] = by;
            if (_room[link] > 0)
            {
                return link;
            }

            _queue[count++] = link;
        }

        return -1;
    }

    /// <summary>Moves on as much as the path that was found lets through, and returns how much.</summary>
    private long Push(int group, long supply, int end)
    {
        long amount = Math.Min(supply, _room[end]);
        for (int l = end; _from[l] >= 0; l = _from[l])
        {
            amount = Math.Min(amount, _on[_from[l]][_by[l]].Amount);
        }

        _room[end] -= amount;
        int link = end;
        for (; _from[link] >= 0; link = _from[link])
        {
            List<(int Group, long Amount)> before = _on[_from[link]];
            (int moved, long there) = before[_by[link]];
            if (there == amount)
            {
                before[_by[link]] = before[^1];
                before.RemoveAt(before.Count - 1);
            }
            else
            {
                before[_by[link]] = (moved, there - amount);
            }

            Add(_on[link], moved, amount);
        }

        Add(_on[link], group, amount);
        return amount;
    }

    private static void Add(List<(int Group, long Amount)> on, int group, long amount)
    {
        // From the end: the group in hand is among the last.
        for (int i = on.Count - 1; i >= 0; i--)
        {
            if (on[i].Group == group)
            {
                on[i] = (group, on[i].Amount + amount);
                return;
            }
        }

        on.Add((group, amount));
    }
}
