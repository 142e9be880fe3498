using EgressAppliance.Net;
using EgressAppliance.Simulator.Routing;

namespace EgressAppliance.Simulator.Traffic;

/// <summary>
/// The traffic of a content provider towards the simulated router's prefixes: how much each prefix wants at any time, and the frames that carry exactly that.
/// <para>
/// Each prefix is one flow with a token bucket. Model time goes in steps of <see cref="Step"/>: at its start every bucket gains what its
/// prefix wants in that step (rate at the middle of the step), then frames leave while their octets are covered. So the octets of a prefix never
/// differ from its demand by more than one frame, over any time, and no rate is ever scaled: each octet that a counter shows belongs to a frame.
/// </para>
/// <para>
/// Every frame is addressed to the MAC of the link that the router's forwarding table names at that step, offered to that port, and accounted
/// twice in the <see cref="GroundTruth"/>: where it went and where plain BGP would have sent it. Destinations lie in their prefix but in none
/// of its more-specifics; a prefix wholly covered by those has no traffic.
/// </para>
/// <para>
/// The caller says up to when to generate: by a clock in the demo, at will in tests. Same seed, router and calls give the same octets. One
/// thread generates; members that say so may be called from any.
/// </para>
/// </summary>
public sealed class TrafficModel
{
    /// <summary>Granularity of model time.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    private const int DestinationsPerFlow = 4;

    /// <summary>IP lengths by turns: bulk data in full packets, some middling ones, and acknowledgements. 992 octets on average.</summary>
    private static readonly ushort[] Sizes = [1500, 1500, 576, 1500, 64, 1500, 1500, 72, 1500, 576, 104, 1500];

    private readonly SimulatedRouter _router;
    private readonly SurgeScenario _scenario;
    private readonly Flow[] _flows;
    private readonly IpAddr[] _destinations;
    private readonly Dictionary<IpPrefix, int> _flowOfPrefix = [];
    private readonly IpAddr _sourceIPv4 = IpAddr.FromIPv4(0xCB00_710A); // 203.0.113.10
    private readonly IpAddr _sourceIPv6 = IpAddr.FromIPv6(0x2001_0DB8_000C_0000, 0x10);
    private readonly double _surgeGain;
    private SplitMix64 _random;
    private int _cursor;
    private long _nowTicks;
    private long _forwardingVersion = -1;
    private long _storyStartTicks = long.MaxValue;
    private volatile bool _storyRequested;
    private long _frames;
    private long _octets;
    private long _unroutedFrames;
    private long _blackholedFrames;

    /// <summary>Traffic for the prefixes that the router has now.</summary>
    /// <exception cref="ArgumentException">The scenario names a load for another number of links than the router has.</exception>
    public TrafficModel(SimulatedRouter router, SurgeScenario scenario, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(scenario);
        if (scenario.BaseRatios.Count != router.Links.Count)
        {
            throw new ArgumentException("The scenario needs one base ratio for each link.", nameof(scenario));
        }

        _router = router;
        _scenario = scenario;
        _random = new(seed);
        Truth = new([.. router.Links.Select(l => l.CapacityBps)]);
        (_flows, _destinations) = MakeFlows(router.GetPrefixes());
        _cursor = _flows.Length;
        ShareDemand();
        _surgeGain = SurgeGain();
    }

    /// <summary>Loads as the router knows them.</summary>
    public GroundTruth Truth { get; }

    /// <summary>Model time up to which frames have been generated. Any thread.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(Volatile.Read(ref _nowTicks));

    /// <summary>Frames that left for a link, and so were mirrored. Any thread.</summary>
    public long Frames => Volatile.Read(ref _frames);

    /// <summary>Their octets with layer-2 overhead. Any thread.</summary>
    public long Octets => Volatile.Read(ref _octets);

    /// <summary>Frames the router had no route for; they never reach a link. Any thread.</summary>
    public long UnroutedFrames => Volatile.Read(ref _unroutedFrames);

    /// <summary>Frames sent to a provider that had no route for them. Any thread.</summary>
    public long BlackholedFrames => Volatile.Read(ref _blackholedFrames);

    /// <summary>Prefixes that have traffic.</summary>
    public IEnumerable<IpPrefix> Prefixes => _flowOfPrefix.Keys;

    /// <summary>Time since the story began; negative before. Any thread.</summary>
    public TimeSpan StoryTime
    {
        get
        {
            long start = Volatile.Read(ref _storyStartTicks);
            return start == long.MaxValue ? TimeSpan.MinValue : Now - TimeSpan.FromTicks(start);
        }
    }

