using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: the octets of a message from a collector, as a broker would hand them to a controller.</summary>
public sealed class DeltaTarget : IFuzzTarget
{
    /// <summary>Least octets of a cell: its place, its length, its packets and its bytes, one each. That of unmatched packets needs no place.</summary>
    private const int CellOctets = 4;

    public string Name => "delta";

    public string Description => "ticks of collectors: a typed outcome; what is taken is sound, no larger than it says, and is written and read again equal";

    public int Weight => 2;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        input.Append(DeltaCodec.Encode(Any(random)));
        if (!random.OneIn(8))
        {
            mutator.Octets(input, 0);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        bool taken = DeltaCodec.TryDecode(input.ToArray(), out TrafficDelta? delta, out DeltaFault fault);
        Check.That(taken == delta is not null && taken == (fault == DeltaFault.None), $"{fault} with {delta}");
        if (delta is null)
        {
            return new(fault.ToString(), Digest.Of(fault.ToString()));
        }

        int cells = 0;
        foreach (LinkDelta link in delta.Links)
        {
            cells += link.Prefixes.Count;
            Check.That(link.Packets.Count == link.Prefixes.Count && link.IpBytes.Count == link.Prefixes.Count, $"columns of {link.Link} differ");
            Check.That(link.Packets.All(n => n >= 0) && link.IpBytes.All(n => n >= 0), $"a negative count of {link.Link}");
            Check.That(link.Sampling >= 1, $"sampling {link.Sampling}");
            for (int i = 1; i < link.Prefixes.Count; i++)
            {
                Check.That(link.Prefixes[i - 1].CompareTo(link.Prefixes[i]) < 0, $"{link.Prefixes[i]} is out of order");
            }
        }

        Check.That((cells - delta.Links.Count) * CellOctets <= input.Length, $"{cells} cells of {input.Length} octets");
        byte[] written = DeltaCodec.Encode(delta);
        Check.That(DeltaCodec.TryDecode(written, out TrafficDelta? again, out DeltaFault refused), $"what was taken is refused when it is written again: {refused}");
        Check.That(DeltaCodec.Encode(again!).AsSpan().SequenceEqual(written), $"is not the same again");
        return new("taken", Digest.Of(written));
    }

    private static TrafficDelta Any(FuzzRandom random) => new()
    {
        Site = "fra1",
        Box = "c1",
        Run = (long)(random.Next() >> 8) + 1,
        Sequence = (long)(random.Next() >> (5 + random.Below(50))) + 1,
        Tick = (long)(random.Next() >> 20),
        Period = TimeSpan.FromSeconds(5),
        Length = TimeSpan.FromSeconds(5),
        ConfigHash = random.OneIn(2) ? "" : "0123abcd",
        Links = [.. Enumerable.Range(0, random.Below(4)).Select(i => AnyLink(random, i == 0 ? "" : $"isp-{i}"))],
        Counters = new CollectorCounters { Frames = random.Below(1000), IpBytes = (long)(random.Next() >> 5), DeltasDropped = random.Below(2) },
        Health = new CollectorHealth { TableComplete = random.OneIn(2), LossRatio = random.Below(3) / 2.0, Problems = random.OneIn(2) ? [] : ["what is wrong"], Version = "1.2.3" },
    };

    private static LinkDelta AnyLink(FuzzRandom random, string name)
    {
        SortedSet<IpPrefix> prefixes = [];
        for (int n = random.Below(30); n > 0; n--)
        {
            bool ipv4 = !random.OneIn(3);
            IpAddr address = ipv4 ? IpAddr.FromIPv4((uint)random.Next()) : IpAddr.FromIPv6(random.Next(), random.OneIn(4) ? random.Next() : 0);
            int length = random.Below(address.BitLength + 1);
            prefixes.Add(IpPrefix.Create(IpPrefix.Mask(address, length), length));
        }

        IpPrefix[] all = [.. random.OneIn(2) ? [default] : Array.Empty<IpPrefix>(), .. prefixes];
        return new LinkDelta
        {
            Link = name,
            Prefixes = all,
            Packets = [.. all.Select(_ => (long)(random.Next() >> (5 + random.Below(55))))],
            IpBytes = [.. all.Select(_ => (long)(random.Next() >> (5 + random.Below(55))))],
            Sampling = random.OneIn(2) ? 1 : 1 + random.Below(5000),
        };
    }
}
