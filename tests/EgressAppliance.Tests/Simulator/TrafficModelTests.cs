using System.Buffers.Binary;
using System.Security.Cryptography;
using EgressAppliance.Net;
using EgressAppliance.Simulator.Routing;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Tests.Simulator;

public class TrafficModelTests
{
    private static readonly IReadOnlyList<OriginatedPrefix> Sample = [.. RealPrefixes.Load().Where((_, i) => i % 4 == 0)];

    [Fact]
    public void Generate_over_a_virtual_minute_gives_each_prefix_its_demand_within_one_frame()
    {
        (SimulatedRouter router, TrafficModel model) = Make(TimeSpan.FromMinutes(1));
        Dictionary<IpPrefix, double> wanted = model.Prefixes.ToDictionary(p => p, _ => 0.0);
        Dictionary<IpPrefix, long> got = model.Prefixes.ToDictionary(p => p, _ => 0L);
        HashSet<IpPrefix> table = [.. router.GetPrefixes()];
        Reader reader = new(model);

        for (int second = 0; second < 60; second++)
        {
            // Demand changes linearly within each part of the story, so that the mean of its ends is the exact integral over whole seconds.
            double[] before = [.. wanted.Keys.Select(model.DemandBps)];
            reader.ReadTo(TimeSpan.FromSeconds(second + 1), frame => got[Match(table, frame.Destination)] += frame.IpLength + 18);
            int i = 0;
            foreach (IpPrefix prefix in got.Keys)
            {
                wanted[prefix] += (before[i++] + model.DemandBps(prefix)) / 2 / 8;
            }
        }

        Assert.All(got, p => Assert.InRange(p.Value, wanted[p.Key] - 1519, wanted[p.Key] + 1519));
        Assert.Equal(got.Values.Sum(), model.Octets);
        Assert.Contains(got, p => p.Key.Family == IpFamily.IPv6 && p.Value > 1_000_000);
    }

    [Fact]
    public void Generate_at_the_height_of_the_story_overloads_the_first_link_by_a_fifth_and_its_counter_saturates()
    {
        (SimulatedRouter router, TrafficModel model) = Make(TimeSpan.FromSeconds(8));
        Reader reader = new(model);
        reader.ReadTo(TimeSpan.FromSeconds(3), _ => { });
        long[] before = [.. Enumerable.Range(0, 3).Select(l => router.Interface(l).OutOctets)];

        reader.ReadTo(TimeSpan.FromSeconds(4), _ => { });
        Assert.Equal(router.Links[0].CapacityBps / 8, router.Interface(0).OutOctets - before[0], 2.0);
        Assert.True(router.Interface(0).DroppedFrames > 0);
        Assert.Equal(1.20, model.Truth.Latest.Ratios[0], 0.01);
        Assert.Equal(0.55, model.Truth.Latest.Ratios[1], 0.01);
        Assert.Equal(router.Links[1].CapacityBps / 8 * 0.55, router.Interface(1).OutOctets - before[1], router.Links[1].CapacityBps / 8 * 0.01);

        reader.ReadTo(TimeSpan.FromSeconds(8), _ => { });
        TruthSummary summary = model.Truth.Summarize();
        Assert.Equal(summary.NativePeakRatios, summary.PeakRatios);
        Assert.InRange(summary.OverloadSeconds, 3, 4);
        Assert.Equal(0.70, model.Truth.Latest.Ratios[0], 0.01);
    }

    [Fact]
    public void Generate_writes_frames_that_are_right_by_an_independent_check()
    {
        (SimulatedRouter router, TrafficModel model) = Make(TimeSpan.FromSeconds(4));
        Dictionary<MacAddress, int> links = Enumerable.Range(0, 3).ToDictionary(i => router.Links[i].ProviderMac);
        HashSet<int> lengths = [];
        HashSet<IpFamily> families = [];
        int seen = 0;

        new Reader(model).ReadTo(TimeSpan.FromMilliseconds(400), frame =>
        {
            Assert.Equal(links[frame.DestinationMac], router.Forward(frame.Destination).Link);
            families.Add(frame.Destination.Family);
            lengths.Add(frame.IpLength);
            seen++;
        });

        Assert.True(seen > 1000);
        Assert.Equal(2, families.Count);
        Assert.Equal([64, 72, 104, 576, 1500], lengths.Order());
    }

    [Fact]
    public void Generate_with_the_same_seed_gives_the_same_octets_and_with_another_seed_others()
    {
        byte[] first = Digest(1);

        Assert.Equal(first, Digest(1));
        Assert.NotEqual(first, Digest(2));
    }

    [Fact]
    public void Generate_after_an_override_addresses_the_other_link_and_the_truth_keeps_the_native_one()
    {
        (SimulatedRouter router, TrafficModel model) = Make(TimeSpan.FromSeconds(40));
        IpPrefix moved = model.Prefixes.Where(p => router.BestOf(p).Link == 0 && p.Family == IpFamily.IPv4).MaxBy(model.DemandBps);
        Reader reader = new(model);
        reader.ReadTo(TimeSpan.FromSeconds(1), _ => { });
        LoadSample before = model.Truth.Latest;
        Assert.Equal(0.55, before.Ratios[1], 0.01);

        router.InstallOverride(moved, new()
        {
            NextHop = router.Links[1].NextHopIPv4,
            AsPath = [64502, 1],
            LocalPref = 200,
            IsExternal = false,
        });
        HashSet<MacAddress> macs = [];
        HashSet<IpPrefix> table = [.. router.GetPrefixes()];
        reader.ReadTo(TimeSpan.FromSeconds(2), f => _ = Match(table, f.Destination) == moved && macs.Add(f.DestinationMac));

        Assert.Equal([router.Links[1].ProviderMac], macs);
        double share = model.DemandBps(moved);
        Assert.Equal(before.Ratios[1] + (share / router.Links[1].CapacityBps), model.Truth.Latest.Ratios[1], 0.01);
        Assert.Equal(before.Ratios[1], model.Truth.Latest.NativeRatios[1], 0.01);
    }

