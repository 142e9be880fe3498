using EgressAppliance.Capture;
using EgressAppliance.Host.Replay;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Replay;

/// <summary>Replays real captures against tshark's totals, every destination a host route.</summary>
public sealed class ReplayTruthTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _rib = Path.GetTempFileName();

    public void Dispose() => File.Delete(_rib);

    [Theory]
    [InlineData(HeaderMatch.Outer)]
    [InlineData(HeaderMatch.Inner)]
    public void RunPerFile_sample_captures_equal_truth(HeaderMatch match) => CheckPerFile(CaptureCorpus.Sample, match, minFiles: 35);

    [Theory]
    [InlineData(HeaderMatch.Outer)]
    [InlineData(HeaderMatch.Inner)]
    public void RunPerFile_shared_captures_equal_truth(HeaderMatch match)
    {
        if (CaptureCorpus.Shared is { } corpus)
        {
            CheckPerFile(corpus, match, minFiles: 1393);
        }
        else
        {
            output.WriteLine(CaptureCorpus.Absent);
        }
    }

    [Theory]
    [InlineData(HeaderMatch.Outer, 1)]
    [InlineData(HeaderMatch.Outer, 2)]
    [InlineData(HeaderMatch.Inner, 2)]
    public void Run_all_files_together_equals_sum_of_truth(HeaderMatch match, int workers)
    {
        // Without the files whose frames tshark numbers otherwise, or that may be counted or not.
        CaptureCorpus corpus = CaptureCorpus.Shared ?? CaptureCorpus.Sample;
        List<CaptureFile> files = [.. corpus.Files.Values.Where(f => f is { IsExact: true, LinkLayers: "ethernet", HasExoticFrames: false })];
        Dictionary<IpAddr, (long Packets, long Bytes)> expected = [];
        foreach ((IpAddr destination, (long packets, long bytes)) in files.SelectMany(file => Truth(file, match)))
        {
            (long p, long b) = expected.GetValueOrDefault(destination);
            expected[destination] = (p + packets, b + bytes);
        }

        WriteRib(expected.Keys);
        ReplayResult result = ReplayRunner.Run(
            new ReplayOptions { PcapFiles = [.. files.Select(f => f.Path)], RibFiles = [_rib], Workers = workers, Match = match }, TimeProvider.System);
        Assert.All(result.Problems, problem => Assert.Contains("cut short", problem, StringComparison.Ordinal));
        Assert.Equal(files.Sum(f => f.Frames), result.Statistics.Frames);
        Assert.Equal(expected.Values.Sum(v => v.Packets), result.Statistics.Packets);
        Assert.Equal(expected.Values.Sum(v => v.Bytes), result.Statistics.IpBytes);
        Assert.True(CaptureCorpus.SameTotals(expected, Totals(result)));
        Assert.Equal(0, result.Statistics.UnroutedPackets);
    }

    private static Dictionary<IpAddr, (long Packets, long Bytes)> Truth(CaptureFile file, HeaderMatch match) => match == HeaderMatch.Inner ? file.Inner : file.Outer;

    private static Dictionary<IpAddr, (long Packets, long Bytes)> Totals(ReplayResult result) =>
        result.Prefixes.ToDictionary(p => p.Prefix.Address, p => (p.Packets, p.IpBytes));

    private void CheckPerFile(CaptureCorpus corpus, HeaderMatch match, int minFiles)
    {
        List<CaptureFile> files = [.. corpus.Files.Values];
        WriteRib(files.SelectMany(f => Truth(f, match).Keys).Distinct());
        int exact = 0;
        List<string> wrong = [];
        IEnumerable<ReplayResult> results = ReplayRunner.RunPerFile(
            new ReplayOptions { PcapFiles = [.. files.Select(f => f.Path)], RibFiles = [_rib], Workers = 2, Match = match }, TimeProvider.System);
        int index = 0;
        foreach (ReplayResult result in results)
        {
            CaptureFile file = files[index++];
            Assert.Equal(file.Path, result.File);
            Assert.Equal(
                result.Statistics.Frames,
                result.Statistics.Packets + result.Statistics.NonIp + result.Statistics.Ignored + result.Undecodable + result.Statistics.PoolExhausted);
            if (!file.IsExact)
            {
                continue;
            }

            exact++;
            Assert.False(result.Failed, file.Name);
            if (!CaptureCorpus.SameTotals(Truth(file, match), Totals(result)) || result.Statistics.UnroutedPackets != 0)
            {
                wrong.Add(file.Name);
            }
        }

        output.WriteLine($"{exact} files with a known truth, {wrong.Count} not equal to it");
        wrong.ForEach(output.WriteLine);
        Assert.Equal(files.Count, index);
        Assert.True(exact >= minFiles, $"only {exact} files");
        Assert.Empty(wrong);
    }

    private void WriteRib(IEnumerable<IpAddr> destinations) =>
        File.WriteAllLines(_rib, destinations.Select(d => $"{d}/{d.BitLength} 64496"));
}
