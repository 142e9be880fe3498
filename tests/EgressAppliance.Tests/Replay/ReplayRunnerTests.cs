using System.IO.Compression;
using System.Text;
using System.Text.Json;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Replay;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using EgressAppliance.Tests.Dataplane;

namespace EgressAppliance.Tests.Replay;

public sealed class ReplayRunnerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("replay").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_writes_the_object_that_replay_prints()
    {
        string pcap = Write("a.pcap", new PcapBuilder().FileHeader()
            .Record(Frames.Ip("192.0.2.1", 80)).Record(Frames.Ip("192.0.2.2", 80)).Record(Frames.Ip("2001:db8::1", 60))
            .Record(Frames.Ip("198.51.100.1", 10)).Record(Frames.Ethernet(0x0806, new byte[28])).Record(new byte[5]).ToArray());
        string rib = Write("rib.txt", "# my table\n2001:db8::/32 64496\n\n192.0.2.0/24\t64497 transit\n10.0.0.0/8\n"u8);
        ReplayResult result = ReplayRunner.Run(new ReplayOptions { PcapFiles = [pcap], RibFiles = [rib], Workers = 2 }, TimeProvider.System);
        JsonElement json = Json(result, summary: false);
        Assert.Equal(
            ["frames", "packets", "ip_bytes", "non_ip", "undecodable", "unrouted", "prefixes", "elapsed_seconds", "cpu_seconds", "packets_per_second"],
            json.EnumerateObject().Select(p => p.Name));
        Assert.Equal((6, 4, 330, 1), (json.GetProperty("frames").GetInt32(), json.GetProperty("packets").GetInt32(), json.GetProperty("ip_bytes").GetInt32(), json.GetProperty("non_ip").GetInt32()));
        Assert.Equal("""{"truncated_ethernet":1}""", json.GetProperty("undecodable").GetRawText());
        Assert.Equal("""{"packets":1,"ip_bytes":30}""", json.GetProperty("unrouted").GetRawText());
        Assert.Equal(
            """[{"prefix":"192.0.2.0/24","link":null,"packets":2,"ip_bytes":200},{"prefix":"2001:db8::/32","link":null,"packets":1,"ip_bytes":100}]""",
            json.GetProperty("prefixes").GetRawText());
        Assert.True(json.GetProperty("elapsed_seconds").GetDouble() > 0);
        Assert.True(json.GetProperty("cpu_seconds").GetDouble() > 0);
        Assert.False(Json(result, summary: true).TryGetProperty("prefixes", out _));
    }

    [Fact]
    public void RunPerFile_damaged_and_absent_files_do_not_keep_others_from_counting()
    {
        byte[] whole = new PcapBuilder().FileHeader().Record(Frames.Ip("192.0.2.1")).Record(Frames.Ip("192.0.2.1")).ToArray();
        ReplayOptions options = new()
        {
            PcapFiles = [Write("cut.pcap", whole.AsSpan(0, whole.Length - 1)), Path.Combine(_folder, "absent.pcap"), Write("whole.pcap", whole)],
            PerFile = true,
        };
        ReplayResult[] results = [.. ReplayRunner.RunPerFile(options, TimeProvider.System)];
        Assert.Equal(options.PcapFiles, results.Select(r => r.File));
        Assert.Equal([1L, 0L, 2L], results.Select(r => r.Statistics.Packets));
        Assert.Equal([false, true, false], results.Select(r => r.Failed));
        Assert.Contains("cut.pcap: the file is cut short", Assert.Single(results[0].Problems), StringComparison.Ordinal);
        Assert.Contains("absent.pcap", Assert.Single(results[1].Problems), StringComparison.Ordinal);
        Assert.Empty(results[2].Problems);
        Assert.Equal(options.PcapFiles[0], Json(results[0], summary: true).GetProperty("file").GetString());
        Assert.Equal(1, Json(results[0], summary: true).GetProperty("problems").GetArrayLength());

        ReplayResult sum = ReplayRunner.Run(options, TimeProvider.System);
        Assert.Equal((3L, true, 2), (sum.Statistics.UnroutedPackets, sum.Failed, sum.Problems.Count));
    }

    [Fact]
    public void Run_links_are_named_and_a_rule_may_name_the_file()
    {
        string a = Write("a.pcap", new PcapBuilder().FileHeader().Record(Frames.Ip("192.0.2.1")).ToArray());
        string b = Write("b.pcap", new PcapBuilder().FileHeader().Record(Frames.Ip("192.0.2.1")).Record(Frames.Ip("192.0.2.1", 8, "02:00:00:00:0b:02")).ToArray());
        Assert.True(MacAddress.TryParse("02:00:00:00:0b:02", out MacAddress mac));
        ReplayOptions options = new()
        {
            PcapFiles = [a, b],
            RibFiles = [Write("rib", "192.0.2.0/24"u8)],
            Links = [new LinkMatch(new LinkId(1), null, null, a), new LinkMatch(new LinkId(2), mac, null, null)],
            LinkNames = ["", "isp-a", "isp-b"],
        };
        ReplayResult result = ReplayRunner.Run(options, TimeProvider.System);
        Assert.Equal([(null, 1L), ("isp-a", 1L), ("isp-b", 1L)], result.Prefixes.Select(p => (p.Link, p.Packets)));
    }

    [Fact]
    public void Run_inner_match_counts_what_is_in_the_tunnel()
    {
        byte[] mirrored = Frames.Ip("198.51.100.7", 80, "02:00:00:00:0b:02");
        byte[] frame = Tunnels.Frame(Tunnels.Ip("192.0.2.1", Tunnels.Gre, Tunnels.Erspan2(mirrored)));
        string pcap = Write("erspan.pcap", new PcapBuilder().FileHeader().Record(frame).Record(Frames.Ip("192.0.2.1")).ToArray());
        Assert.True(MacAddress.TryParse("02:00:00:00:0b:02", out MacAddress mac));
        ReplayOptions options = new()
        {
            PcapFiles = [pcap],
            RibFiles = [Write("rib", "192.0.2.0/24\n198.51.100.0/24\n"u8)],
            Links = [new LinkMatch(new LinkId(1), mac, null, null)],
            LinkNames = ["", "isp-b"],
        };
        Assert.Equal([("192.0.2.0/24", null, 2L, 178L)], Prefixes(ReplayRunner.Run(options, TimeProvider.System)));
        Assert.Equal(
            [("192.0.2.0/24", null, 1L, 28L), ("198.51.100.0/24", "isp-b", 1L, 100L)],
            Prefixes(ReplayRunner.Run(options with { Match = HeaderMatch.Inner }, TimeProvider.System)));

        static IEnumerable<(string, string?, long, long)> Prefixes(ReplayResult result) =>
            result.Prefixes.Select(p => (p.Prefix.ToString(), p.Link, p.Packets, p.IpBytes));
    }

    [Fact]
    public void Run_without_files_or_with_impossible_workers_is_a_usage_error()
    {
        Assert.True(Assert.Throws<ReplayException>(() => ReplayRunner.RunPerFile(new ReplayOptions { PcapFiles = [] }, TimeProvider.System)).IsUsageError);
        Assert.True(Assert.Throws<ReplayException>(() => ReplayRunner.Run(new ReplayOptions { PcapFiles = ["x"], Workers = -1 }, TimeProvider.System)).IsUsageError);
    }

    [Fact]
    public void ReadPrefixes_gzip_is_unpacked()
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write("192.0.2.0/24 1\n2001:db8::/32 2\n"u8);
        }

        Assert.Equal(
            [IpPrefix.Parse("192.0.2.0/24"), IpPrefix.Parse("2001:db8::/32")],
            RibFile.ReadPrefixes(Write("rib.gz", packed.ToArray()), []));
        Assert.Throws<ReplayException>(() => RibFile.ReadPrefixes(Write("cut.gz", [.. packed.ToArray()[..12], 1, 2, 3, 4, 5, 6, 7]), []));
    }

    [Theory]
    [InlineData("192.0.2.0/24\nno prefix\n", "line 2: 'no' is not a prefix")]
    [InlineData("192.0.2.1/24\n", "line 1: '192.0.2.1/24' is not a prefix")]
    public void ReadPrefixes_bad_line_is_named(string content, string message)
    {
        string path = Write("rib", Encoding.UTF8.GetBytes(content));
        ReplayException error = Assert.Throws<ReplayException>(() => RibFile.ReadPrefixes(path, []));
        Assert.StartsWith($"{path}: {message}", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsUsageError);
    }

    [Fact]
    public void ReadPrefixes_absent_file_is_named()
    {
        string path = Path.Combine(_folder, "absent");
        Assert.Contains(path, Assert.Throws<ReplayException>(() => RibFile.ReadPrefixes(path, [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadPrefixes_format_is_chosen_by_content_and_reads_from_the_first_byte()
    {
        byte[] content = [.. "MAGIC"u8, .. new byte[300], 42];
        RibFormat format = new(
            "test", head => head.Span.StartsWith("MAGIC"u8), stream => [IpPrefix.Create(IpAddr.FromIPv4((uint)Length(stream)), 32)]);
        Assert.Equal([IpPrefix.Create(IpAddr.FromIPv4((uint)content.Length), 32)], RibFile.ReadPrefixes(Write("rib", content), [format]));
        Assert.Equal([IpPrefix.Parse("10.0.0.0/8")], RibFile.ReadPrefixes(Write("text", "10.0.0.0/8"u8), [format]));

        static long Length(Stream stream)
        {
            using MemoryStream copy = new();
            stream.CopyTo(copy);
            return copy.Length;
        }
    }

    private static JsonElement Json(ReplayResult result, bool summary)
    {
        using MemoryStream stream = new();
        ReplayJson.Write(stream, result, summary);
        string text = Encoding.UTF8.GetString(stream.ToArray());
        Assert.Equal(text.Length - 1, text.IndexOf('\n', StringComparison.Ordinal));
        return JsonDocument.Parse(text).RootElement;
    }

    private string Write(string name, ReadOnlySpan<byte> content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
