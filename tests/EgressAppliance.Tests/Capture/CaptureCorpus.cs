using System.Globalization;
using System.IO.Compression;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Capture;

/// <summary>Real captures with the totals that tshark found: the sample in the repository, and the shared corpus where it is at hand.</summary>
internal sealed class CaptureCorpus
{
    private readonly string _folder;

    private CaptureCorpus(string folder)
    {
        _folder = folder;
        Files = LoadIndex();
        LoadTruth();
        LoadFrames();
    }

    /// <summary>The captures in <c>tests/data/captures</c>.</summary>
    public static CaptureCorpus Sample { get; } = new(TestData.Path("captures"));

    /// <summary>All captures, or null.</summary>
    public static CaptureCorpus? Shared { get; } = TestData.Shared is null ? null : new(Path.Combine(TestData.Shared, "captures"));

    /// <summary>What a test prints that needs the shared corpus and does not find it.</summary>
    public const string Absent = "SKIPPED: the shared corpus is not here (EGRESS_SHARED_DATA, or ../shared/data beside the repository)";

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, CaptureFile> Files { get; }

    /// <summary>True if both have the same destinations with the same packets and IP bytes.</summary>
    public static bool SameTotals(
        IReadOnlyDictionary<IpAddr, (long Packets, long Bytes)> expected, IReadOnlyDictionary<IpAddr, (long Packets, long Bytes)> actual) =>
        expected.Count == actual.Count && expected.All(e => actual.TryGetValue(e.Key, out (long Packets, long Bytes) a) && a == e.Value);

    private Dictionary<string, CaptureFile> LoadIndex()
    {
        string[] lines = File.ReadAllLines(Path.Combine(_folder, "index.tsv"));
        string[] columns = lines[0].Split('\t');
        int frames = Array.IndexOf(columns, "frames");
        int exotic = Array.IndexOf(columns, "exotic_frames");
        int encapsulation = Array.IndexOf(columns, "encap_types");
        return lines.Skip(1).Select(line => line.Split('\t')).ToDictionary(
            cells => cells[0],
            cells => new CaptureFile
            {
                Name = cells[0],
                Path = Path.Combine(_folder, cells[0]),
                IsExact = cells[1] == "exact",
                Frames = long.TryParse(cells[frames], CultureInfo.InvariantCulture, out long f) ? f : -1,
                HasExoticFrames = cells[exotic] != "0",
                LinkLayers = cells[encapsulation],
            });
    }

    private void LoadTruth()
    {
        foreach (string[] cells in File.ReadLines(Path.Combine(_folder, "truth.tsv")).Skip(1).Select(line => line.Split('\t')))
        {
            if (cells[1] is "outer" or "inner")
            {
                (cells[1] == "outer" ? Files[cells[0]].Outer : Files[cells[0]].Inner).Add(
                    IpAddr.Parse(cells[3], CultureInfo.InvariantCulture),
                    (long.Parse(cells[4], CultureInfo.InvariantCulture), long.Parse(cells[5], CultureInfo.InvariantCulture)));
            }
        }
    }

    private void LoadFrames()
    {
        string plainFile = Path.Combine(_folder, "frames.tsv");
        using StreamReader reader = File.Exists(plainFile)
            ? new(plainFile)
            : new(new GZipStream(File.OpenRead(plainFile + ".gz"), CompressionMode.Decompress));
        reader.ReadLine();
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split('\t');
            Files[cells[0]].FrameTruths.Add(new FrameTruth
            {
                Number = int.Parse(cells[1], CultureInfo.InvariantCulture),
                CapturedLength = int.Parse(cells[3], CultureInfo.InvariantCulture),
                Kind = cells[4][0],
                Layers = cells[5],
                Outer = Header(cells[6], cells[7]),
                Inner = Header(cells[8], cells[9]),
            });
        }
    }

    private static (IpAddr Destination, long Bytes)? Header(string destination, string bytes) =>
        destination.Length == 0 ? null : (IpAddr.Parse(destination, CultureInfo.InvariantCulture), long.Parse(bytes, CultureInfo.InvariantCulture));
}

/// <summary>What tshark found in one frame.</summary>
internal sealed class FrameTruth
{
    /// <summary>The first is 1.</summary>
    public required int Number { get; init; }

    public required int CapturedLength { get; init; }

    /// <summary>c counted, x behind a link layer that a decoder may or may not know, - no IP, ? ambiguous.</summary>
    public required char Kind { get; init; }

    /// <summary>Protocols, joined by colons.</summary>
    public required string Layers { get; init; }

    /// <summary>Destination and IP bytes of the first IP header, or null.</summary>
    public required (IpAddr Destination, long Bytes)? Outer { get; init; }

    /// <summary>The same of the last one that only tunnels lead to.</summary>
    public required (IpAddr Destination, long Bytes)? Inner { get; init; }
}

/// <summary>One capture of the corpus.</summary>
internal sealed class CaptureFile
{
    public required string Name { get; init; }

    public required string Path { get; init; }

    /// <summary>Its totals are known; otherwise it must only not do harm.</summary>
    public required bool IsExact { get; init; }

    public required long Frames { get; init; }

    /// <summary>Some IP headers lie behind link layers that a decoder may or may not know.</summary>
    public required bool HasExoticFrames { get; init; }

    public required string LinkLayers { get; init; }

    /// <summary>Packets and IP bytes per destination of the outer header.</summary>
    public Dictionary<IpAddr, (long Packets, long Bytes)> Outer { get; } = [];

    /// <summary>The same of the innermost header.</summary>
    public Dictionary<IpAddr, (long Packets, long Bytes)> Inner { get; } = [];

    /// <summary>Frame by frame; tshark has frames of its own for some pcapng blocks that hold no packet.</summary>
    public List<FrameTruth> FrameTruths { get; } = [];
}
