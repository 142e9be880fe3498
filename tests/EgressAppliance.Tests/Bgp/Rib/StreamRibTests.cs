using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Rib;

/// <summary>From octets to routes: streams of UPDATEs of three peers, cut and woven together by chance, against a dictionary that never saw an octet.</summary>
public sealed class StreamRibTests
{
    private const int Peers = 3;

    [Fact]
    public void Streams_give_the_same_routes_however_they_are_cut() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var make = new WireGenerators(seed);
            var expected = new Dictionary<Key, PathAttributes>();
            BgpCodecOptions[] options = [.. Enumerable.Range(0, Peers).Select(_ => make.Options())];
            byte[][] streams = [.. Enumerable.Range(0, Peers).Select(peer => Stream(make, random, peer, options[peer], expected))];

            for (int way = 0; way < 3; way++)
            {
                using var prefixes = new PrefixTable();
                var table = new RibTable(Peers, prefixes);
                var readers = streams.Select((s, peer) => new Reader(s, peer, options[peer])).ToList();
                while (readers.Exists(r => !r.AtEnd))
                {
                    Reader reader = readers[random.Next(Peers)];
                    reader.Take(way == 0 ? int.MaxValue : random.Next(1, way == 1 ? 8 : 600), table);
                }

                AssertSame(expected, table, prefixes);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Peers_that_come_and_go_leave_only_the_routes_of_the_others() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var make = new WireGenerators(seed);
            using var prefixes = new PrefixTable();
            var table = new RibTable(Peers, prefixes);
            var expected = new Dictionary<Key, PathAttributes>();
            for (int step = 0; step < 12; step++)
            {
                int peer = random.Next(Peers);
                if (random.Next(4) == 0)
                {
                    Down(table, peer);
                    foreach (Key key in expected.Keys.Where(k => k.Peer == peer).ToList())
                    {
                        expected.Remove(key);
                    }
                }
                else
                {
                    BgpCodecOptions options = make.Options();
                    new Reader(Stream(make, random, peer, options, expected), peer, options).Take(int.MaxValue, table);
                }

                AssertSame(expected, table, prefixes);
            }

            for (int peer = 0; peer < Peers; peer++)
            {
                Down(table, peer);
            }

            Assert.Equal(0, table.PrefixCount);
            Assert.Equal(0, table.AttributeSetCount);
        }).QuickCheckThrowOnFailure();

    private static void Down(RibTable table, int peer)
    {
        table.Hide(peer, true);
        uint cursor = 0;
        while (table.Purge(peer, ref cursor, 7))
        {
        }

        table.Hide(peer, false);
        Assert.Equal(0, table.PathCount(peer, IpFamily.IPv4) + table.PathCount(peer, IpFamily.IPv6));
    }

    /// <summary>A few UPDATEs as octets; the same changes go to the dictionary.</summary>
    private static byte[] Stream(WireGenerators make, Random random, int peer, BgpCodecOptions options, Dictionary<Key, PathAttributes> expected)
    {
        var stream = new List<byte>();
        for (int i = random.Next(1, 12); i > 0; i--)
        {
            var message = new UpdateMessage();
            IpFamily family = random.Next(2) == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
            bool addPath = options.AddPath(family);
            if (random.Next(3) == 0)
            {
                // Of what is there, so that something is withdrawn.
                foreach (Key key in expected.Keys.Where(k => k.Peer == peer && k.Prefix.Family == family && (addPath || k.PathId == 0)).Take(5).ToList())
                {
                    (family == IpFamily.IPv4 ? message.Withdrawn : message.MpUnreach).Add(new(key.Prefix, key.PathId));
                    expected.Remove(key);
                }

                message.MpUnreachFamily = family == IpFamily.IPv6 ? AfiSafi.IPv6Unicast : null;
            }
            else
            {
                PathAttributes attributes = make.Attributes(family, options.FourOctetAs);
                List<Nlri> prefixes = [.. Enumerable.Range(0, random.Next(1, 10)).Select(_ => new Nlri(Few(random, family), addPath ? (uint)random.Next(3) : 0))];
                message.Attributes = family == IpFamily.IPv4 ? attributes : attributes.WithNextHop(default);
                message.MpReachFamily = family == IpFamily.IPv6 ? AfiSafi.IPv6Unicast : null;
                message.MpNextHop = family == IpFamily.IPv6 ? attributes.NextHop : default;
                (family == IpFamily.IPv4 ? message.Announced : message.MpReach).AddRange(prefixes);
                foreach (Nlri nlri in prefixes)
                {
                    expected[new(peer, nlri.Prefix, nlri.PathId)] = attributes;
                }
            }

            stream.AddRange(UpdateCodecTests.Encode(message, options));
        }

        return [.. stream];
    }

    /// <summary>Few prefixes, nested, so that peers and path identifiers meet.</summary>
    private static IpPrefix Few(Random random, IpFamily family) => family == IpFamily.IPv4
        ? IpPrefix.Create(IpAddr.FromIPv4(0x1400_0000 | ((uint)random.Next(4) << 16)), 14 + random.Next(3))
        : IpPrefix.Create(IpAddr.FromIPv6(0x2001_0DB8_0000_0000 | ((ulong)random.Next(4) << 16), 0), 46 + random.Next(3));

    private static void AssertSame(Dictionary<Key, PathAttributes> expected, RibTable table, PrefixTable prefixes)
    {
        var found = new Dictionary<Key, PathAttributes>();
        var paths = new List<RibPath>();
        foreach (IpPrefix prefix in prefixes.Entries().Select(e => e.Prefix))
        {
            paths.Clear();
            table.CopyPaths(prefix, paths);
            foreach (RibPath path in paths)
            {
                found.Add(new(path.Peer, prefix, path.PathId), path.Attributes);
            }
        }

        Assert.Equal(expected.Count, found.Count);
        Assert.All(expected, e => Assert.Equal(e.Value, found[e.Key]));
        Assert.Equal(expected.Keys.Select(k => k.Prefix).Distinct().Count(), table.PrefixCount);
        Assert.Equal(expected.Values.Distinct().Count(), table.AttributeSetCount);
        for (int peer = 0; peer < Peers; peer++)
        {
            Assert.Equal(expected.Keys.Count(k => k.Peer == peer && k.Prefix.Family == IpFamily.IPv4), table.PathCount(peer, IpFamily.IPv4));
            Assert.Equal(expected.Keys.Count(k => k.Peer == peer && k.Prefix.Family == IpFamily.IPv6), table.PathCount(peer, IpFamily.IPv6));
        }
    }

    private readonly record struct Key(int Peer, IpPrefix Prefix, uint PathId);

    /// <summary>One peer's receiving side: octets as they come, whole messages into the table.</summary>
    private sealed class Reader(byte[] stream, int peer, BgpCodecOptions options)
    {
        private readonly UpdateMessage _update = new();
        private int _used;
        private int _have;

        public bool AtEnd => _used == stream.Length;

        public void Take(int octets, RibTable table)
        {
            _have = (int)Math.Min(stream.Length, (long)_have + octets);
            while (BgpFramer.TryReadHeader(stream.AsSpan(_used.._have), options, out _, out int length, out BgpError? error))
            {
                Assert.Null(error);
                ReadOnlySpan<byte> body = stream.AsSpan(_used + BgpConstants.HeaderLength, length - BgpConstants.HeaderLength);
                Assert.Equal(ErrorAction.None, UpdateDecoder.Decode(body, options, _update));
                Apply(table);
                _used += length;
            }
        }

        private void Apply(RibTable table)
        {
            foreach (Nlri nlri in _update.Withdrawn.Concat(_update.MpUnreach))
            {
                table.Withdraw(peer, nlri.Prefix, nlri.PathId);
            }

            foreach (Nlri nlri in _update.Announced)
            {
                table.Announce(peer, nlri.Prefix, nlri.PathId, _update.Attributes!);
            }

            foreach (Nlri nlri in _update.MpReach)
            {
                table.Announce(peer, nlri.Prefix, nlri.PathId, _update.Attributes!.WithNextHop(_update.MpNextHop));
            }
        }
    }
}
