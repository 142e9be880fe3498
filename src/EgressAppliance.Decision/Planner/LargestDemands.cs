using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>Keeps the largest of the demands that it is shown.</summary>
/// <param name="most">How many.</param>
internal sealed class LargestDemands(int most)
{
    // What is to go first is the smallest, of equal ones the last by prefix.
    private static readonly IComparer<(long Rate, IpPrefix Prefix)> SmallestFirst =
        Comparer<(long Rate, IpPrefix Prefix)>.Create((a, b) => -DemandOrder.LargestFirst(a, b));

    private readonly PriorityQueue<int, (long Rate, IpPrefix Prefix)> _kept = new(SmallestFirst);
    private (long Rate, IpPrefix Prefix) _smallest;

    /// <summary>Those kept, in no order.</summary>
    public IEnumerable<int> Kept => _kept.UnorderedItems.Select(item => item.Element);

    /// <summary>True if a demand would be kept. Nearly all of a large snapshot are not, and the rate alone says so: ask this before anything that costs more.</summary>
    public bool Admits(PrefixDemand demand) => _kept.Count < most
        || (demand.RateBps >= _smallest.Rate && DemandOrder.LargestFirst(DemandOrder.KeyOf(demand), _smallest) < 0);

    /// <summary>Takes in a demand that is admitted.</summary>
    /// <param name="index">Its index.</param>
    /// <param name="demand">The demand.</param>
    public void Add(int index, PrefixDemand demand)
    {
        if (_kept.Count < most)
        {
            _kept.Enqueue(index, DemandOrder.KeyOf(demand));
        }
        else
        {
            _kept.DequeueEnqueue(index, DemandOrder.KeyOf(demand));
        }

        _kept.TryPeek(out _, out _smallest);
    }
}
