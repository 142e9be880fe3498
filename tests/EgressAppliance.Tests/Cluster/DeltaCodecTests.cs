using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Net;
using Google.Protobuf;

namespace EgressAppliance.Tests.Cluster;

public class DeltaCodecTests
{
    [Fact]
    public void Random_deltas_come_back_as_they_were()
    {
        Random random = new(3);
        for (int i = 0; i < 500; i++)
        {
            TrafficDelta delta = Any(random);
            byte[] message = DeltaCodec.Encode(delta);
            Assert.True(DeltaCodec.TryDecode(message, out TrafficDelta? read, out DeltaFault fault), fault.ToString());
            Assert.Equivalent(delta, read, strict: true);
            Assert.Equal(message, DeltaCodec.Encode(read!));
        }
    }

    [Fact]
    public void Cell_of_a_busy_collector_takes_some_ten_octets()
    {
        Random random = new(4);
        HashSet<IpPrefix> prefixes = [];
        while (prefixes.Count < 50_000)
        {
            prefixes.Add(IpPrefix.Create(IpAddr.FromIPv4((uint)random.NextInt64(0x01000000, 0xE0000000) & 0xFFFFFF00), 24));
        }

        IpPrefix[] sorted = [.. prefixes.Order()];
        TrafficDelta delta = Empty() with
        {
            Links = [new LinkDelta { Link = "a", Prefixes = sorted, Packets = [.. sorted.Select(_ => random.NextInt64(1, 5000))], IpBytes = [.. sorted.Select(_ => random.NextInt64(40, 5_000_000))] }],
        };
        Assert.InRange(DeltaCodec.Encode(delta).Length / 50_000.0, 8, 12);
    }

    [Fact]
    public void Changed_cut_and_random_octets_never_throw()
    {
        Random random = new(5);
        HashSet<DeltaFault> met = [];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] message = DeltaCodec.Encode(Any(random));
            switch (random.Next(4))
            {
                case 0:
                    message = message[..random.Next(message.Length)];
                    break;
                case 1:
                    random.NextBytes(message);
                    break;
                default:
                    for (int n = random.Next(1, 5); n > 0; n--)
                    {
                        message[random.Next(message.Length)] = (byte)random.Next(256);
                    }

                    break;
            }

            if (!DeltaCodec.TryDecode(message, out TrafficDelta? read, out DeltaFault fault))
            {
                Assert.Null(read);
                met.Add(fault);
                continue;
            }

