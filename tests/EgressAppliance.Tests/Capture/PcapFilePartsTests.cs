using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Replay;

namespace EgressAppliance.Tests.Capture;

/// <summary>Files that several threads read in parts: together the parts are the file, or are known not to be.</summary>
public sealed class PcapFilePartsTests : IDisposable
{
    private const int Parts = 3;
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Parts_together_are_the_file(bool pcapng)
    {
        long frames = WriteLarge(pcapng, _ => 0, hostile: false);
        IReadOnlyList<long> cuts = PcapFileSource.FindCuts(_path, Parts);
        Assert.Equal(Parts, cuts.Count - 1);
        PcapFileSource[] parts = [.. cuts.Zip(cuts.Skip(1), (from, to) => PcapFileSource.OpenPart(_path, from, to)!)];
        long[] counts = [.. parts.Select(Count)];
        Assert.All(counts, count => Assert.InRange(count, frames / Parts / 2, frames / Parts * 2));
        Assert.Equal(frames, counts.Sum());
        Assert.True(PcapFileSource.PartsMeet(parts));
        Assert.All(parts, part => Assert.Null(part.GetStatistics().Message));
        Array.ForEach(parts, part => part.Dispose());
    }

    [Fact]
    public void PartsMeet_frames_that_look_like_records_are_found_out()
    {
        WriteLarge(pcapng: false, _ => 0, hostile: true);
        IReadOnlyList<long> cuts = PcapFileSource.FindCuts(_path, Parts);
        PcapFileSource?[] parts = [.. cuts.Zip(cuts.Skip(1), (from, to) => PcapFileSource.OpenPart(_path, from, to))];
        Assert.All(parts, Assert.NotNull);
        Assert.All(parts, part => Count(part!));
        Assert.False(PcapFileSource.PartsMeet(parts!));
        Array.ForEach(parts, part => part!.Dispose());
    }

    [Fact]
    public void PartsMeet_interface_declared_in_the_middle_is_found_out()
    {
        WriteLarge(pcapng: true, i => i > 1000 ? 1 : 0, hostile: false);
        IReadOnlyList<long> cuts = PcapFileSource.FindCuts(_path, Parts);
        PcapFileSource?[] parts = [.. cuts.Zip(cuts.Skip(1), (from, to) => PcapFileSource.OpenPart(_path, from, to))];
        Assert.All(parts, Assert.NotNull);
        Assert.All(parts, part => Count(part!));
        Assert.False(PcapFileSource.PartsMeet(parts!));
        Array.ForEach(parts, part => part!.Dispose());
    }

    [Theory]
    [InlineData(false, false, 1)]
    [InlineData(false, false, 3)]
    [InlineData(false, true, 3)]
    [InlineData(true, false, 3)]
    public void Replay_counts_every_frame_once_however_the_file_was_cut(bool pcapng, bool hostile, int workers)
    {
        long frames = WriteLarge(pcapng, i => pcapng && i > 5000 ? 1 : 0, hostile);
        PipelineStatistics statistics = ReplayRunner.Run(new ReplayOptions { PcapFiles = [_path], Workers = workers }, TimeProvider.System).Statistics;
        Assert.Equal((frames, 0, 0), (statistics.Frames, statistics.NonIp, statistics.Undecodable.Count));
        Assert.Equal(frames, statistics.Sources.Values.Sum(source => source.ReceivedFrames));
    }

    [Fact]
    public void FindCuts_small_file_is_one_part()
    {
        File.WriteAllBytes(_path, new PcapBuilder().FileHeader().Record(Frames.Ip("192.0.2.1")).ToArray());
        Assert.Equal([0L, long.MaxValue], PcapFileSource.FindCuts(_path, 16));
    }

    [Fact]
    public void Read_file_shortened_while_it_is_read_ends_with_a_message()
    {
        WriteLarge(pcapng: false, _ => 0, hostile: false);
        using PcapFileSource source = PcapFileSource.Open(_path);
        FrameBlock block = new();
        Assert.Equal(SourceReadStatus.Frames, source.Read(block, TimeSpan.Zero));
        using (FileStream file = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(24);
        }

        Assert.True(Count(source) < 1 << 20);
        Assert.Contains("cut short", source.GetStatistics().Message, StringComparison.Ordinal);
    }

    private static long Count(PcapFileSource source)
    {
        FrameBlock block = new();
        while (source.Read(block, TimeSpan.Zero) == SourceReadStatus.Frames)
        {
        }

        return source.GetStatistics().ReceivedFrames;
    }

    /// <summary>A file of some 13 MB. The hostile one has frames of 60,000 bytes that are full of what looks like records.</summary>
    private long WriteLarge(bool pcapng, Func<int, int> interfaceOf, bool hostile)
    {
        byte[] padding = new PcapBuilder().Record(new byte[40]).ToArray();
        byte[] payload = new byte[hostile ? 60_000 : 1400];
        for (int at = 0; at + padding.Length <= payload.Length && hostile; at += padding.Length)
        {
            padding.CopyTo(payload, at);
        }

        byte[] frame = Frames.Ip("192.0.2.1", 1400);
        frame = hostile ? [.. frame, .. payload] : frame;
        int frames = 13_000_000 / frame.Length;
        using FileStream file = File.Create(_path);
        file.Write(pcapng ? new PcapBuilder().Section().Interface().ToArray() : new PcapBuilder().FileHeader().ToArray());
        byte[][] records = pcapng
            ? [new PcapBuilder().Enhanced(0, frame).ToArray(), new PcapBuilder().Enhanced(1, frame).ToArray()]
            : [new PcapBuilder().Record(frame).ToArray()];
        int declared = 1;
        for (int i = 0; i < frames; i++)
        {
            if (interfaceOf(i) == declared)
            {
                file.Write(new PcapBuilder().Interface().ToArray());
                declared++;
            }

            file.Write(records[interfaceOf(i)]);
        }

        return frames;
    }
}