    /// <summary>Starts the story, and the measurement of <see cref="Truth"/>, with the next step; until then all load is normal. Any thread.</summary>
    public void StartStory() => _storyRequested = true;

    /// <summary>What a prefix wants at present, bit/s with layer-2 overhead; 0 for one without traffic. Any thread.</summary>
    public double DemandBps(IpPrefix prefix) =>
        _flowOfPrefix.TryGetValue(prefix, out int flow) ? Rate(_flows[flow], Surge(StoryTime)) : 0;

    /// <summary>
    /// Writes the next frames up to a model time.
    /// </summary>
    /// <param name="until">Model time to reach; whole steps only.</param>
    /// <param name="buffer">Where the frames go, <see cref="FrameWriter.SnapLength"/> octets for each.</param>
    /// <param name="frames">Where each frame lies.</param>
    /// <returns>Frames written. Less than fit: all up to <paramref name="until"/> are out. As many as fit: call again.</returns>
    public int Generate(TimeSpan until, Span<byte> buffer, Span<SimulatedFrame> frames)
    {
        int room = Math.Min(frames.Length, buffer.Length / FrameWriter.SnapLength);
        int count = 0;
        while (true)
        {
            if (_cursor == _flows.Length)
            {
                if (Now + Step > until)
                {
                    return count;
                }

                BeginStep();
            }

            for (; _cursor < _flows.Length; _cursor++)
            {
                ref Flow flow = ref _flows[_cursor];
                while (flow.Credit >= flow.NextOctets)
                {
                    if (count == room)
                    {
                        return count;
                    }

                    count += Emit(ref flow, buffer[(count * FrameWriter.SnapLength)..], ref frames[count], count * FrameWriter.SnapLength);
                }
            }

            EndStep();
        }
    }

    private void BeginStep()
    {
        if (_storyRequested && Volatile.Read(ref _storyStartTicks) == long.MaxValue)
        {
            Truth.Begin(Now);
            Volatile.Write(ref _storyStartTicks, _nowTicks);
        }

        long version = _router.Version;
        if (version != _forwardingVersion)
        {
            _forwardingVersion = version;
            for (int i = 0; i < _flows.Length; i++)
            {
                _flows[i].Decision = _router.Forward(_destinations[i * DestinationsPerFlow]);
            }
        }

        double surge = Surge(StoryTime + (Step / 2));
        double bytesPerBps = Step.TotalSeconds / 8;
        for (int i = 0; i < _flows.Length; i++)
        {
            _flows[i].Credit += Rate(_flows[i], surge) * bytesPerBps;
        }

        _cursor = 0;
    }

    private void EndStep()
    {
        Volatile.Write(ref _nowTicks, _nowTicks + Step.Ticks);
        TimeSpan now = Now;
        for (int i = 0; i < _router.Links.Count; i++)
        {
            _router.Interface(i).DrainTo(now);
        }

        Truth.Advance(now);
    }

    /// <summary>Takes one frame out of the bucket; 1 if it was written, 0 if the router had no route for it.</summary>
    private int Emit(ref Flow flow, Span<byte> buffer, ref SimulatedFrame frame, int offset)
    {
        int octets = flow.NextOctets;
        flow.Credit -= octets;
        flow.NextSize = (byte)((flow.NextSize + 1) % Sizes.Length);
        ulong random = _random.Next();
        ForwardingDecision decision = flow.Decision;
        Truth.Add(decision.Link, decision.NativeLink, octets);
        if (decision.Link < 0)
        {
            Volatile.Write(ref _unroutedFrames, _unroutedFrames + 1);
            return 0;
        }

        SimulatedLinkOptions link = _router.Links[decision.Link];
        _router.Interface(decision.Link).Offer(octets);
        IpAddr destination = _destinations[(flow.Index * DestinationsPerFlow) + (int)(random >> 62)];
        int ipLength = octets - FrameWriter.Layer2Overhead;
        uint ports = 443u << 16 | 1024 + (ushort)random % 64000u;
        int captured = FrameWriter.Write(
            buffer, link.ProviderMac, link.RouterMac, destination.Family == IpFamily.IPv4 ? _sourceIPv4 : _sourceIPv6, destination, ipLength, ports);
        frame = new(offset, captured, FrameWriter.EthernetHeader + ipLength);
        Volatile.Write(ref _frames, _frames + 1);
        Volatile.Write(ref _octets, _octets + octets);
        if (decision.Blackholed)
        {
            Volatile.Write(ref _blackholedFrames, _blackholedFrames + 1);
        }

        return 1;
    }

