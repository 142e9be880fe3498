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

    [Fact]
    public void RunPerFile_sample_captures_equal_truth() => CheckPerFile(CaptureCorpus.Sample, minPlainFiles: 15);

    [Fact]
    public void RunPerFile_shared_captures_equal_truth()
    {
        if (CaptureCorpus.Shared is { } corpus)
        {
            CheckPerFile(corpus, minPlainFiles: 1000);
        }
        else
        {
            CheckPerFile(CaptureCorpus.Sample, minPlainFiles: 15);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Run_all_files_together_equals_sum_of_truth(int workers)
    {
        CaptureCorpus corpus = CaptureCorpus.Shared ?? CaptureCorpus.Sample;
        List<CaptureFile> files = [.. corpus.Files.Values.Where(f => f is { IsExact: true, IsPlainEthernet: true, LinkLayers: "ethernet", HasExoticFrames: false })];
        Dictionary<IpAddr, (long Packets, long Bytes)> expected = [];
        foreach ((IpAddr destination, (long packets, long bytes)) in files.SelectMany(file => file.Outer))
        {
            (long p, long b) = expected.GetValueOrDefault(destination);
            expected[destination] = (p + packets, b + bytes);
        }

        WriteRib(expected.Keys);
        ReplayResult result = ReplayRunner.Run(
            new ReplayOptions { PcapFiles = [.. files.Select(f => f.Path)], RibFiles = [_rib], Workers = workers }, TimeProvider.System);
        Assert.All(result.Problems, problem => Assert.Contains("cut short", problem, StringComparison.Ordinal));
        Assert.Equal(files.Sum(f => f.Frames), result.Statistics.Frames);
        Assert.Equal(expected.Values.Sum(v => v.Packets), result.Statistics.Packets);
        Assert.Equal(expected.Values.Sum(v => v.Bytes), result.Statistics.IpBytes);
        Assert.True(CaptureCorpus.SameTotals(expected, Totals(result)));
        Assert.Equal(0, result.Statistics.UnroutedPackets);
    }

    private static Dictionary<IpAddr, (long Packets, long Bytes)> Totals(ReplayResult result) =>
        result.Prefixes.ToDictionary(p => p.Prefix.Address, p => (p.Packets, p.IpBytes));

    private void CheckPerFile(CaptureCorpus corpus, int minPlainFiles)
    {
        List<CaptureFile> files = [.. corpus.Files.Values];
        WriteRib(files.SelectMany(f => f.Outer.Keys).Distinct());
        int plain = 0;
        int others = 0;
        int othersEqual = 0;
        IEnumerable<ReplayResult> results = ReplayRunner.RunPerFile(
            new ReplayOptions { PcapFiles = [.. files.Select(f => f.Path)], RibFiles = [_rib], Workers = 2 }, TimeProvider.System);
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

            Assert.False(result.Failed, file.Name);
            bool equal = CaptureCorpus.SameTotals(file.Outer, Totals(result)) && result.Statistics.UnroutedPackets == 0;
            if (file is { IsPlainEthernet: true, LinkLayers: "ethernet", HasExoticFrames: false })
            {
                plain++;
                Assert.True(equal && result.Statistics.Frames == file.Frames, file.Name);
            }
            else
            {
                others++;
                othersEqual += equal ? 1 : 0;
            }
        }

        output.WriteLine($"files equal to truth: {plain} with Ethernet, VLAN and IP alone (all), {othersEqual} of {others} others");
        Assert.Equal(files.Count, index);
        Assert.True(plain >= minPlainFiles, $"only {plain} plain files");
        Assert.True(othersEqual >= others * 0.9, $"{othersEqual} of {others} others");
    }

    private void WriteRib(IEnumerable<IpAddr> destinations) =>
        File.WriteAllLines(_rib, destinations.Select(d => $"{d}/{d.BitLength} 64496"));
}