            // What is taken is sound, and says the same when it is written again.
            Assert.All(read!.Links, l => Assert.Equal((l.Prefixes.Count, l.Prefixes.Count), (l.Packets.Count, l.IpBytes.Count)));
            Assert.True(DeltaCodec.TryDecode(DeltaCodec.Encode(read), out TrafficDelta? again, out _));
            Assert.Equivalent(read, again, strict: true);
        }

        Assert.Superset(new HashSet<DeltaFault> { DeltaFault.Malformed, DeltaFault.BadPrefix, DeltaFault.BadValue, DeltaFault.Inconsistent, DeltaFault.UnknownFormat }, met);
    }

    [Fact]
    public void Faults_are_told_apart()
    {
        TrafficDelta good = Empty() with { Links = [Link("a", "192.0.2.0/24")] };
        Assert.Equal(DeltaFault.None, FaultOf(DeltaCodec.Encode(good)));
        Assert.Equal(DeltaFault.UnknownFormat, FaultOf([]));
        Assert.Equal(DeltaFault.UnknownFormat, FaultOf([8, 2, .. DeltaCodec.Encode(good)[2..]]));
        Assert.Equal(DeltaFault.Malformed, FaultOf(DeltaCodec.Encode(good)[..^1]));
        Assert.Equal(DeltaFault.BadValue, FaultOf(DeltaCodec.Encode(good with { Sequence = 0 })));
        Assert.Equal(DeltaFault.BadValue, FaultOf(DeltaCodec.Encode(good with { Period = TimeSpan.Zero })));
        Assert.Equal(DeltaFault.BadValue, FaultOf(DeltaCodec.Encode(good with { Length = TimeSpan.FromTicks(-1) })));
        Assert.Equal(DeltaFault.BadValue, FaultOf(DeltaCodec.Encode(good with { Counters = new CollectorCounters { Frames = -1 } })));
        Assert.Equal(DeltaFault.BadValue, FaultOf(DeltaCodec.Encode(good with { Health = new CollectorHealth { LossRatio = double.NaN } })));
        Assert.Equal(DeltaFault.BadValue, FaultOf(DeltaCodec.Encode(good with { Links = [Link("a", "192.0.2.0/24") with { Sampling = 0.5 }] })));
        Assert.Equal(DeltaFault.BadValue, FaultOf(DeltaCodec.Encode(good with { Links = [Link("a", "192.0.2.0/24") with { Packets = [-1] }] })));
        Assert.Equal(DeltaFault.Inconsistent, FaultOf(DeltaCodec.Encode(good with { Links = [Link("a", "192.0.2.0/24") with { Packets = [] }] })));
        Assert.Equal(DeltaFault.Inconsistent, FaultOf(DeltaCodec.Encode(good with { Links = [Link("a"), Link("a")] })));
        Assert.Equal(DeltaFault.BadPrefix, FaultOf(DeltaCodec.Encode(good with { Links = [Link("a", "192.0.2.0/24", "192.0.2.0/24")] })));
        Assert.Equal(DeltaFault.BadPrefix, FaultOf(DeltaCodec.Encode(good with { Links = [Link("a", "192.0.2.0/24", "10.0.0.0/8")] })));
        Assert.Equal(DeltaFault.TooLarge, FaultOf(DeltaCodec.Encode(good with { Links = [.. Enumerable.Range(0, DeltaCodec.MaxLinks + 1).Select(i => Link($"l{i}"))] })));
    }

    [Fact]
    public void Fields_of_a_newer_collector_are_skipped()
    {
        byte[] message = DeltaCodec.Encode(Empty() with { Links = [Link("a", "192.0.2.0/24")] });
        using MemoryStream newer = new();
        newer.Write(message);
        using (CodedOutputStream output = new(newer, leaveOpen: true))
        {
            output.WriteTag(99, WireFormat.WireType.LengthDelimited);
            output.WriteString("what is to come");
            output.WriteTag(98, WireFormat.WireType.Varint);
            output.WriteInt64(7);
        }

        Assert.True(DeltaCodec.TryDecode(newer.ToArray(), out TrafficDelta? read, out _));
        Assert.Equal(message, DeltaCodec.Encode(read!));
    }

    [Fact]
    public void Problems_are_bounded()
    {
        string[] many = [.. Enumerable.Range(0, 100).Select(i => new string((char)('a' + (i % 26)), 2000))];
        Assert.True(DeltaCodec.TryDecode(DeltaCodec.Encode(Empty() with { Health = new CollectorHealth { Problems = many } }), out TrafficDelta? read, out _));
        Assert.Equal(DeltaCodec.MaxProblems, read!.Health.Problems.Count);
        Assert.All(read.Health.Problems, p => Assert.Equal(DeltaCodec.MaxText, p.Length));
        string pair = new string('x', DeltaCodec.MaxText - 1) + "😀";
        Assert.True(DeltaCodec.TryDecode(DeltaCodec.Encode(Empty() with { Health = new CollectorHealth { Problems = [pair] } }), out read, out _));
        Assert.Equal(pair[..(DeltaCodec.MaxText - 1)], read!.Health.Problems[0]);
    }

    private static DeltaFault FaultOf(byte[] message)
    {
        Assert.Equal(DeltaCodec.TryDecode(message, out _, out DeltaFault fault), fault == DeltaFault.None);
        return fault;
    }

    private static TrafficDelta Empty() => new()
    {
        Site = "fra1",
        Box = "c1",
        Run = 1_700_000_000_000_000_000,
        Sequence = 1,
        Tick = 340_000_000,
        Period = TimeSpan.FromSeconds(5),
        Length = TimeSpan.FromSeconds(5),
    };

    private static LinkDelta Link(string name, params string[] prefixes) => new()
    {
        Link = name,
        Prefixes = [.. prefixes.Select(p => IpPrefix.Parse(p))],
        Packets = [.. prefixes.Select(_ => 3L)],
        IpBytes = [.. prefixes.Select(_ => 300L)],
    };

    private static TrafficDelta Any(Random random) => Empty() with
    {
        Site = random.Next(3) == 0 ? "" : "été",
        Sequence = random.NextInt64(1, long.MaxValue >> 3),
        ConfigHash = random.Next(2) == 0 ? "" : "0123abcd",
        Links = [.. Enumerable.Range(0, random.Next(4)).Select(i => AnyLink(random, i == 0 ? "" : $"isp-{i}"))],
        Counters = new CollectorCounters { Frames = random.Next(), Packets = random.Next(), IpBytes = random.NextInt64(1L << 60), NonIp = random.Next(), DeltasDropped = random.Next(2) },
        Health = new CollectorHealth
        {
            TableComplete = random.Next(2) == 0,
            Prefixes = random.Next(1_000_000),
            LossRatio = random.Next(2) * random.NextDouble(),
            CaptureAge = TimeSpan.FromTicks(random.Next()),
            Problems = [.. Enumerable.Range(0, random.Next(3)).Select(i => i == 0 ? "" : "what is wrong")],
            Version = "1.2.3",
        },
    };

    private static LinkDelta AnyLink(Random random, string name)
    {
        SortedSet<IpPrefix> prefixes = [];
        for (int n = random.Next(40); n > 0; n--)
        {
            int length = random.Next(33);
            IpAddr address = random.Next(3) > 0 ? IpAddr.FromIPv4((uint)random.NextInt64(1L << 32)) : IpAddr.FromIPv6((ulong)random.NextInt64() << 1, random.Next(4) == 0 ? (ulong)random.NextInt64() : 0);
            length = address.Family == IpFamily.IPv6 && address.Low != 0 ? random.Next(129) : length;
            prefixes.Add(IpPrefix.Create(IpPrefix.Mask(address, length), length));
        }

        IpPrefix[] all = [.. random.Next(2) == 0 ? [default] : Array.Empty<IpPrefix>(), .. prefixes];
        return new LinkDelta
        {
            Link = name,
            Prefixes = all,
            Packets = [.. all.Select(_ => random.NextInt64(1L << random.Next(1, 60)))],
            IpBytes = [.. all.Select(_ => random.NextInt64(1L << random.Next(1, 60)))],
            Sampling = random.Next(2) == 0 ? 1 : random.Next(1, 5000) + random.NextDouble(),
        };
    }
}
