using EgressAppliance.Host.History.Store;
using static EgressAppliance.Tests.History.Store.HistoryBench;

namespace EgressAppliance.Tests.History.Store;

public sealed class HistoryRepairTests
{
    private const int Page = 4096;

    [Fact]
    public void Open_with_damaged_pages_keeps_what_is_before_and_behind_them()
    {
        using HistoryBench bench = new();
        Fill(bench, 1500);
        long size = new FileInfo(bench.Options.Path).Length;
        Assert.True(size > 40 * Page, $"{size} octets");
        Overwrite(bench.Options.Path, size / 2 / Page * Page, 4 * Page);
        Assert.NotNull(HistoryRepair.Check(bench.Options.Path));
        using HistoryStore store = bench.Open(out HistoryOpening opening);
        RepairResult repair = Assert.IsType<RepairResult>(opening.Repair);
        Assert.Equal(bench.Options.Path + ".damaged-20260301T000000Z", repair.Aside);
        Assert.True(File.Exists(repair.Aside));
        Assert.False(repair.Complete);
        long minutes = bench.Scalar("SELECT COUNT(DISTINCT time) FROM link_minute");
        Assert.InRange(minutes, 500, 1500);
        Assert.Equal(Begin.ToUnixTimeSeconds(), bench.Scalar("SELECT MIN(time) FROM link_minute"));
        Assert.Equal(Begin.AddMinutes(1499).ToUnixTimeSeconds(), bench.Scalar("SELECT MAX(time) FROM link_minute"));
        Assert.Equal(bench.Scalar("SELECT COUNT(*) FROM link_minute"), bench.Scalar("SELECT rows FROM row_count WHERE name = 'link_minute'"));
        Assert.Null(HistoryRepair.Check(bench.Options.Path));

        // It goes on.
        store.Write([Tick(Begin.AddMinutes(1500), [Link("isp-01", 1)])], [], []);
        Assert.Equal(Begin.AddMinutes(1500).ToUnixTimeSeconds(), bench.Scalar("SELECT MAX(time) FROM link_minute"));
    }

    [Theory]
    [InlineData(0, 4096)]
    [InlineData(100, 50)]
    public void Open_with_a_damaged_header_begins_anew_and_keeps_the_file(int at, int length)
    {
        using HistoryBench bench = new();
        Fill(bench, 20);
        Overwrite(bench.Options.Path, at, length);
        using HistoryStore store = bench.Open(out HistoryOpening opening);
        RepairResult repair = Assert.IsType<RepairResult>(opening.Repair);
        Assert.True(File.Exists(repair.Aside));
        store.Write([Tick(Begin.AddMinutes(30), [Link("isp-01", 1)])], [], []);
        Assert.Equal(1, bench.Scalar($"SELECT COUNT(*) FROM link_minute WHERE time = {Begin.AddMinutes(30).ToUnixTimeSeconds()}"));
    }

    [Fact]
    public void Open_with_any_damage_ends_in_a_whole_database()
    {
        Random random = new(5);
        for (int round = 0; round < 15; round++)
        {
            using HistoryBench bench = new();
            Fill(bench, 60);
            long size = new FileInfo(bench.Options.Path).Length;
            for (int i = 0; i < 1 + (round % 4); i++)
            {
                Overwrite(bench.Options.Path, random.NextInt64(size - 300), random.Next(1, 300), random);
            }

            using (HistoryStore store = bench.Open())
            {
                store.Write([Tick(Begin.AddMinutes(500), [Link("isp-01", 1)])], [], []);
            }

            Assert.Null(HistoryRepair.Check(bench.Options.Path));
            Assert.Equal(Begin.AddMinutes(500).ToUnixTimeSeconds(), bench.Scalar("SELECT MAX(time) FROM link_minute"));
        }
    }

    [Fact]
    public void Repair_keeps_two_damaged_files_at_most()
    {
        using HistoryBench bench = new();
        for (int i = 0; i < 4; i++)
        {
            Fill(bench, 5);
            Overwrite(bench.Options.Path, 0, 200);
            HistoryStore.Open(bench.Options, Begin.AddHours(i), out HistoryOpening opening).Dispose();
            Assert.NotNull(opening.Repair);
        }

        Assert.Equal(
            ["history.db.damaged-20260301T020000Z", "history.db.damaged-20260301T030000Z"],
            Directory.GetFiles(bench.Folder, "*.damaged-*").Select(f => Path.GetFileName(f)!).Where(f => f.EndsWith('Z')).Order());
    }

    private static void Fill(HistoryBench bench, int minutes)
    {
        HistoryLoad.SampleTraffic traffic = new(8, 40);
        using HistoryStore store = bench.Open();
        store.Write([.. Enumerable.Range(0, minutes).Select(i => traffic.Tick(Begin.AddMinutes(i)))], [new HistoryEvent(Begin, EventKind.Started)], []);
    }

    private static void Overwrite(string path, long at, int length, Random? random = null)
    {
        byte[] octets = new byte[length];
        (random ?? new Random(6)).NextBytes(octets);
        using FileStream file = new(path, FileMode.Open, FileAccess.Write);
        file.Position = at;
        file.Write(octets);
    }
}
