using EgressAppliance.Decision.Cost;
using EgressAppliance.Host.History.Store;
using Microsoft.Data.Sqlite;
using static EgressAppliance.Tests.History.Store.HistoryBench;

namespace EgressAppliance.Tests.History.Store;

public sealed class HistoryStoreTests
{
    [Fact]
    public void Write_minutes_are_rolled_up_to_every_level()
    {
        using HistoryBench bench = new();
        using HistoryStore store = bench.Open();
        for (int i = 0; i < 90; i++)
        {
            store.Write([Tick(Begin.AddMinutes(i), [Link("a", i, counterMbps: i < 60 ? 2 * i : null), Link("b", 7)], Prefix("192.0.2.0/24", "a", 10), Prefix("198.51.100.0/24", "b", i))], [], []);
        }

        Assert.Equal(180, bench.Scalar("SELECT COUNT(*) FROM link_minute"));
        Assert.Equal(36, bench.Scalar("SELECT COUNT(*) FROM link_five_minutes"));
        Assert.Equal(["1 3600 29500 59000 59000", "1 1800 74500 89000 -"], bench.Rows("SELECT link, seconds, mirror, mirror_max, counter FROM link_hour WHERE link = 1 ORDER BY time"));
        Assert.Equal(["1 5400 44500 59000", "2 5400 7000 -"], bench.Rows("SELECT link, seconds, mirror, counter FROM link_day ORDER BY link"));
        Assert.Equal(["90 3600", "18 5400"], bench.Rows("SELECT COUNT(*), SUM(seconds) - 1800 FROM prefix_minute UNION ALL SELECT COUNT(*), SUM(seconds) FROM prefix_five_minutes"));
        Assert.Equal(["event 0"], bench.Rows("SELECT 'event', COUNT(*) FROM event"));
        Assert.All(
            bench.Rows("SELECT name, rows FROM row_count").Select(r => r.Split(' ')), r => Assert.Equal(long.Parse(r[1]), bench.Scalar($"SELECT COUNT(*) FROM {r[0]}")));
        Assert.Equal(180, store.Figures().Added["link_minute"]);
    }

    [Fact]
    public void Write_a_day_at_once_gives_what_minute_by_minute_gives()
    {
        using HistoryBench slow = new();
        using HistoryBench fast = new();
        HistoryLoad.SampleTraffic traffic = new(3, 20);
        HistoryTick[] day = [.. Enumerable.Range(0, 400).Select(i => traffic.Tick(Begin.AddMinutes(i)))];
        using (HistoryStore store = slow.Open())
        {
            foreach (HistoryTick tick in day)
            {
                store.Write([tick], [], []);
            }
        }

        using (HistoryStore store = fast.Open())
        {
            store.Write(day, [], []);
        }

        foreach (HistoryLevel level in HistoryLevel.All)
        {
            Assert.Equal(slow.Rows($"SELECT * FROM {level.LinkTable} ORDER BY time, link"), fast.Rows($"SELECT * FROM {level.LinkTable} ORDER BY time, link"));
            Assert.Equal(slow.Rows($"SELECT time, seconds, hex(rates) FROM {level.PrefixTable} ORDER BY time"), fast.Rows($"SELECT time, seconds, hex(rates) FROM {level.PrefixTable} ORDER BY time"));
        }
    }

    [Fact]
    public void Write_the_two_parts_of_a_minute_with_a_restart_make_one()
    {
        using HistoryBench bench = new();
        using (HistoryStore store = bench.Open())
        {
            store.Write([Tick(Begin, [Link("a", 10, counterMbps: 10, seconds: 20)], Prefix("192.0.2.0/24", "a", 4))], [], []);
        }

        using (HistoryStore store = bench.Open())
        {
            store.Write([Tick(Begin, [Link("a", 40, seconds: 40)], Prefix("192.0.2.0/24", "a", 1))], [], []);

            // A third part would be more than a minute: the clock was set back. What is there stays.
            store.Write([Tick(Begin, [Link("a", 1000, seconds: 40)], Prefix("192.0.2.0/24", "a", 100))], [], []);
        }

        Assert.Equal(["60 30000 10000"], bench.Rows("SELECT seconds, mirror, counter FROM link_minute"));
        Assert.Equal(["60 0101D00F"], bench.Rows("SELECT seconds, hex(rates) FROM prefix_minute"));
    }

