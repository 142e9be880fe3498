using EgressAppliance.Net;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>The truth of a scenario, second by second, whoever steers.</summary>
public sealed class TrafficWorld
{
    // First of the simulated /24s: 20.0.0.0, as good as any.
    private const uint FirstAddress = 20u << 24;
    private const double FlashRiseSeconds = 60;

    private readonly double[] _base;
    private readonly double[] _noise;
    private readonly double[] _linkNoise;
    private readonly double[] _factor;
    private readonly double[] _flash;
    private readonly int[][] _allPaths;
    private readonly double[] _withdrawRank;
    private readonly Dictionary<ScenarioEvent, int[]> _crowds = [];
    private SplitMix64 _random;

    /// <summary>The world at second 0.</summary>
    public TrafficWorld(Scenario scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        Scenario = scenario;
        ScenarioTraffic traffic = scenario.Traffic;
        int count = traffic.Prefixes;
        int links = scenario.Links.Count;
        _random = new SplitMix64(scenario.Seed);
        Prefixes = [.. Enumerable.Range(0, count).Select(i => IpPrefix.Create(IpAddr.FromIPv4(FirstAddress + ((uint)i << 8)), 24))];
        _base = Rates(traffic);
        _noise = new double[count];
        _flash = new double[count];
        _withdrawRank = new double[count];
        _linkNoise = new double[links];
        _factor = new double[links];
        Rate = new double[count];
        LinkUp = new bool[links];
        Paths = new int[count][];
        _allPaths = new int[count][];
        FirstLink = Natives(scenario);
        for (int i = 0; i < count; i++)
        {
            _allPaths[i] = PathsOf(FirstLink[i], links, traffic.Reach);
            _withdrawRank[i] = _random.NextDouble();
        }

        foreach (ScenarioEvent crowd in scenario.Events.Where(e => e.Kind == ScenarioEventKind.FlashCrowd))
        {
            _crowds[crowd] = Crowd(crowd);
        }

        Advance(0);
    }

    /// <summary>The story.</summary>
    public Scenario Scenario { get; }

    /// <summary>Now, seconds from the beginning.</summary>
    public int Second { get; private set; }

    /// <summary>The prefixes.</summary>
    public IReadOnlyList<IpPrefix> Prefixes { get; }

    /// <summary>Rate of each prefix, bit/s.</summary>
    public double[] Rate { get; }

    /// <summary>Paths of each prefix that are offered now: links in the order of the attributes that a speaker can see.</summary>
    public int[][] Paths { get; }

    /// <summary>Whether each link is up.</summary>
    public bool[] LinkUp { get; }

    /// <summary>Link of the first path of each prefix when all are offered.</summary>
    public int[] FirstLink { get; }

    /// <summary>Counts changes of <see cref="Active"/>, and so of <see cref="Paths"/> and <see cref="LinkUp"/>, for caches.</summary>
    public int RoutingVersion { get; private set; } = 1;

    /// <summary>Events in force now.</summary>
    public IReadOnlyList<ScenarioEvent> Active { get; private set; } = [];

    /// <summary>An event of that kind in force for an appliance (from 1; 0: any) and link (−1: any), or null.</summary>
    public ScenarioEvent? Find(ScenarioEventKind kind, int appliance = 0, int link = -1)
    {
        foreach (ScenarioEvent e in Active)
        {
            if (e.Kind == kind && (e.Appliance == 0 || appliance == 0 || e.Appliance == appliance)
                && (link < 0 || e.Link is null || e.Link == Scenario.Links[link].Name))
            {
                return e;
            }
        }

        return null;
    }

    /// <summary>Moves on to a second.</summary>
    public void Advance(int second)
    {
        Second = second;
        TimeSpan now = TimeSpan.FromSeconds(second);
        ScenarioEvent[] active = [.. Scenario.Events.Where(e => e.Kind == ScenarioEventKind.Ramp ? now >= e.At : e.IsActive(now))];
        if (second == 0 || !active.SequenceEqual(Active))
        {
            Active = active;
            Route();
        }

        Weigh(now);
        ScenarioTraffic traffic = Scenario.Traffic;
        double keep = Math.Exp(-1 / traffic.NoiseTime.TotalSeconds);

        // Even noise of variance 1 − keep² leaves the sum with variance 1.
        double width = Math.Sqrt(12 * (1 - (keep * keep)));
        double day = Day(traffic, Scenario.StartsAt + now);
        for (int l = 0; l < _linkNoise.Length; l++)
        {
            _linkNoise[l] = Next(_linkNoise[l], keep, width, second);
            double swing = Math.Clamp(_linkNoise[l] / 2, -1, 1) * traffic.LinkNoise;
            _factor[l] *= day * (1 + swing);
        }

        for (int i = 0; i < Rate.Length; i++)
        {
            _noise[i] = Next(_noise[i], keep, width, second);
            Rate[i] = _base[i] * _factor[FirstLink[i]] * _flash[i] * Math.Max(0, 1 + (traffic.PrefixNoise * _noise[i]));
        }
    }

