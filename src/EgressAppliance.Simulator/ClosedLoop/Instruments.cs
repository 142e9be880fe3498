using EgressAppliance.Decision.Demand;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>
/// What an appliance can see of the truth: bytes by prefix and link from the mirror, and interface counters polled now and then, both as good as the events of the
/// moment leave them.
/// </summary>
internal sealed class Instruments
{
    // As many as the host hands to the decision maker one by one.
    private const int MaxPrefixes = 10_000;

    // Packets of 1000 bytes, as good as any.
    private const double PacketBits = 8000;

    private readonly TrafficWorld _world;
    private readonly EdgeRouter _router;
    private readonly int _number;
    private readonly int _poll;
    private readonly double[] _bytes;
    private readonly int[] _link;
    private readonly bool[] _seen;
    private readonly double[] _counted;
    private readonly long?[] _counter;
    private readonly double[] _mirrored;
    private readonly UnseenMeter[] _unseen;
    private readonly RateBeliefs _beliefs;
    private readonly double[] _tickMirror;
    private readonly double[] _tickTruth;
    private readonly double[] _mirrorBps;
    private DemandEstimator<int> _demand;
    private int _countedSeconds;
    private int _tickSeconds;

    public Instruments(TrafficWorld world, EdgeRouter router, int number)
    {
        _world = world;
        _router = router;
        _number = number;
        _poll = Math.Max(1, (int)world.Scenario.Appliance.Poll.TotalSeconds);
        _bytes = new double[world.Rate.Length];
        _link = new int[world.Rate.Length];
        _seen = new bool[world.Rate.Length];
        _counted = new double[world.LinkUp.Length];
        _counter = new long?[world.LinkUp.Length];
        _mirrored = new double[world.LinkUp.Length];
        _unseen = [.. world.LinkUp.Select(_ => new UnseenMeter())];
        _beliefs = new RateBeliefs(world.LinkUp.Length);
        _tickMirror = new double[world.LinkUp.Length];
        _tickTruth = new double[world.LinkUp.Length];
        _mirrorBps = new double[world.LinkUp.Length];
        _demand = Estimator();
    }

    /// <summary>Second in which the mirror last showed anything.</summary>
    public int LastFrame { get; private set; }

    /// <summary>Second of the last answered poll.</summary>
    public int LastPoll { get; private set; }

    /// <summary>Latest rate by the interface counter, or null before the first.</summary>
    public long? Counter(int link) => _counter[link];

    /// <summary>Load beyond the mirror, bit/s.</summary>
    public long Unseen(int link) => Math.Max(_unseen[link].UnseenBps, _beliefs.LostBps(link, (long)_mirrorBps[link]));

    /// <summary>How far the mirror rate of a link can be believed.</summary>
    public RateJudgement Belief(int link) => _beliefs[link];

    /// <summary>Links whose rates must not be decided on; null if there are none.</summary>
    public IReadOnlyList<RateDoubt>? Doubts => _beliefs.Doubts(l => _world.Scenario.Links[l].Name);

    /// <summary>Whether in the last tick the truth was within the error bar of every link's mirror rate.</summary>
    public bool Covered { get; private set; } = true;

    /// <summary>Whether the mirror showed the prefix in the last tick.</summary>
    public bool WasSeen(int prefix) => _seen[prefix];

    /// <summary>A process that starts knows nothing.</summary>
    public void Restart()
    {
        _demand = Estimator();
        Array.Clear(_bytes);
        LastFrame = LastPoll = _world.Second;
    }

    /// <summary>Sees a second.</summary>
    public void Second()
    {
        double all = 1 - (_world.Find(ScenarioEventKind.MirrorLoss, _number + 1)?.Value ?? 0);
        bool[] hidden = [.. Enumerable.Range(0, _world.LinkUp.Length).Select(l => _world.Find(ScenarioEventKind.MirrorLinkLost, _number + 1, l) is not null)];
        double[] shown = [.. hidden.Select((h, l) => h ? 0 : all * (_world.Find(ScenarioEventKind.MirrorLies, _number + 1, l)?.Value ?? 1))];
        _tickSeconds++;
        for (int i = 0; i < _bytes.Length; i++)
        {
            int link = _router.LinkOf(i);
            if (link != _link[i])
            {
                Flush(i);
                _link[i] = link;
            }

            if (link >= 0)
            {
                _bytes[i] += _world.Rate[i] / 8 * shown[link];
                _mirrored[link] += _world.Rate[i] * shown[link];
                _tickMirror[link] += _world.Rate[i] * shown[link];
                _tickTruth[link] += _world.Rate[i];
            }
        }

        if (shown.Any(s => s > 0))
        {
            LastFrame = _world.Second;
        }

        Poll();
    }

