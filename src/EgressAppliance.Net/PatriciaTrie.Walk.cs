namespace EgressAppliance.Net;

/// <content>Walking in order.</content>
internal sealed partial class PatriciaTrie
{
    /// <summary>Writes prefixes in order, starting at or after a given one, so that a walk can be done in parts.</summary>
    /// <param name="from">Where to start; it need not be held.</param>
    /// <param name="inclusive">Whether <paramref name="from"/> itself, if held, is part of the result.</param>
    /// <param name="within">Where to end: only prefixes inside this one, in which <paramref name="from"/> must lie.</param>
    /// <param name="destination">Room for the result.</param>
    /// <returns>How many were written; fewer than the room given means that the walk is at its end.</returns>
    public int CopyOrdered(IpPrefix from, bool inclusive, IpPrefix within, Span<PrefixEntry> destination)
    {
        Check(from);
        Span<uint> pending = stackalloc uint[MaxPath + 1];
        int top = Seek(from, inclusive, pending);
        int written = 0;
        while (top > 0 && written < destination.Length)
        {
            uint link = pending[--top];
            uint id = IdOf(link);
            if (id != 0)
            {
                IpPrefix prefix = _ids.PrefixOf(id);
                if (!within.Contains(prefix))
                {
                    break;
                }

                destination[written++] = new(prefix, id);
            }

            top = PushBelow(pending, top, link);
        }

        return written;
    }

    /// <summary>All entries in order. The trie must not change meanwhile.</summary>
    public IEnumerable<PrefixEntry> Walk() => Walk(Everything());

    /// <summary>The prefixes inside this one, itself included if held, in order. The trie must not change meanwhile.</summary>
    public IEnumerable<PrefixEntry> Walk(IpPrefix within)
    {
        Check(within);
        PrefixEntry[] part = new PrefixEntry[128];
        int got = CopyOrdered(within, inclusive: true, within, part);
        while (got > 0)
        {
            for (int i = 0; i < got; i++)
            {
                yield return part[i];
            }

            got = got < part.Length ? 0 : CopyOrdered(part[got - 1].Prefix, inclusive: false, within, part);
        }
    }

    private IpPrefix Everything() => IpPrefix.Create(IpAddr.FromBits(_family, 0, 0), 0);

    private static int Push(Span<uint> pending, int top, uint link)
    {
        if (link != 0)
        {
            pending[top++] = link;
        }

        return top;
    }

    private int PushBelow(Span<uint> pending, int top, uint link)
    {
        if (IsLeaf(link))
        {
            return top;
        }

        ref readonly Node node = ref NodeAt(link);
        return Push(pending, Push(pending, top, node.Right), node.Left);
    }

    // Fills the stack of a pre-order walk so that what it yields are the points after the given prefix.
    private int Seek(IpPrefix from, bool inclusive, Span<uint> pending)
    {
        Way way = new(stackalloc uint[MaxPath]);
        Descend(from.Address, from.Length, ref way);
        int top = 0;
        for (int i = 0; i < way.Holding; i++)
        {
            uint link = way.Links[i];
            int length = LengthAt(way, i);
            if (length == from.Length)
            {
                return inclusive ? Push(pending, top, link) : PushBelow(pending, top, link);
            }

            if (!IsLeaf(link) && !from.Address.Bit(length))
            {
                top = Push(pending, top, NodeAt(link).Right);
            }
        }

        // The next point does not hold the prefix: it lies inside, or on one side.
        bool after = way.Holding < way.Passed && (way.Common == from.Length || !from.Address.Bit(way.Common));
        return after ? Push(pending, top, way.Links[way.Holding]) : top;
    }
}
