using System.Buffers;
using System.Diagnostics;
using System.IO.Compression;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Mrt;

public sealed class MrtWriterTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_780_000_000);

    private static readonly MrtPeer[] Peers =
    [
        new(IpAddr.Parse("192.0.2.1"), 65000, 0xC000_0201),
        new(IpAddr.Parse("2001:db8::1"), 4_200_000_001, 1),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Write_then_read_gives_the_same(bool addPath) =>
        Prop.ForAll<int>(seed =>
        {
            List<(IpPrefix Prefix, List<MrtWritePath> Paths)> table = Table(seed, addPath);
            byte[] file = Write(table, addPath);

            var reader = new MrtRecordReader(new MemoryStream(file));
            List<MrtRecord> records = [.. reader.Read()];
            Assert.Equal((0, 0, false), (reader.Malformed, reader.Skipped, reader.Truncated));
            MrtPeerIndex index = Assert.IsType<MrtPeerIndex>(records[0]);
            Assert.Equal((0x0A00_0001u, "site", Time), (index.CollectorId, index.ViewName, index.Time));
            Assert.Equal(Peers, index.Peers);
            Assert.Equal(table.Count, records.Count - 1);
            foreach (((IpPrefix prefix, List<MrtWritePath> paths), MrtRib rib, int i) in table.Zip(records.Skip(1).Cast<MrtRib>(), Enumerable.Range(0, table.Count)))
            {
                Assert.Equal((prefix, (uint)i, addPath, Time), (rib.Prefix, rib.Sequence, rib.AddPath, rib.Time));
                Assert.Equal(
                    paths.Select(p => (p.PeerIndex, (MrtPeer?)Peers[p.PeerIndex], addPath ? p.PathId : 0, p.Originated, (PathAttributes?)p.Attributes)),
                    rib.Paths.Select(p => (p.PeerIndex, p.Peer, p.PathId, p.Originated, p.Attributes)));
            }

            var tables = new MrtReader(new MemoryStream(file));
            Assert.Equal(
                table.SelectMany(t => t.Paths.Select(p => (t.Prefix, Peers[p.PeerIndex].Address, p.Attributes))),
                tables.Read().SelectMany(e => e.Paths.Select(p => (e.Prefix, p.PeerAddress, p.Attributes))));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Write_counts_prefixes_and_paths_and_leaves_empty_ones_out()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MrtWriter(buffer, Time, 1, "", Peers, addPath: false);
        int head = buffer.WrittenCount;
        writer.Write(IpPrefix.Parse("192.0.2.0/24"), []);
        Assert.Equal(head, buffer.WrittenCount);
        writer.Write(IpPrefix.Parse("192.0.2.0/24"), [Path("192.0.2.9"), Path("192.0.2.10")]);
        Assert.Equal((1, 2, 0), (writer.Prefixes, writer.Paths, writer.LeftOut));
        Assert.Throws<ArgumentException>(() => writer.Write(IpPrefix.Parse("192.0.2.0/24"), [Path("192.0.2.9") with { PeerIndex = 2 }]));
        Assert.Throws<ArgumentException>(() => new MrtWriter(buffer, Time, 1, new string('x', 70_000), Peers, addPath: false));
    }

    [Fact]
    public void Write_leaves_out_what_a_record_cannot_hold_and_counts_it()
    {
        var big = new PathAttributes { NextHop = new(IpAddr.Parse("192.0.2.9")), Unknown = [new RawAttribute(0xE0, 200, [.. new byte[65_530]])] };
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MrtWriter(buffer, Time, 1, "", Peers, addPath: false);
        writer.Write(IpPrefix.Parse("192.0.2.0/24"), [new MrtWritePath(0, 0, Time, big), Path("192.0.2.10")]);
        writer.Write(IpPrefix.Parse("198.51.100.0/24"), [new MrtWritePath(0, 0, Time, big)]);
        Assert.Equal((1, 1, 2), (writer.Prefixes, writer.Paths, writer.LeftOut));

        var reader = new MrtReader(new MemoryStream(buffer.WrittenSpan.ToArray()));
        Assert.Equal("192.0.2.10", Assert.Single(Assert.Single(reader.Read()).Paths).Attributes.NextHop.ToString());
        Assert.Equal(0, reader.Malformed);
    }

    [Fact]
    public void Write_of_more_paths_than_a_record_counts_makes_several_records()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MrtWriter(buffer, Time, 1, "", Peers, addPath: true);
        writer.Write(IpPrefix.Parse("2001:db8::/32"), [.. Enumerable.Range(0, 65_540).Select(i => Path("2001:db8::9") with { PathId = (uint)i })]);

        List<MrtEntry> entries = [.. new MrtReader(new MemoryStream(buffer.WrittenSpan.ToArray())).Read()];
        Assert.Equal([65_535, 5], entries.Select(e => e.Paths.Count));
        Assert.Equal(65_539u, entries[1].Paths[4].PathId);
        Assert.Equal((1, 65_540), (writer.Prefixes, writer.Paths));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bgpdump_reads_what_was_written(bool addPath)
    {
        if (!File.Exists("/usr/bin/bgpdump"))
        {
            output.WriteLine("skipped: bgpdump is not installed");
            return;
        }

        List<(IpPrefix Prefix, List<MrtWritePath> Paths)> table = Table(seed: 7, addPath, prefixes: 200);
        byte[] file = Write(table, addPath);
        string path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"egress-mrt-{Guid.NewGuid():N}.gz");
        try
        {
            await using (var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest))
            {
                await packed.WriteAsync(file);
            }

            using Process bgpdump = Process.Start(new ProcessStartInfo("/usr/bin/bgpdump", ["-m", path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = bgpdump.StandardError.ReadToEndAsync();
            List<string> printed = [.. (await bgpdump.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(BgpdumpText.Normalize)];
            await bgpdump.WaitForExitAsync();
            Assert.True(bgpdump.ExitCode == 0, await errors);
            Assert.Equal(new MrtRecordReader(new MemoryStream(file)).Read().SelectMany(BgpdumpText.Lines), printed);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static MrtWritePath Path(string nextHop) => new(0, 0, Time, new PathAttributes { NextHop = new(IpAddr.Parse(nextHop)), AsPath = AsPath.Sequence(64500) });

    private static byte[] Write(List<(IpPrefix Prefix, List<MrtWritePath> Paths)> table, bool addPath)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MrtWriter(buffer, Time, 0x0A00_0001, "site", Peers, addPath);
        foreach ((IpPrefix prefix, List<MrtWritePath> paths) in table)
        {
            writer.Write(prefix, paths);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static List<(IpPrefix Prefix, List<MrtWritePath> Paths)> Table(int seed, bool addPath, int prefixes = 12)
    {
        var make = new WireGenerators(seed);
        var random = new Random(seed);
        var table = new List<(IpPrefix, List<MrtWritePath>)>();
        for (int i = 0; i < prefixes; i++)
        {
            IpFamily family = random.Next(2) == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
            table.Add((make.Prefix(family), [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => new MrtWritePath(
                (ushort)random.Next(2), addPath ? (uint)random.Next() : 0, DateTimeOffset.FromUnixTimeSeconds(random.Next()), make.Attributes(family)))]));
        }

        return table;
    }
}
