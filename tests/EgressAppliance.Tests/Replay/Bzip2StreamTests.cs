using EgressAppliance.Host;
using EgressAppliance.Host.Replay;

namespace EgressAppliance.Tests.Replay;

public sealed class Bzip2StreamTests
{
    private static readonly byte[] Packed = File.ReadAllBytes(Sample);

    private static string Sample => TestData.Path("bgp", "mrt", "ryu.rib.20161101.0000_pick.bz2");

    [Fact]
    public void Read_of_two_archives_behind_one_another_gives_both()
    {
        byte[] once = Unpack(Packed);
        Assert.Equal(367, once.Length);
        Assert.Equal([.. once, .. once], Unpack([.. Packed, .. Packed]));
    }

    [Fact]
    public void Read_of_a_cut_archive_gives_what_came_before_and_then_throws()
    {
        using Bzip2Stream stream = new(new MemoryStream([.. Packed, .. Packed[..^20]]));
        byte[] buffer = new byte[1000];
        Assert.Equal(367, stream.ReadAtLeast(buffer.AsSpan(0, 367), 367));
        Assert.Throws<InvalidDataException>(() => stream.ReadAtLeast(buffer, 367));
        Assert.Throws<InvalidDataException>(() => stream.Read(buffer));
    }

    [Fact]
    public void Read_of_damaged_archives_gives_data_or_throws_invalid_data()
    {
        for (int at = 0; at < Packed.Length; at++)
        {
            byte[] damaged = (byte[])Packed.Clone();
            damaged[at] ^= 0x55;
            try
            {
                Assert.InRange(Unpack(damaged).Length, 0, 2000);
            }
            catch (InvalidDataException e)
            {
                Assert.Contains("bzip2", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Table_of_replay_may_be_packed_by_bzip2() =>
        Assert.Equal(2, RibFile.ReadPrefixes(Sample, [MrtRibFormat.Instance]).Count);

    private static byte[] Unpack(byte[] packed)
    {
        using Bzip2Stream stream = new(new MemoryStream(packed));
        using MemoryStream all = new();
        stream.CopyTo(all);
        return all.ToArray();
    }
}