    private double Rate(in Flow flow, double surge) => flow.Surges ? flow.BaseBps * (1 + (_surgeGain * surge)) : flow.BaseBps;

    private double Surge(TimeSpan storyTime) => storyTime < TimeSpan.Zero ? 0 : _scenario.SurgeAt(storyTime);

    private (Flow[] Flows, IpAddr[] Destinations) MakeFlows(IpPrefix[] prefixes)
    {
        HashSet<IpPrefix> table = [.. prefixes];
        List<Flow> flows = [];
        List<IpAddr> destinations = [];
        foreach (IpPrefix prefix in prefixes)
        {
            if (TryPickDestinations(prefix, table, destinations))
            {
                ForwardingDecision decision = _router.Forward(destinations[^1]);
                _flowOfPrefix.Add(prefix, flows.Count);
                flows.Add(InTheMidst(new Flow { Index = flows.Count, Decision = decision }));
            }
        }

        return ([.. flows], [.. destinations]);
    }

    /// <summary>Puts a flow at a random point of its turns of sizes: if all began with empty buckets, the first second would carry too little.</summary>
    private Flow InTheMidst(Flow flow)
    {
        flow.Credit = _random.NextDouble() * Sizes.Sum(s => s + FrameWriter.Layer2Overhead);
        while (flow.Credit >= flow.NextOctets)
        {
            flow.Credit -= flow.NextOctets;
            flow.NextSize++;
        }

        return flow;
    }

    /// <summary>Addresses in the prefix whose longest match in the table is that prefix.</summary>
    private bool TryPickDestinations(IpPrefix prefix, HashSet<IpPrefix> table, List<IpAddr> destinations)
    {
        int before = destinations.Count;
        for (int attempt = 0; attempt < 64; attempt++)
        {
            IpAddr noise = IpAddr.FromBits(prefix.Family, _random.Next(), _random.Next());
            IpAddr host = IpPrefix.Mask(noise, prefix.Length);
            IpAddr address = IpAddr.FromBits(
                prefix.Family, prefix.Address.High | (noise.High ^ host.High), prefix.Address.Low | (noise.Low ^ host.Low));
            int length = address.BitLength;
            while (!table.Contains(IpPrefix.Create(address, length)))
            {
                length--;
            }

            if (length == prefix.Length)
            {
                destinations.Add(address);
                if (destinations.Count == before + DestinationsPerFlow)
                {
                    return true;
                }
            }
        }

        destinations.RemoveRange(before, destinations.Count - before);
        return false;
    }

    /// <summary>Gives every link its normal load, shared among its native prefixes by Zipf's law in an order that the seed decides.</summary>
    private void ShareDemand()
    {
        for (int link = 0; link < _router.Links.Count; link++)
        {
            int[] members = [.. Enumerable.Range(0, _flows.Length).Where(i => _flows[i].Decision.NativeLink == link)];
            for (int i = members.Length - 1; i > 0; i--)
            {
                int j = _random.Next(i + 1);
                (members[i], members[j]) = (members[j], members[i]);
            }

            double weights = 0;
            for (int rank = 1; rank <= members.Length; rank++)
            {
                weights += Math.Pow(rank, -_scenario.ZipfExponent);
            }

            double total = _scenario.BaseRatios[link] * _router.Links[link].CapacityBps;
            for (int rank = 1; rank <= members.Length; rank++)
            {
                ref Flow flow = ref _flows[members[rank - 1]];
                flow.BaseBps = total * Math.Pow(rank, -_scenario.ZipfExponent) / weights;
                flow.Surges = link == 0 && rank % 3 == 2;
            }
        }
    }

    /// <summary>By how much the prefixes of the surge grow at its height, so that the first link needs exactly the scenario's peak.</summary>
    private double SurgeGain()
    {
        double surging = _flows.Where(f => f.Surges).Sum(f => f.BaseBps);
        double extra = (_scenario.PeakRatio - _scenario.BaseRatios[0]) * _router.Links[0].CapacityBps;
        return surging > 0 ? extra / surging : 0;
    }

    private struct Flow
    {
        public int Index;
        public double BaseBps;
        public bool Surges;
        public double Credit;
        public byte NextSize;
        public ForwardingDecision Decision;

        public readonly int NextOctets => Sizes[NextSize] + FrameWriter.Layer2Overhead;
    }
}