    /// <summary>Ends a tick of the demands.</summary>
    /// <param name="maxCountersAge">Counters that are older are missing.</param>
    public DemandPicture<int> EndTick(TimeSpan maxCountersAge)
    {
        for (int i = 0; i < _bytes.Length; i++)
        {
            _seen[i] = _bytes[i] > 0;
            Flush(i);
        }

        _demand.EndTick(_world.Second * TimeProvider.System.TimestampFrequency);
        bool missing = _world.Second - LastPoll > maxCountersAge.TotalSeconds;
        DemandPicture<int> picture = _demand.Picture(MaxPrefixes);
        if (_tickSeconds > 0)
        {
            long[] loads = LoadsOf(picture);
            _beliefs.EndTick(
                [.. _tickMirror.Select((m, l) => new LinkRates((long)(m / _tickSeconds), _counter[l], _world.Scenario.Links[l].CapacityBps, _world.LinkUp[l], missing, _demand.GrownShare(new LinkId((ushort)(l + 1))), loads[l + 1]))]);
            Covered = Enumerable.Range(0, _tickMirror.Length).All(Covers);
            for (int l = 0; l < _mirrorBps.Length; l++)
            {
                _mirrorBps[l] = _tickMirror[l] / _tickSeconds;
            }

            Array.Clear(_tickMirror);
            Array.Clear(_tickTruth);
            _tickSeconds = 0;
        }

        return picture;
    }

    /// <summary>Load by the demands, by link from 1.</summary>
    private long[] LoadsOf(DemandPicture<int> picture)
    {
        long[] loads = new long[_tickMirror.Length + 1];
        foreach (DemandRate<int> rate in picture.Top)
        {
            loads[rate.Link.Value] += rate.RateBps;
        }

        foreach ((LinkId link, long rate) in picture.RestBps)
        {
            loads[link.Value] += rate;
        }

        return loads;
    }

    private bool Covers(int link)
    {
        double mirror = _tickMirror[link] / _tickSeconds;
        double offered = _tickTruth[link] / _tickSeconds;
        double carried = Math.Min(offered, _world.Scenario.Links[link].CapacityBps);

        // What exceeds the capacity is seen by the mirror and not by the counter: either is the truth. Rates are whole bit/s.
        double error = _beliefs[link].ErrorBps((long)mirror) + 2 + (1e-6 * offered);
        return mirror - error <= offered && mirror + error >= carried;
    }

    private DemandEstimator<int> Estimator() => new(new DemandOptions { Window = _world.Scenario.Appliance.Window }, TimeProvider.System);

    private void Flush(int prefix)
    {
        if (_bytes[prefix] > 0)
        {
            _demand.Add(prefix, new LinkId((ushort)(_link[prefix] + 1)), (long)_bytes[prefix]);
            _bytes[prefix] = 0;
        }
    }

    private void Poll()
    {
        _countedSeconds++;
        for (int l = 0; l < _counted.Length; l++)
        {
            // What exceeds the capacity is dropped behind the mirror, and before the counter.
            _counted[l] += Math.Min(_router.Load[l], _world.Scenario.Links[l].CapacityBps) * (_world.Find(ScenarioEventKind.CounterLies, _number + 1, l)?.Value ?? 1);
        }

        if (_world.Second % _poll != 0 || _world.Find(ScenarioEventKind.CountersStale, _number + 1) is not null)
        {
            return;
        }

        for (int l = 0; l < _counted.Length; l++)
        {
            _counter[l] = (long)(_counted[l] / _countedSeconds);
            _unseen[l].Compare(_counter[l]!.Value, _mirrored[l] / _countedSeconds, _countedSeconds);
            _beliefs.Compare(
                l, new RateComparison(_counter[l]!.Value, _mirrored[l] / _countedSeconds, _mirrored[l] / _countedSeconds / PacketBits, _countedSeconds),
                _world.Scenario.Links[l].CapacityBps);
            _counted[l] = 0;
            _mirrored[l] = 0;
        }

        _countedSeconds = 0;
        LastPoll = _world.Second;
    }
}