    [Fact]
    public void Write_only_the_largest_prefixes_are_kept()
    {
        using HistoryBench bench = new(o => o with { TopPrefixes = 2 });
        using HistoryStore store = bench.Open();
        store.Write([Tick(Begin, [], Prefix("192.0.2.0/24", "a", 1), Prefix("198.51.100.0/24", "a", 3), Prefix("203.0.113.0/24", "a", 2))], [], []);
        Assert.Equal(2, bench.Scalar("SELECT LENGTH(hex(rates)) FROM prefix_minute") / 8);
    }

    [Fact]
    public void Write_what_is_too_old_goes_and_the_rest_stays()
    {
        TimeSpan hour = TimeSpan.FromHours(1);
        using HistoryBench bench = new(o => o with { Retention = new HistoryRetention(hour, 3 * hour, 72 * hour, 72 * hour, hour) });
        using HistoryStore store = bench.Open();
        for (int i = 0; i < 300; i++)
        {
            store.Write([Tick(Begin.AddMinutes(i), [Link("a", 1)], Prefix("192.0.2.0/24", "a", 1))], [new HistoryEvent(Begin.AddMinutes(i), EventKind.Plan)], []);
        }

        Assert.Equal(["61 61 61"], bench.Rows("SELECT (SELECT COUNT(*) FROM link_minute), (SELECT COUNT(*) FROM prefix_minute), (SELECT COUNT(*) FROM event)"));
        Assert.Equal(36, bench.Scalar("SELECT COUNT(*) FROM link_five_minutes"));
        Assert.Equal(5, bench.Scalar("SELECT COUNT(*) FROM link_hour"));
        Assert.Equal(bench.Scalar("SELECT COUNT(*) FROM link_minute"), bench.Scalar("SELECT rows FROM row_count WHERE name = 'link_minute'"));
        Assert.Equal(0, store.Figures().Trimmed);
    }

    [Fact]
    public void Write_more_than_the_size_allows_trims_the_oldest_of_the_finest_first()
    {
        using HistoryBench bench = new(o => o with { MaxBytes = 3 << 20 });
        HistoryLoad.SampleTraffic traffic = new(8, 100);
        using HistoryStore store = bench.Open();
        for (int day = 0; day < 5; day++)
        {
            store.Write([.. Enumerable.Range(0, 1440).Select(m => traffic.Tick(Begin.AddDays(day).AddMinutes(m)))], [], []);
            store.Write([], [], []);
        }

        for (int i = 0; i < 20; i++)
        {
            store.Write([traffic.Tick(Begin.AddDays(5).AddMinutes(i))], [], []);
        }

        StoreFigures figures = store.Figures();
        Assert.True(figures.Trimmed > 10_000, $"{figures.Trimmed} rows trimmed");
        Assert.True(figures.UsedBytes <= 3 << 20, $"{figures.UsedBytes} octets used");
        Assert.True(bench.Scalar("SELECT MIN(time) FROM link_minute") > Begin.ToUnixTimeSeconds());
        Assert.Equal(bench.Scalar("SELECT MIN(time) FROM link_minute"), bench.Scalar("SELECT MIN(time) FROM prefix_minute"));

        // The newest is there whatever goes, and days tell of all of it.
        Assert.Equal(Begin.AddDays(5).AddMinutes(19).ToUnixTimeSeconds(), bench.Scalar("SELECT MAX(time) FROM link_minute"));
        Assert.Equal(6, bench.Scalar("SELECT COUNT(DISTINCT time) FROM link_day"));
        Assert.Equal(bench.Scalar("SELECT COUNT(*) FROM link_minute"), bench.Scalar("SELECT rows FROM row_count WHERE name = 'link_minute'"));
    }

    [Fact]
    public void Write_events_are_numbered_and_no_number_comes_twice()
    {
        using HistoryBench bench = new(o => o with { Retention = o.Retention with { Events = TimeSpan.FromHours(1) } });
        using (HistoryStore store = bench.Open())
        {
            store.Write([], [new HistoryEvent(Begin, EventKind.Started), new HistoryEvent(Begin, EventKind.Mode) { Code = "observe" }], []);
            store.Write([Tick(Begin.AddHours(3), [Link("a", 1)])], [], []);
        }

        Assert.Equal(0, bench.Scalar("SELECT COUNT(*) FROM event"));
        using (HistoryStore store = bench.Open())
        {
            store.Write([], [new HistoryEvent(Begin.AddHours(3), EventKind.Stopped)], []);
        }

        Assert.Equal(3, bench.Scalar("SELECT id FROM event"));
    }

