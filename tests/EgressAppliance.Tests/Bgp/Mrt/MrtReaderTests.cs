using System.IO.Compression;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Mrt;

public sealed class MrtReaderTests
{
    public static TheoryData<string, string> Tables()
    {
        var tables = new TheoryData<string, string>
        {
            { TestData.Path("bgp", "table.mrt"), TestData.Path("bgp", "table.mrt.txt") },
            { TestData.Path("bgp", "table-add-path.mrt.gz"), TestData.Path("bgp", "table-add-path.mrt.txt") },
        };
        if (TestData.Shared is { } shared)
        {
            string bird = Path.Combine(shared, "mrt", "mrtparse.bird-mrtdump_rib");
            tables.Add(bird, bird + ".bgpdump-m.gz");
        }

        return tables;
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public void Read_gives_the_paths_that_bgpdump_prints(string file, string expectedFile)
    {
        using FileStream stream = File.OpenRead(file);
        var reader = new MrtReader(stream);
        var read = new List<string>();
        foreach (MrtEntry entry in reader.Read())
        {
            read.AddRange(entry.Paths.Select(p => $"{p.PeerAddress}|{p.PeerAs}|{entry.Prefix}|{p.Attributes.AsPath}|{p.Attributes.Origin.ToString().ToUpperInvariant()}"));
        }

        Assert.Equal(Expected(expectedFile).Order(), read.Order());
        Assert.NotEmpty(read);
        Assert.Equal(0, reader.Malformed);
        Assert.False(reader.Truncated);
    }

    [Fact]
    public void Read_of_damaged_files_ends_without_an_exception_and_counts() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            byte[] file = File.ReadAllBytes(TestData.Path("bgp", "table.mrt"));
            for (int i = 0; i < 5; i++)
            {
                file[random.Next(file.Length)] = (byte)random.Next(256);
            }

            Array.Resize(ref file, random.Next(file.Length));
            var reader = new MrtReader(new MemoryStream(file));
            foreach (MrtEntry entry in reader.Read())
            {
                Assert.NotEmpty(entry.Paths);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Read_of_a_cut_archive_gives_what_came_before_and_says_so()
    {
        byte[] packed = File.ReadAllBytes(TestData.Path("bgp", "table-add-path.mrt.gz"));
        var reader = new MrtReader(new MemoryStream(packed[..(packed.Length * 3 / 4)]));

        Assert.True(reader.Read().Count() < 62);
        Assert.True(reader.Truncated);
    }

    [Fact]
    public void Bzip2_is_refused_with_advice() =>
        Assert.Contains("unpack it first", Assert.Throws<NotSupportedException>(() => new MrtReader(new MemoryStream("BZh91AY"u8.ToArray()))).Message, StringComparison.Ordinal);

    private static IEnumerable<string> Expected(string file)
    {
        using Stream raw = File.OpenRead(file);
        using Stream stream = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(raw, CompressionMode.Decompress) : raw;
        using var text = new StreamReader(stream);
        while (text.ReadLine() is { } line)
        {
            string[] f = line.Split('|');
            int shift = f[0] == "TABLE_DUMP2_AP" ? 1 : 0;
            yield return $"{IpAddr.Parse(f[3])}|{f[4]}|{f[5]}|{f[6 + shift]}|{f[7 + shift]}";
        }
    }
}
