using EgressAppliance.Net;

namespace EgressAppliance.Cluster.Merge;

/// <summary>
/// A sample of a collector's cells by which two that see the same frames are recognised: the cells with the smallest hashes of prefix, link, packets and bytes (A. Broder, On the
/// resemblance and containment of documents, 1997). Small prefixes decide: two boxes on one mirror count the same five packets of them, and two that share the traffic of a link
/// between them do not. Not safe for concurrent use.
/// </summary>
internal sealed class CellSketch
{
    /// <summary>Hashes kept.</summary>
    public const int Size = 64;

    /// <summary>With fewer cells nothing can be said.</summary>
    public const int LeastCells = 32;

    private readonly PriorityQueue<ulong, ulong> _smallest = new(Size, Comparer<ulong>.Create((a, b) => b.CompareTo(a)));
    private ulong _limit = ulong.MaxValue;
    private HashSet<ulong>? _set;

    /// <summary>Adds a cell.</summary>
    public void Add(IpPrefix prefix, int link, long packets, long bytes)
    {
        ulong hash = Mix(Mix(Mix(prefix.Address.High ^ ((ulong)prefix.Length << 1)) ^ prefix.Address.Low ^ (ulong)link) ^ (ulong)packets) ^ (ulong)bytes;
        hash = Mix(hash);
        if (hash >= _limit)
        {
            return;
        }

        if (_smallest.Count < Size)
        {
            _smallest.Enqueue(hash, hash);
        }
        else
        {
            _smallest.EnqueueDequeue(hash, hash);
        }

        if (_smallest.Count == Size)
        {
            _limit = _smallest.Peek();
        }
    }

    /// <summary>Share of the cells that both have, of those that either has, 0–1; 0 where there are too few to tell.</summary>
    public double Resemblance(CellSketch other)
    {
        HashSet<ulong> mine = Set();
        HashSet<ulong> theirs = other.Set();
        if (mine.Count < LeastCells || theirs.Count < LeastCells)
        {
            return 0;
        }

        ulong[] union = [.. mine.Union(theirs).Order().Take(Size)];
        return (double)union.Count(h => mine.Contains(h) && theirs.Contains(h)) / union.Length;
    }

    private HashSet<ulong> Set() => _set ??= [.. _smallest.UnorderedItems.Select(i => i.Element)];

    // The finalizer of SplitMix64.
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
