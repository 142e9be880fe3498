namespace EgressAppliance.Decision.Cost;

/// <summary>
/// The present demands by where they can go, and the question that all of cost mode rests on: by what factor could all of them grow, every one by the same, before
/// they no longer fit on the links under given caps? Sets of links are bit masks.
/// </summary>
/// <remarks>
/// Small prefixes may be split at will: by Hall's condition they fit exactly if for every set of links what can go nowhere else is no more than the caps
/// of the set together. The few large ones are put on one link each by a branch and bound that has that condition as its bound, with a limited number of steps.
/// </remarks>
internal sealed class TrafficMix
{
    /// <summary>Most links; the number of sets doubles with each.</summary>
    public const int MaxLinks = 8;

    // A prefix is indivisible if it is this part of the total, up to so many of them.
    private const int LargePart = 50;
    private const int MaxLarge = 12;
    private const int MaxSteps = 400;

    private readonly int _links;
    private readonly double[] _confined;
    private readonly (int Links, long Rate)[] _large;

    /// <summary>Counts the demands.</summary>
    /// <param name="links">Number of links.</param>
    /// <param name="demands">Rates, bit/s, and the links each can use (never none).</param>
    public TrafficMix(int links, IReadOnlyList<(int Links, long Rate)> demands)
    {
        _links = links;
        _confined = new double[1 << links];
        TotalBps = demands.Sum(d => d.Rate);
        _large = [.. demands.Where(d => d.Rate * LargePart > TotalBps && int.PopCount(d.Links) > 1).OrderByDescending(d => d.Rate).ThenBy(d => d.Links).Take(MaxLarge)];
        foreach ((int usable, long rate) in demands)
        {
            _confined[usable] += rate;
        }

        // Sums over subsets, one link after another.
        for (int link = 1; link < _confined.Length; link <<= 1)
        {
            for (int set = 0; set < _confined.Length; set++)
            {
                _confined[set] += (set & link) != 0 ? _confined[set ^ link] : 0;
            }
        }
    }

    /// <summary>All demands, bit/s.</summary>
    public long TotalBps { get; }

    /// <summary>The factor by which all demands could grow. The large prefixes make it a lower bound when their search is cut short.</summary>
    /// <param name="caps">Most load of each link, bit/s.</param>
    public double MaxScale(ReadOnlySpan<long> caps)
    {
        double[] room = new double[_confined.Length];
        for (int set = 1; set < room.Length; set++)
        {
            int low = int.TrailingZeroCount(set);
            room[set] = room[set & (set - 1)] + caps[low];
        }

        double bound = Bound(room, _confined);
        if (_large.Length == 0 || bound == 0)
        {
            return bound;
        }

        Search search = new(room, bound);
        Place(search, 0, _confined);
        return search.Best;
    }

    private static double Bound(double[] room, double[] confined)
    {
        double least = double.PositiveInfinity;
        for (int set = 1; set < room.Length; set++)
        {
            if (confined[set] > 0)
            {
                least = Math.Min(least, room[set] / confined[set]);
            }
        }

        return least;
    }

    /// <summary>Puts one large prefix after another on the link that leaves the best bound, then on the next best.</summary>
    private void Place(Search search, int index, double[] confined)
    {
        if (index == _large.Length)
        {
            search.Best = Math.Max(search.Best, Bound(search.Room, confined));
            return;
        }

        (int usable, long rate) = _large[index];
        List<(double Bound, double[] Confined)> ways = [];
        for (int link = 0; link < _links; link++)
        {
            if ((usable >> link & 1) == 0)
            {
                continue;
            }

            double[] with = (double[])confined.Clone();
            for (int set = 1; set < with.Length; set++)
            {
                // Sets that hold all of its links count it already.
                with[set] += (set >> link & 1) != 0 && (set & usable) != usable ? rate : 0;
            }

            ways.Add((Bound(search.Room, with), with));
        }

        foreach ((double bound, double[] with) in ways.OrderByDescending(w => w.Bound))
        {
            if (bound <= search.Best || search.Best >= search.Root * (1 - 1e-4) || search.Steps++ > MaxSteps)
            {
                return;
            }

            Place(search, index + 1, with);
        }
    }

    private sealed class Search(double[] room, double root)
    {
        public double[] Room { get; } = room;

        public double Root { get; } = root;

        public double Best { get; set; }

        public int Steps { get; set; }
    }
}