    [Fact]
    public async Task Write_months_are_those_of_the_billing_months()
    {
        BillingOptions billing = new() { BillingDay = 15, TimeZone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin") };
        using HistoryBench bench = new(o => o with { Terms = [new LinkTerms("a", billing, 95, 100_000_000, 2.0)] });
        BillingMonth expected = new("a", billing, Begin);
        Random random = new(4);
        long bytes = 0;
        long largest = 0;
        DateTimeOffset at = Begin;
        using (HistoryStore store = bench.Open())
        {
            // Over the end of the month, the 14th at 23:00 UTC, with hours in which nothing was measured.
            for (int batch = 0; batch < 16 * 24; batch++)
            {
                List<HistoryTick> ticks = [];
                for (int i = 0; i < 12; i++, at = at.AddMinutes(5))
                {
                    if (batch % 37 == 5)
                    {
                        continue;
                    }

                    long mbps = random.Next(1, 1000);
                    ticks.Add(Tick(at, [Link("a", mbps - 1, counterMbps: mbps, nativeMbps: mbps * 2, overload: 1, nativeOverload: 3)]));
                    if (at < new DateTimeOffset(2026, 3, 14, 23, 0, 0, TimeSpan.Zero))
                    {
                        expected.Add(at, mbps * 1_000_000);
                        bytes += mbps * 1_000_000 * 60 / 8;
                        largest = Math.Max(largest, mbps);
                    }
                }

                store.Write(ticks, [], []);
                if (batch == 100)
                {
                    Assert.Equal(1, bench.Scalar("SELECT COUNT(*) FROM month"));
                }
            }
        }

        IReadOnlyList<LinkMonth> months = await MonthsAsync(bench);
        Assert.Equal([202603, 202602], months.Select(m => m.Label));
        LinkMonth month = months[1];

        // The last sample of the month is over when the next month begins; a billing month that is asked just before does not count it yet.
        long[] samples = [.. expected.ToRecord().Samples.Where(s => s >= 0).OrderDescending()];
        Assert.Equal((expected.Start, expected.End, expected.SampleCount, samples.Length), (month.Start, month.End, month.Samples, month.Measured));
        Assert.Equal(expected.FreeSamples < samples.Length ? samples[expected.FreeSamples] : 0, month.StandingBps);
        Assert.Equal(samples[(int)(samples.Length * 0.05)], month.PercentileBps);
        Assert.Equal(2 * month.PercentileBps, month.NativePercentileBps);
        Assert.Equal((bytes, largest * 1_000_000, samples.Length, 3L * samples.Length), (month.VolumeBytes, month.PeakBps, month.OverloadSeconds, month.NativeOverloadSeconds));
        Assert.Equal(month.PercentileBps * 2m / 1_000_000m, month.Saving);
        Assert.True(month.FromCounter);
        BillingMonth again = new("a", billing, Begin);
        foreach (long sample in samples)
        {
            again.Add(again.Start.AddMinutes(5 * again.Measured), sample);
            again.AdvanceTo(again.Start.AddMinutes(5 * (again.Measured + 1)));
        }

        Assert.Equal((again.StandingBps, again.PercentileSoFarBps), (month.StandingBps, month.PercentileBps));
    }

    [Fact]
    public async Task Write_after_a_restart_months_go_on_from_the_database()
    {
        HistoryOptions With(HistoryOptions o) => o with { Terms = [new LinkTerms("a", new BillingOptions(), 95, null, null)] };
        using HistoryBench once = new(With);
        using HistoryBench often = new(With);
        HistoryTick[] ticks = [.. Enumerable.Range(0, 3000).Select(i => Tick(Begin.AddMinutes(i), [Link("a", i * 7919 % 1000)]))];
        using (HistoryStore store = once.Open())
        {
            store.Write(ticks, [], []);
        }

        foreach (HistoryTick[] part in ticks.Chunk(700))
        {
            using HistoryStore store = often.Open();
            store.Write(part, [], []);
        }

        LinkMonth month = Assert.Single(await MonthsAsync(often));
        Assert.Equal(Assert.Single(await MonthsAsync(once)), month);
        Assert.Equal((599, false), (month.Measured, month.FromCounter));
    }

    [Fact]
    public void Open_a_database_of_something_else_is_refused_and_left_alone()
    {
        using HistoryBench bench = new();
        Change(bench.Options.Path, "CREATE TABLE other(a)");
        byte[] before = File.ReadAllBytes(bench.Options.Path);
        Assert.Equal(HistoryFailure.Foreign, Assert.Throws<HistoryException>(() => bench.Open()).Failure);
        Change(bench.Options.Path, "PRAGMA journal_mode = DELETE");
        Assert.Equal(before.Length, new FileInfo(bench.Options.Path).Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_a_database_of_a_newer_version_sets_it_aside_and_goes_on_from_the_copy_of_before(bool copy)
    {
        using HistoryBench bench = new();
        string path = bench.Options.Path;
        using (HistoryStore store = bench.Open())
        {
            store.Write([HistoryBench.Tick(HistoryBench.Begin, [HistoryBench.Link("before", 100)])], [], []);
        }

        if (copy)
        {
            // As the newer version does before its first step.
            HistoryDatabase.Backup(path, HistorySchema.CopyOf(path, HistorySchema.Version));
        }

        using (HistoryStore store = bench.Open())
        {
            store.Write([HistoryBench.Tick(HistoryBench.Begin.AddMinutes(1), [HistoryBench.Link("after", 100)])], [], []);
        }

        Change(path, "CREATE TABLE of_the_newer(a); PRAGMA user_version = 99");
        using (HistoryStore store = bench.Open(out HistoryOpening opening))
        {
            string aside = Assert.IsType<string>(opening.Newer);
            Assert.Equal(copy, opening.FromCopy);
            Assert.Null(opening.MigrationCopy);
            Assert.StartsWith(path + ".newer-", aside, StringComparison.Ordinal);
            Assert.Equal((2L, 99L), (Number(aside, "SELECT COUNT(*) FROM link"), Number(aside, "PRAGMA user_version")));
            store.Write([HistoryBench.Tick(HistoryBench.Begin.AddMinutes(2), [HistoryBench.Link("now", 100)])], [], []);
        }

        Assert.Equal(copy ? ["before", "now"] : ["now"], bench.Rows("SELECT name FROM link ORDER BY name"));
        Assert.False(File.Exists(HistorySchema.CopyOf(path, HistorySchema.Version)));

        // The next start finds nothing to do.
        bench.Open(out HistoryOpening again).Dispose();
        Assert.Equal((null, false), (again.Newer, again.FromCopy));
    }

    [Fact]
    public void Migrate_takes_the_missing_steps_and_keeps_a_copy()
    {
        using HistoryBench bench = new();
        using (HistoryStore store = bench.Open())
        {
            store.Write([Tick(Begin, [Link("a", 1)])], [], []);
        }

        using SqliteConnection connection = new($"Data Source={bench.Options.Path};Pooling=False");
        connection.Open();
        string[] steps = [.. HistorySchema.Steps, "ALTER TABLE link ADD COLUMN note TEXT", "UPDATE link SET note = name"];
        string? copy = HistorySchema.Migrate(connection, bench.Options.Path, steps);
        Assert.Equal($"{bench.Options.Path}.v{HistorySchema.Version}", copy);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT note FROM link";
        Assert.Equal("a", command.ExecuteScalar());
        using SqliteConnection before = HistoryDatabase.OpenForReading(copy!);
        Assert.Null(HistorySchema.Migrate(connection, bench.Options.Path, steps));

        // A step that fails leaves the version before it.
        Assert.Throws<SqliteException>(() => HistorySchema.Migrate(connection, bench.Options.Path, [.. steps, "CREATE TABLE half(a); nonsense"]));
        command.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'half'";
        Assert.Equal(0L, command.ExecuteScalar());
    }

    [Fact]
    public void Backup_while_it_is_written_is_whole_and_of_one_moment()
    {
        using HistoryBench bench = new();
        using HistoryStore store = bench.Open();
        HistoryLoad.SampleTraffic traffic = new(4, 50);
        for (int i = 0; i < 100; i++)
        {
            store.Write([traffic.Tick(Begin.AddMinutes(i))], [], []);
        }

        string copy = Path.Combine(bench.Folder, "copy.db");
        HistoryDatabase.Backup(bench.Options.Path, copy);
        store.Write([traffic.Tick(Begin.AddMinutes(100))], [], []);
        Assert.Null(HistoryRepair.Check(copy));
        using SqliteConnection read = HistoryDatabase.OpenForReading(copy);
        using SqliteCommand command = read.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM prefix_minute";
        Assert.Equal(100L, command.ExecuteScalar());
        Assert.Throws<IOException>(() => HistoryDatabase.Backup(bench.Options.Path, copy));
    }

    private static async Task<IReadOnlyList<LinkMonth>> MonthsAsync(HistoryBench bench)
    {
        using HistoryReader reader = new(bench.Options.Path, TimeProvider.System);
        return await reader.MonthsAsync(null, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, 100, CancellationToken.None);
    }

    private static long Number(string path, string sql)
    {
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static void Change(string path, string sql)
    {
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