    private double Next(double value, double keep, double width, int second) =>
        second == 0 ? (_random.NextDouble() - 0.5) * Math.Sqrt(12) : (value * keep) + ((_random.NextDouble() - 0.5) * width);

    /// <summary>Factors by events: of all traffic of a native link, and of the prefixes of crowds.</summary>
    private void Weigh(TimeSpan now)
    {
        Array.Fill(_factor, 1);
        Array.Fill(_flash, 1);
        foreach (ScenarioEvent e in Active)
        {
            double since = (now - e.At).TotalSeconds;
            switch (e.Kind)
            {
                case ScenarioEventKind.Step:
                    Multiply(e, e.Value);
                    break;
                case ScenarioEventKind.Ramp:
                    double length = e.For?.TotalSeconds ?? (Scenario.Duration - e.At).TotalSeconds;
                    Multiply(e, 1 + ((e.Value - 1) * Math.Min(1, since / Math.Max(1, length))));
                    break;
                case ScenarioEventKind.FlashCrowd:
                    double fade = (e.For ?? Scenario.Duration - e.At).TotalSeconds;
                    double height = since < FlashRiseSeconds ? since / FlashRiseSeconds : 1 - ((since - FlashRiseSeconds) / Math.Max(1, fade - FlashRiseSeconds));
                    foreach (int i in _crowds[e])
                    {
                        _flash[i] *= 1 + ((e.Value - 1) * Math.Clamp(height, 0, 1));
                    }

                    break;
                default:
                    break;
            }
        }
    }

    private void Multiply(ScenarioEvent e, double factor)
    {
        for (int l = 0; l < _factor.Length; l++)
        {
            if (e.Link is null || e.Link == Scenario.Links[l].Name)
            {
                _factor[l] *= factor;
            }
        }
    }

    private void Route()
    {
        RoutingVersion++;
        for (int l = 0; l < LinkUp.Length; l++)
        {
            LinkUp[l] = Find(ScenarioEventKind.LinkDown, link: l) is null;
        }

        double[] withdrawn = [.. Enumerable.Range(0, LinkUp.Length).Select(l => Find(ScenarioEventKind.PathsWithdrawn, link: l)?.Value ?? 0)];
        for (int i = 0; i < Paths.Length; i++)
        {
            // A link that is down offers nothing: its next hops are gone.
            Paths[i] = [.. _allPaths[i].Where(l => LinkUp[l] && _withdrawRank[i] >= withdrawn[l])];
        }
    }

    private static double Day(ScenarioTraffic traffic, TimeSpan time) =>
        traffic.Night + ((1 - traffic.Night) * (1 + Math.Cos((time - traffic.PeakAt).TotalHours / 24 * 2 * Math.PI)) / 2);

    private static double[] Rates(ScenarioTraffic traffic)
    {
        double[] rates = [.. Enumerable.Range(1, traffic.Prefixes).Select(rank => Math.Pow(rank, -traffic.Popularity))];
        double sum = rates.Sum();
        return [.. rates.Select(r => r / sum * traffic.TotalBps)];
    }

    /// <summary>Gives each prefix, largest first, to the link that lacks most of its share.</summary>
    private int[] Natives(Scenario scenario)
    {
        double[] missing = [.. scenario.Links.Select(l => scenario.Traffic.NativeShares.GetValueOrDefault(l.Name))];
        double all = missing.Sum();
        for (int l = 0; l < missing.Length; l++)
        {
            missing[l] *= scenario.Traffic.TotalBps / all;
        }

        int[] native = new int[_base.Length];
        for (int i = 0; i < native.Length; i++)
        {
            native[i] = Array.IndexOf(missing, missing.Max());
            missing[native[i]] -= _base[i];
        }

        return native;
    }

    private int[] PathsOf(int native, int links, double reach)
    {
        List<int> paths = [native];
        foreach (int link in Enumerable.Range(0, links).Where(l => l != native))
        {
            if (_random.NextDouble() < reach)
            {
                paths.Insert(1 + _random.Next(paths.Count), link);
            }
        }

        return [.. paths];
    }

    /// <summary>Prefixes of middle size: a crowd rarely comes to what is largest anyway.</summary>
    private int[] Crowd(ScenarioEvent e)
    {
        int[] candidates = [.. Enumerable.Range(0, _base.Length).Where(i => e.Link is null || Scenario.Links[FirstLink[i]].Name == e.Link)];
        int first = candidates.Length / 50;
        HashSet<int> chosen = [];
        int most = Math.Min(e.Count, candidates.Length - first);
        while (chosen.Count < most)
        {
            chosen.Add(candidates[first + _random.Next(Math.Max(most, candidates.Length / 10))]);
        }

        return [.. chosen.Order()];
    }
}
