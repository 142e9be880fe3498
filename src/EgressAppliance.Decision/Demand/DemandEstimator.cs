using System.Runtime.InteropServices;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Demand;

/// <summary>
/// Estimates the rate of each key (a prefix) from bytes per tick. The key is the prefix alone, not prefix and link, so that the estimate
/// goes on undisturbed when the prefix changes its link, by us or by BGP; the link is remembered beside it.
/// </summary>
/// <remarks>
/// Rises are followed fast, since a link fills at once; falls slowly, since giving back too early means moving again. A plain
/// "fast up, slow down" average, though, settles near the peaks of a noisy rate and overstates a link by several percent. So
/// a sample counts as a rise only when it stands out of the entry's usual deviation, or when several in a row lie above; what merely
/// jitters is averaged slowly in both directions and without bias.
/// Beside that rate there is a mean of the last two minutes, alike for rise and fall: what a prefix settles at, while the rate is what a link has to bear now.
/// Memory is bounded: an entry, 40 bytes beside its key, goes when it is idle and its rate has decayed, and beyond <see cref="DemandOptions.MaxEntries"/> bytes
/// are kept per link only. Not safe for concurrent use.
/// </remarks>
/// <typeparam name="TKey">A prefix or its id.</typeparam>
public sealed class DemandEstimator<TKey>
    where TKey : notnull, IComparable<TKey>
{
    // Samples in a row above the estimate that make a rise although each is within the usual deviation.
    private const int RiseRun = 4;
    private const float StandsOut = 2.5f;

    // A doubled mirror doubles all of it, but for what jitters; what noise does not come to in a tick. In the tick in which it begins to double, it shows less.
    private const double WholeJump = 1.8;
    private const double OfJump = 0.6;
    private static readonly float[] Growths = [1.1f, 1.2f, 1.4f, 1.6f];
    private readonly DemandOptions _options;
    private readonly TimeProvider _time;
    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly Dictionary<LinkId, RateMeter> _untracked = [];
    private readonly List<TKey> _gone = [];

    // By link: the means of its keys, what they have in this tick, and, for each growth, the means of those of them that have grown by it.
    private readonly double[] _means = new double[LinkId.MaxValue + 1];
    private readonly double[] _now = new double[LinkId.MaxValue + 1];
    private readonly double[] _grown = new double[(LinkId.MaxValue + 1) * Growths.Length];

    // By link: packets of the tick under way, those looked at among them, and one in how many that was in the latest tick with any.
    private readonly double[] _tickPackets = new double[LinkId.MaxValue + 1];
    private readonly double[] _tickSeen = new double[LinkId.MaxValue + 1];
    private readonly double[] _sampling = new double[LinkId.MaxValue + 1];
    private long? _lastTimestamp;
    private double _measured;
    private double _slow = 1;
    private double _tickSeconds;

    // By link, in a tick whose counts are not of all links or not of the whole of it.
    private readonly Weights[] _weights = new Weights[LinkId.MaxValue + 1];

    /// <summary>An empty estimator.</summary>
    /// <param name="options">How rates are estimated.</param>
    /// <param name="time">Gives timestamps their frequency; never asked for the time.</param>
    public DemandEstimator(DemandOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Sampling, 1, nameof(options));
        _options = options;
        _time = time;
        Array.Fill(_sampling, options.Sampling);
    }

    /// <summary>Keys held.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds bytes that left by a link in the tick under way. Several calls for a key add up.</summary>
    /// <param name="key">The key.</param>
    /// <param name="link">The link.</param>
    /// <param name="bytes">Bytes as they were captured.</param>
    /// <param name="packets">Packets they came in, as they were captured: what the error from sampling is computed from.</param>
    public void Add(TKey key, LinkId link, long bytes, long packets = 0) =>
        AddScaled(key, link, bytes * _options.Sampling, packets * _options.Sampling, packets);

    /// <summary>Adds bytes of which it is known how they were sampled. Several calls for a key add up.</summary>
    /// <param name="key">The key.</param>
    /// <param name="link">The link. The error of its keys goes by what its packets were sampled with on average.</param>
    /// <param name="bytes">Bytes, scaled up by the sampling.</param>
    /// <param name="packets">Packets that they came in, scaled up.</param>
    /// <param name="seen">Packets that were looked at: what the error from sampling is computed from.</param>
    public void AddScaled(TKey key, LinkId link, long bytes, double packets, double seen)
    {
        long scaled = bytes;
        if (_entries.Count >= _options.MaxEntries && !_entries.ContainsKey(key))
        {
            AddScaledUntracked(link, bytes);
            return;
        }

        _tickPackets[link.Value] += packets;
        _tickSeen[link.Value] += seen;

        ref Entry entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out _);
        entry.Pending += scaled;
        entry.PendingPackets += (float)seen;
        if (link == entry.Candidate)
        {
            entry.CandidateBytes += scaled;
        }
        else if (entry.CandidateBytes < scaled)
        {
            // Each link adds once a tick as a rule, so the largest of these is the link that carries most.
            entry.Candidate = link;
            entry.CandidateBytes = scaled;
        }
    }

    /// <summary>Adds bytes that belong to no key (no prefix matched) in the tick under way.</summary>
    public void AddUntracked(LinkId link, long bytes) => AddScaledUntracked(link, bytes * _options.Sampling);

    /// <summary>The same for bytes that are scaled up already.</summary>
    public void AddScaledUntracked(LinkId link, long bytes)
    {
        if (!_untracked.TryGetValue(link, out RateMeter? meter))
        {
            _untracked[link] = meter = new(_options.Window);
        }

        meter.Add(bytes);
    }

    /// <summary>
    /// Ends the tick. The first call only marks the beginning: what was added before is dropped, since the time it took is unknown.
    /// A tick of no length is joined to the next.
    /// </summary>
    /// <param name="timestamp">As of <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <param name="coveredSeconds">
    /// By link, the time that what was added stands for; 0: nothing is known of the link in this tick, so that its keys keep their rates and their error grows with age. Empty: of all
    /// links, the time since the tick before.
    /// </param>
    public void EndTick(long timestamp, ReadOnlySpan<double> coveredSeconds = default)
    {
        if (_lastTimestamp is not { } last)
        {
            _lastTimestamp = timestamp;
            _entries.Clear();
            _untracked.Clear();
            Array.Clear(_tickPackets);
            Array.Clear(_tickSeen);
            return;
        }

        TimeSpan elapsed = _time.GetElapsedTime(last, timestamp);
        if (elapsed <= TimeSpan.Zero)
        {
            return;
        }

        _lastTimestamp = timestamp;
        double seconds = elapsed.TotalSeconds;
        double fast = Smoothing.Fast(_options.Window, seconds);
        double slow = Smoothing.Slow(_options.Window, seconds);
        _measured += seconds;
        Weights weights = new((float)fast, (float)slow, (float)Smoothing.Mean(seconds, _measured), seconds);
        bool partly = !coveredSeconds.IsEmpty;
        for (int i = 0; i < coveredSeconds.Length; i++)
        {
            _weights[i] = WeightsOf(coveredSeconds[i]);
        }

        (_slow, _tickSeconds) = (slow, seconds);
        for (int i = 0; i < _sampling.Length; i++)
        {
            _sampling[i] = _tickSeen[i] > 0 ? _tickPackets[i] / _tickSeen[i] : _sampling[i];
        }

        Array.Clear(_tickPackets);
        Array.Clear(_tickSeen);
        Array.Clear(_means);
        Array.Clear(_now);
        Array.Clear(_grown);
        foreach (TKey key in _entries.Keys)
        {
            ref Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
            bool idle = entry.Pending == 0;
            if (partly)
            {
                weights = _weights[(idle ? entry.Link : entry.Candidate).Value];
                if (!(weights.Seconds > 0) || (entry.Known && !(_weights[entry.Link.Value].Seconds > 0)))
                {
                    Keep(ref entry);
                    if (!entry.Known)
                    {
                        _gone.Add(key);
                    }

                    continue;
                }
            }

            if (entry.Known)
            {
                _means[entry.Link.Value] += entry.Mean;
                double sample = entry.Pending * 8 / weights.Seconds;
                _now[entry.Link.Value] += sample;
                for (int g = 0; g < Growths.Length && sample >= Growths[g] * entry.Mean; g++)
                {
                    _grown[(entry.Link.Value * Growths.Length) + g] += entry.Mean;
                }
            }

            Follow(ref entry, weights);
            if (idle && entry.Rate < _options.ForgetBelowBps)
            {
                _gone.Add(key);
            }
        }

        foreach (TKey key in _gone)
        {
            _entries.Remove(key);
        }

        _gone.Clear();
        foreach ((LinkId link, RateMeter meter) in _untracked)
        {
            meter.EndTick(partly ? TimeSpan.FromSeconds(coveredSeconds[link.Value]) : elapsed);
        }
    }

    /// <summary>
    /// Of what a link carried in the last two minutes, the share whose keys carried 1.6 times as much in the latest tick, 0–1: next to all when a mirror doubles, the part that is
    /// in demand when demand rises. Where all of them together grew to less than 1.8 times, the share whose keys had part in it: grew by 60 % of that or more. 1 while nothing is known.
    /// </summary>
    public double GrownShare(LinkId link)
    {
        double mean = _means[link.Value];
        if (!(mean > 0))
        {
            return 1;
        }

        double whole = _now[link.Value] / mean;
        int growth = Growths.Length - 1;
        while (whole < WholeJump && growth > 0 && Growths[growth] > 1 + (OfJump * (whole - 1)))
        {
            growth--;
        }

        return _grown[(link.Value * Growths.Length) + growth] / mean;
    }

    /// <summary>The rate of a key, or false if it is not held.</summary>
    public bool TryGet(TKey key, out DemandRate<TKey> rate)
    {
        bool found = _entries.TryGetValue(key, out Entry entry);
        rate = found ? RateOf(key, entry) : default;
        return found;
    }

    /// <summary>The largest demands, found with a heap of their number rather than by sorting everything; equal rates go by key.</summary>
    /// <param name="count">How many.</param>
    /// <param name="leastBps">Smaller ones are left to the rest, bit/s.</param>
    public DemandPicture<TKey> Picture(int count, long leastBps = 1)
    {
        PriorityQueue<TKey, (long Rate, TKey Key)> heap = new(Comparer<(long Rate, TKey Key)>.Create((a, b) =>
            a.Rate != b.Rate ? a.Rate.CompareTo(b.Rate) : b.Key.CompareTo(a.Key)));
        Dictionary<LinkId, long> rest = [];
        foreach ((LinkId link, RateMeter meter) in _untracked)
        {
            AddRest(rest, link, meter.RateBps);
        }

        foreach ((TKey key, Entry entry) in _entries)
        {
            long rate = (long)entry.Rate;
            if (rate < leastBps || count <= 0)
            {
                AddRest(rest, entry.Link, rate);
            }
            else if (heap.Count < count)
            {
                heap.Enqueue(key, (rate, key));
            }
            else
            {
                Entry smallest = _entries[heap.EnqueueDequeue(key, (rate, key))];
                AddRest(rest, smallest.Link, (long)smallest.Rate);
            }
        }

        List<DemandRate<TKey>> top = new(heap.Count);
        while (heap.TryDequeue(out TKey? key, out _))
        {
            top.Add(RateOf(key, _entries[key]));
        }

        top.Reverse();
        return new(top, rest);
    }

    private static void AddRest(Dictionary<LinkId, long> rest, LinkId link, long rate)
    {
        if (rate > 0)
        {
            rest[link] = rest.GetValueOrDefault(link) + rate;
        }
    }

    private DemandRate<TKey> RateOf(TKey key, Entry entry) => new(key, (long)entry.Rate, entry.Link, entry.Majority)
    {
        MeanBps = (long)entry.Mean,
        Packets = entry.Packets,
        SamplingError = ErrorBars.Sampling(entry.Packets, _sampling[entry.Link.Value], AverageBytes(entry)),

        // A rate that was not refreshed is by now the estimator's memory rather than traffic; it fades by itself as this grows.
        AgeError = ErrorBars.Age(entry.Silent * _tickSeconds, _options.Window),
    };

    /// <summary>Average size of the entry's packets, bytes: what the rate comes to in the time that the packets are of, divided by them.</summary>
    private double AverageBytes(Entry entry) =>
        entry.Packets > 0 ? entry.Rate * _tickSeconds / _slow / 8 / _sampling[entry.Link.Value] / entry.Packets : 0;

    private Weights WeightsOf(double seconds) => seconds > 0
        ? new((float)Smoothing.Fast(_options.Window, seconds), (float)Smoothing.Slow(_options.Window, seconds), (float)Smoothing.Mean(seconds, Math.Max(_measured, seconds)), seconds)
        : default;

    /// <summary>A tick in which nothing is known of the entry: what may have been added is a part of it only.</summary>
    private static void Keep(ref Entry entry)
    {
        entry.Silent = (byte)Math.Min(entry.Silent + 1, byte.MaxValue);
        entry.Pending = 0;
        entry.PendingPackets = 0;
        entry.Candidate = LinkId.None;
        entry.CandidateBytes = 0;
    }

    private static void Follow(ref Entry entry, in Weights weights)
    {
        float sample = (float)(entry.Pending * 8 / weights.Seconds);
        if (entry.Pending > 0)
        {
            entry.Link = entry.Candidate;
            entry.Majority = entry.CandidateBytes * 2 >= entry.Pending;
            entry.Silent = 0;
        }
        else if (entry.Silent < byte.MaxValue)
        {
            entry.Silent++;
        }

        float error = sample - entry.Rate;
        bool known = entry.Known;

        // What stood out once goes on as a rise until a sample is below: its own first step is in the deviation by then.
        entry.Run = error <= 0 ? (byte)0 : error > StandsOut * entry.Deviation ? (byte)RiseRun : (byte)Math.Min(entry.Run + 1, RiseRun);
        bool rises = entry.Run >= RiseRun;
        entry.Rate = known ? entry.Rate + ((rises ? weights.Fast : weights.Slow) * error) : weights.Fast * sample;
        entry.Deviation += weights.Slow * (Math.Abs(error) - entry.Deviation);
        entry.Mean += weights.Mean * (sample - entry.Mean);
        entry.Packets += entry.PendingPackets - (weights.Slow * entry.Packets);
        entry.Known = true;
        entry.Pending = 0;
        entry.PendingPackets = 0;
        entry.Candidate = LinkId.None;
        entry.CandidateBytes = 0;
    }

    private readonly record struct Weights(float Fast, float Slow, float Mean, double Seconds);

    // 40 bytes, in an order without gaps. Single precision is 6e-8 of a rate, far below any error bar.
    private struct Entry
    {
        public long Pending;
        public float Rate;
        public float Deviation;
        public float Mean;

        // Packets with the weights that their bytes have in the rate when it falls or jitters.
        public float Packets;
        public float CandidateBytes;
        public float PendingPackets;
        public LinkId Candidate;
        public LinkId Link;
        public byte Run;

        // Ticks in a row without a byte.
        public byte Silent;
        public bool Majority;
        public bool Known;
    }
}
