using System.IO.Compression;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Host;

namespace EgressAppliance.Tests.Bgp.Mrt;

/// <summary>Real files, record by record, against what bgpdump prints of them.</summary>
public sealed class MrtFilesTests
{
    public static TheoryData<string> Files()
    {
        var files = new TheoryData<string>();
        string[] folders = TestData.Shared is { } shared ? [TestData.Path("bgp", "mrt"), Path.Combine(shared, "mrt")] : [TestData.Path("bgp", "mrt")];
        const string Reference = ".bgpdump-m.gz";
        foreach (string name in folders.SelectMany(f => Directory.GetFiles(f, "*" + Reference)).Select(f => f[..^Reference.Length]).DistinctBy(Path.GetFileName).Order())
        {
            files.Add(name);
        }

        return files;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_of_a_real_file_gives_every_line_of_bgpdump(string file)
    {
        var lines = new Dictionary<string, int>();
        using var reference = new StreamReader(new GZipStream(File.OpenRead(file + ".bgpdump-m.gz"), CompressionMode.Decompress));
        int expected = 0;
        while (reference.ReadLine() is { } printed)
        {
            string line = BgpdumpText.Normalize(printed);
            lines[line] = lines.GetValueOrDefault(line) + 1;
            expected++;
        }

        using Stream stream = File.OpenRead(file);
        var reader = new MrtRecordReader(stream, packed => new Bzip2Stream(packed));
        int read = 0;
        foreach (string line in reader.Read().SelectMany(BgpdumpText.Lines))
        {
            lines[line] = lines.GetValueOrDefault(line) - 1;
            read++;
        }

        Assert.Equal((0, file.Contains("truncated", StringComparison.Ordinal)), (reader.Malformed, reader.Truncated));
        List<string> wrong = [.. lines.Where(l => l.Value != 0).Select(l => $"{-l.Value:+0;-0} {l.Key}")];
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {expected} (read {read}):\n" + string.Join('\n', wrong.OrderBy(w => w[2..]).Take(40)));
    }
}
