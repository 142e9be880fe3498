using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Cost;

/// <summary>One link in the search for levels.</summary>
/// <param name="Name">The link.</param>
/// <param name="Price">Price per Mbit/s.</param>
/// <param name="FloorBps">Paid for in any case: commit or standing level, at most the ceiling.</param>
/// <param name="CeilingBps">Most that moves may fill it to.</param>
/// <param name="Month">Its samples.</param>
/// <param name="Share">Part of its free samples that may be used up within the time looked at, 0–1: less than 1 if its month ends later than another's.</param>
/// <param name="SlackBps">An excess over what it is filled to that no move is worth.</param>
internal sealed record LevelLink(string Name, double Price, long FloorBps, long CeilingBps, BillingMonth Month, double Share, long SlackBps)
{
    // Most part of a level that is given up for the slack.
    private const double MaxSlack = 0.02;

    /// <summary>
    /// What it is filled to if a level is to be what is billed: a little less, because an excess that no move is worth would use up a free sample all the same. Beyond the ceiling there is no excess.
    /// </summary>
    public long Usable(long level) => level >= CeilingBps ? CeilingBps : level - Math.Min(SlackBps, LinkLimits.Part(level, MaxSlack));

    /// <summary>Free samples that are left if <paramref name="level"/> is to be what is billed.</summary>
    public double FreeLeft(long level) => Math.Floor(Math.Max(0, Month.FreeLeft(level)) * Share);
}

/// <summary>
/// Whether the present demand and the one forecast can be carried under given levels for the rest of the month, with what free samples are left above them.
/// </summary>
internal sealed class LevelProblem
{
    private const double Tiny = 1e-9;

    // No forecast is good to the sample: no level is raised for a burst that is to be expected once at most.
    private const double Spare = 1;
    private readonly TrafficMix _mix;
    private readonly IReadOnlyList<DemandBin> _bins;
    private readonly int[] _sets;
    private readonly double _remaining;
    private readonly double _most;

    /// <summary>States the problem.</summary>
    /// <param name="links">The links.</param>
    /// <param name="mix">Present demands.</param>
    /// <param name="bins">What is to come, largest first; the present sample is added.</param>
    public LevelProblem(LevelLink[] links, TrafficMix mix, List<DemandBin> bins)
    {
        Links = links;
        _mix = mix;
        int present = bins.FindIndex(b => b.Scale < 1);
        bins.Insert(present < 0 ? bins.Count : present, new(1, 1));
        _bins = bins;
        _remaining = bins.Sum(b => b.Weight);
        int all = (1 << links.Length) - 1;
        _sets = [.. Enumerable.Range(1, all).Where(s => links.Length <= 4 || int.PopCount(s) <= 2 || s == all).OrderBy(int.PopCount).ThenBy(s => s)];

        // What no link's ceiling can hold is no reason to prefer one level to another.
        _most = mix.MaxScale([.. links.Select(l => l.CeilingBps)]) * (1 - Tiny);
    }

    public LevelLink[] Links { get; }

    /// <summary>The sets of links that are considered to burst at the same time, the small ones first.</summary>
    public IReadOnlyList<int> Sets => _sets;

    /// <summary>The bill of the month at these levels, without what is under commit, in price × bit/s.</summary>
    public double Cost(long[] levels)
    {
        double sum = 0;
        for (int i = 0; i < levels.Length; i++)
        {
            sum += Links[i].Price * levels[i];
        }

        return sum;
    }

    /// <summary>Whether the present demand fits with a set of links filled to their ceilings and the others to their levels.</summary>
    public bool FitsNow(long[] levels, int bursting) => ScaleOf(levels, bursting, FreeLeft(levels, 0)) >= Math.Min(1, _most);

    /// <summary>Whether everything can be carried.</summary>
    /// <param name="levels">Level of each link, bit/s.</param>
    /// <param name="usedNow">Links that use up a free sample now: the present sample is dealt with, and they have one less for the rest.</param>
    public bool IsFeasible(long[] levels, int usedNow = 0)
    {
        double[] left = FreeLeft(levels, usedNow);
        if (left.Any(l => l < 0))
        {
            return false;
        }

        double[] start = [.. left];
        double within = ScaleOf(levels, 0, start);
        double[] scales = new double[_sets.Length];
        double presentWeight = usedNow != 0 ? 1 : 0;
        double spare = Spare;
        foreach (DemandBin bin in _bins)
        {
            double scale = Math.Min(bin.Scale, _most);
            if (scale <= within)
            {
                return true;
            }

            double weight = bin.Weight;
            if (presentWeight > 0 && bin is { Scale: 1, Weight: 1 })
            {
                presentWeight = 0;
                continue;
            }

            while (weight > Tiny)
            {
                int set = Burst(levels, scale, left, start, scales);
                if (set == 0)
                {
                    spare -= weight;
                    if (spare < 0 || bin is { Scale: 1, Weight: 1 })
                    {
                        return false;
                    }

                    break;
                }

                double used = weight;
                for (int i = 0; i < left.Length; i++)
                {
                    used = (set >> i & 1) != 0 ? Math.Min(used, left[i]) : used;
                }

                for (int i = 0; i < left.Length; i++)
                {
                    left[i] -= (set >> i & 1) != 0 ? used : 0;
                }

                weight -= used;
            }
        }

        return true;
    }

    /// <summary>Free samples left to each link under levels.</summary>
    public double[] FreeLeft(long[] levels, int usedNow)
    {
        double[] left = new double[levels.Length];
        for (int i = 0; i < left.Length; i++)
        {
            left[i] = Links[i].FreeLeft(levels[i]) - (usedNow >> i & 1);
        }

        return left;
    }

    /// <summary>Whether a link has a free sample for all that is left of the month, so that it may burst for good.</summary>
    public bool IsFree(double left) => left >= _remaining - Tiny;

    /// <summary>
    /// The smallest set of links that carries a demand by bursting; of those of one size the one with the most free samples left. A link that suffices for a demand suffices for any
    /// smaller one, so which of them goes first makes no difference to what the rest can do.
    /// </summary>
    private int Burst(long[] levels, double scale, double[] left, double[] start, double[] scales)
    {
        int best = 0;
        double most = 0;
        for (int s = 0; s < _sets.Length; s++)
        {
            int set = _sets[s];
            if (best != 0 && int.PopCount(set) > int.PopCount(best))
            {
                break;
            }

            double least = double.PositiveInfinity;
            for (int i = 0; i < left.Length; i++)
            {
                least = (set >> i & 1) != 0 ? Math.Min(least, left[i]) : least;
            }

            if (least <= Math.Max(Tiny, most))
            {
                continue;
            }

            if (scales[s] == 0)
            {
                scales[s] = ScaleOf(levels, set, start);
            }

            if (scales[s] >= scale)
            {
                (best, most) = (set, least);
            }
        }

        return best;
    }

    private double ScaleOf(long[] levels, int bursting, double[] left)
    {
        Span<long> caps = stackalloc long[levels.Length];
        for (int i = 0; i < levels.Length; i++)
        {
            caps[i] = (bursting >> i & 1) != 0 || IsFree(left[i]) ? Links[i].CeilingBps : Links[i].Usable(levels[i]);
        }

        return _mix.MaxScale(caps);
    }
}
