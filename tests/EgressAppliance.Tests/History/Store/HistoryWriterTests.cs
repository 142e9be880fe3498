using EgressAppliance.Host.History.Store;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using static EgressAppliance.Tests.History.Store.HistoryBench;

namespace EgressAppliance.Tests.History.Store;

public sealed class HistoryWriterTests
{
    [Fact]
    public async Task Add_what_is_handed_over_is_in_the_database_when_it_is_disposed()
    {
        using HistoryBench bench = new();
        await using (HistoryWriter writer = Start(bench.Options))
        {
            writer.Add(Tick(Begin, [Link("a", 1)]), [new HistoryEvent(Begin, EventKind.Started)]);
            writer.Add(null, [new HistoryEvent(Begin, EventKind.Stopped)]);
        }

        Assert.Equal((1, 2), (bench.Scalar("SELECT COUNT(*) FROM link_minute"), bench.Scalar("SELECT COUNT(*) FROM event")));
    }

    [Fact]
    public async Task Add_while_the_disk_fails_waits_is_bounded_and_goes_on_by_itself()
    {
        using HistoryBench bench = new(o => o with { MaxWaitingTicks = 5, MaxWaitingEvents = 3, RetryAfter = TimeSpan.FromMilliseconds(20) });
        string blocked = Path.Combine(bench.Folder, "blocked");

        // A file where the folder should be: nothing can be opened.
        await File.WriteAllTextAsync(blocked, "");
        HistoryOptions options = bench.Options with { Path = Path.Combine(blocked, "history.db") };
        await using HistoryWriter writer = Start(options);
        for (int i = 0; i < 8; i++)
        {
            writer.Add(Tick(Begin.AddMinutes(i), [Link("a", i)]), [new HistoryEvent(Begin.AddMinutes(i), EventKind.Plan)]);
        }

        HistoryStatus status = await UntilAsync(writer, s => s.Failures > 1);
        Assert.NotNull(status.Problem);
        Assert.Equal((5, 3, 5, 0), (status.WaitingTicks, status.DroppedTicks, status.DroppedEvents, status.WrittenTicks));
        File.Delete(blocked);
        status = await UntilAsync(writer, s => s.Problem is null);
        Assert.Equal((5L, 3L, 0), (status.WrittenTicks, status.DroppedTicks, status.WaitingTicks));
        writer.Add(Tick(Begin.AddMinutes(9), [Link("a", 9)]), []);
        await UntilAsync(writer, s => s.WrittenTicks == 6);
        await writer.DisposeAsync();
        using SqliteConnection read = HistoryDatabase.OpenForReading(options.Path);
        using SqliteCommand command = read.CreateCommand();
        command.CommandText = "SELECT count FROM event WHERE code = 'gap'";
        Assert.Equal(3L, command.ExecuteScalar());
    }

    [Fact]
    public async Task Add_after_the_database_was_deleted_makes_it_anew()
    {
        using HistoryBench bench = new(o => o with { RetryAfter = TimeSpan.FromMilliseconds(20) });
        await using HistoryWriter writer = Start(bench.Options);
        writer.Add(Tick(Begin, [Link("a", 1)]), []);
        await UntilAsync(writer, s => s.WrittenTicks == 1);
        foreach (string file in Directory.GetFiles(bench.Folder))
        {
            File.Delete(file);
        }

        writer.Add(Tick(Begin.AddMinutes(1), [Link("a", 1)]), []);
        await UntilAsync(writer, s => s.WrittenTicks == 2);
        Assert.Equal(1, bench.Scalar("SELECT COUNT(*) FROM link_minute"));
    }

    [Fact]
    public async Task Start_with_a_damaged_database_repairs_it_and_says_so()
    {
        using HistoryBench bench = new();
        await File.WriteAllBytesAsync(bench.Options.Path, new byte[20_000]);
        await using HistoryWriter writer = Start(bench.Options);
        writer.Add(Tick(Begin, [Link("a", 1)]), []);
        HistoryStatus status = await UntilAsync(writer, s => s.WrittenTicks == 1);
        Assert.Contains("damaged", Assert.Single(status.Notes), StringComparison.Ordinal);
        Assert.Equal(1, bench.Scalar("SELECT COUNT(*) FROM event WHERE code = 'repaired'"));
    }

    [Fact]
    public async Task Dispose_of_a_temporary_history_leaves_nothing()
    {
        using HistoryBench bench = new();
        HistoryOptions options = bench.Options with { Path = Path.Combine(bench.Folder, "demo", "history.db"), Temporary = true };
        await using (HistoryWriter writer = Start(options))
        {
            writer.Add(Tick(Begin, [Link("a", 1)]), []);
            await UntilAsync(writer, s => s.WrittenTicks == 1);
        }

        Assert.False(Directory.Exists(Path.Combine(bench.Folder, "demo")));
    }

    internal static async Task<HistoryStatus> UntilAsync(HistoryWriter writer, Func<HistoryStatus, bool> right)
    {
        while (!right(writer.Status))
        {
            await Task.Delay(10);
        }

        return writer.Status;
    }

    private static HistoryWriter Start(HistoryOptions options) => new(options, TimeProvider.System, NullLogger<HistoryWriter>.Instance);
}
