using System.IO.Compression;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Host;

namespace EgressAppliance.Tests.Bgp.Mrt;

/// <summary>Real files, record by record, against what bgpdump prints of them.</summary>
public sealed class MrtFilesTests(Xunit.Abstractions.ITestOutputHelper output)
{
    public static TheoryData<string> Files()
    {
        var files = new TheoryData<string>();
        if (TestData.Shared is { } shared)
        {
            foreach (string line in File.ReadLines(Path.Combine(shared, "mrt", "index.tsv")).Skip(1))
            {
                files.Add(line.Split('\t')[0]);
            }
        }
        else
        {
            files.Add("");
        }

        return files;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_of_a_real_file_gives_every_line_of_bgpdump(string name)
    {
        if (name.Length == 0)
        {
            output.WriteLine("skipped: the collection of MRT files is not at hand");
            return;
        }

        string file = Path.Combine(TestData.Shared!, "mrt", name);
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

        List<string> wrong = [.. lines.Where(l => l.Value != 0).Select(l => $"{-l.Value:+0;-0} {l.Key}")];
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {expected} (read {read}):\n" + string.Join('\n', wrong.OrderBy(w => w[2..]).Take(40)));
    }
}
