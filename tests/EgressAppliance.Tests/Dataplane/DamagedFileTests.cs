using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Tests.Capture;

namespace EgressAppliance.Tests.Dataplane;

/// <summary>Capture files that are cut or bent: a typed error when opened, or frames and a message.</summary>
public sealed class DamagedFileTests : IDisposable
{
    private const int CutBytes = 400;
    private const int MaxFileBytes = 64 << 10;

    private readonly string _path = Path.GetTempFileName();

    public static TheoryData<string> SampleFiles => [.. CaptureCorpus.Sample.Files.Keys];

    public void Dispose() => File.Delete(_path);

    [Theory]
    [MemberData(nameof(SampleFiles))]
    public void Read_file_cut_at_every_byte_gives_whole_frames_and_says_so(string name)
    {
        byte[] file = File.ReadAllBytes(CaptureCorpus.Sample.Files[name].Path);
        File.WriteAllBytes(_path, file);
        List<int> all = Read(out string? message);
        Assert.Null(message);
        bool wasSilent = false;
        for (int length = Math.Min(file.Length - 1, CutBytes); length >= 0; length--)
        {
            using (FileStream stream = new(_path, FileMode.Open))
            {
                stream.SetLength(length);
            }

            List<int> frames;
            try
            {
                frames = Read(out message);
            }
            catch (CaptureException e)
            {
                Assert.Contains(e.Error, new[] { CaptureError.UnknownFileFormat, CaptureError.FileUnreadable });
                Assert.True(length < 24, $"refused at {length} bytes");
                continue;
            }

            // What is given is a beginning of the whole; only a cut between two records goes unseen, and records are not a byte long.
            Assert.Equal(all.Take(frames.Count), frames);
            Assert.False(message is null && wasSilent, $"cut at {length} and {length + 1} bytes unseen");
            wasSilent = message is null;
        }
    }

    [Fact]
    public void Read_file_with_flipped_bits_ends()
    {
        Random random = new(20260104);
        int refused = 0;
        int told = 0;
        foreach (CaptureFile capture in CaptureCorpus.Sample.Files.Values)
        {
            byte[] file = File.ReadAllBytes(capture.Path);
            for (int i = 0; i < 40; i++)
            {
                byte[] bent = file.AsSpan(0, Math.Min(file.Length, MaxFileBytes)).ToArray();
                for (int flips = random.Next(1, 9); flips > 0; flips--)
                {
                    bent[random.Next(Math.Min(bent.Length, random.Next(2) == 0 ? 64 : 1024))] ^= (byte)(1 << random.Next(8));
                }

                File.WriteAllBytes(_path, bent);
                try
                {
                    List<int> frames = Read(out string? message);
                    Assert.InRange(frames.Count, 0, bent.Length / 16);
                    Assert.InRange(frames.Sum(), 0, bent.Length);
                    told += message is null ? 0 : 1;
                }
                catch (CaptureException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > 20 && told > 20, $"{refused} refused, {told} with a message");
    }

    /// <summary>Captured lengths of all frames; each is decoded on the way.</summary>
    private List<int> Read(out string? message)
    {
        List<int> frames = [];
        using PcapFileSource source = PcapFileSource.Open(_path);
        FrameBlock block = new(64);
        while (source.Read(block, TimeSpan.Zero) == SourceReadStatus.Frames)
        {
            foreach (ref readonly FrameHeader header in block.Frames)
            {
                ReadOnlySpan<byte> frame = block.Data.Slice(header.Offset, header.CapturedLength);
                Assert.True(Enum.IsDefined(FrameDecoder.Decode(frame, header, Decapsulation.Innermost, out _)));
                frames.Add(frame.Length);
            }
        }

        message = source.GetStatistics().Message;
        return frames;
    }
}