    [Fact]
    public void Generate_allocates_nothing_for_frames()
    {
        (_, TrafficModel model) = Make(TimeSpan.FromSeconds(40));
        byte[] buffer = new byte[1024 * FrameWriter.SnapLength];
        SimulatedFrame[] frames = new SimulatedFrame[1024];
        model.Generate(TimeSpan.FromMilliseconds(100), buffer, frames);

        int milliseconds = 100;
        int count = 0;
        Assert.Equal(0, Allocations.InSteadyState(() => count += model.Generate(TimeSpan.FromMilliseconds(milliseconds += 5), buffer, frames)));
        Assert.True(count > 0);
    }

    private static (SimulatedRouter Router, TrafficModel Model) Make(TimeSpan story, ulong seed = 1)
    {
        SimulatedRouter router = ThreeProviders.Build(Sample, ThreeProviders.Links(40_000_000, 30_000_000, 30_000_000));
        TrafficModel model = new(router, SurgeScenario.Once(story), seed);
        model.StartStory();
        return (router, model);
    }

    private static byte[] Digest(ulong seed)
    {
        (_, TrafficModel model) = Make(TimeSpan.FromSeconds(10), seed);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[777 * FrameWriter.SnapLength];
        SimulatedFrame[] frames = new SimulatedFrame[777];
        int count;
        while ((count = model.Generate(TimeSpan.FromMilliseconds(300), buffer, frames)) > 0)
        {
            for (int i = 0; i < count; i++)
            {
                hash.AppendData(buffer, frames[i].Offset, frames[i].CapturedLength);
                hash.AppendData(BitConverter.GetBytes(frames[i].WireLength));
            }
        }

        return hash.GetHashAndReset();
    }

    private static IpPrefix Match(HashSet<IpPrefix> table, IpAddr address)
    {
        for (int length = address.BitLength; ; length--)
        {
            if (table.TryGetValue(IpPrefix.Create(address, length), out IpPrefix found))
            {
                return found;
            }
        }
    }

    private readonly record struct Parsed(MacAddress DestinationMac, IpAddr Destination, int IpLength);

    /// <summary>Reads frames and checks each by its own reading of RFC 791, 8200 and 768.</summary>
    private sealed class Reader(TrafficModel model)
    {
        private readonly byte[] _buffer = new byte[2000 * FrameWriter.SnapLength];
        private readonly SimulatedFrame[] _frames = new SimulatedFrame[2000];

        public void ReadTo(TimeSpan until, Action<Parsed> use)
        {
            int count;
            while ((count = model.Generate(until, _buffer, _frames)) > 0)
            {
                for (int i = 0; i < count; i++)
                {
                    use(Parse(_buffer.AsSpan(_frames[i].Offset, _frames[i].CapturedLength), _frames[i].WireLength));
                }
            }

            if (model.Now != until)
            {
                Assert.Fail($"stopped at {model.Now} before {until}");
            }
        }

        private static Parsed Parse(ReadOnlySpan<byte> frame, int wireLength)
        {
            Require(frame.Length == Math.Min(128, wireLength), "captured length");
            ReadOnlySpan<byte> ip = frame[14..];
            bool v4 = frame[12] == 8 && frame[13] == 0;
            Require(v4 || (frame[12] == 0x86 && frame[13] == 0xDD), "ethertype");
            int length = v4 ? BinaryPrimitives.ReadUInt16BigEndian(ip[2..]) : 40 + BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
            Require(length + 14 == wireLength, "length");
            Require(ip[0] == (v4 ? 0x45 : 0x60), "version");
            Require(ip[v4 ? 9 : 6] == 17, "protocol");
            if (v4)
            {
                Require(OnesComplement(ip[..20], 0) == 0xFFFF, "header checksum");
            }

            ReadOnlySpan<byte> udp = ip[(v4 ? 20 : 40)..];
            int udpLength = BinaryPrimitives.ReadUInt16BigEndian(udp[4..]);
            Require(udpLength == length - (v4 ? 20 : 40), "udp length");
            ushort pseudo = OnesComplement(v4 ? ip[12..20] : ip[8..40], (uint)(17 + udpLength));
            Require(OnesComplement(udp, pseudo) == 0xFFFF, "udp checksum");
            return new(MacAddress.FromBytes(frame), IpAddr.FromBytes(v4 ? ip[16..20] : ip[24..40]), length);
        }

        private static ushort OnesComplement(ReadOnlySpan<byte> bytes, uint sum)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                sum += (uint)bytes[i] << (i % 2 == 0 ? 8 : 0);
                sum = (sum & 0xFFFF) + (sum >> 16);
            }

            return (ushort)((sum & 0xFFFF) + (sum >> 16));
        }

        private static void Require(bool condition, string what)
        {
            if (!condition)
            {
                Assert.Fail($"wrong {what}");
            }
        }
    }
}
