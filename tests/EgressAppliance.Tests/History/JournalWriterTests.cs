using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History;
using EgressAppliance.Tests.Decision;
using EgressAppliance.Tests.Decision.Journal;
using EgressAppliance.Tests.Snmp;
using EgressAppliance.Tests.Steering;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.History;

public sealed class JournalWriterTests
{
    [Fact]
    public async Task Add_calls_are_in_a_file_that_replays()
    {
        await using JournalBench bench = new();
        await bench.CallAsync(20);
        Assert.Equal(new JournalStatus(null, 20, 0, 0, new FileInfo(Assert.Single(bench.Files)).Length), bench.Writer.Status);

        // Flushed, though neither full nor closed: what a crash would leave.
        JournalReplayResult open = Assert.Single(bench.Replay());
        Assert.Equal((20L, false), (open.Cycles, open.IsComplete));
        await bench.Writer.DisposeAsync();
        JournalReplayResult closed = Assert.Single(bench.Replay());
        Assert.Equal((20L, true, "test", bench.Time.GetUtcNow()), (closed.Cycles, closed.IsComplete, closed.Header!.Program, closed.Header.Written));
        Assert.Equal("Information: the journal is written to " + bench.Options.Folder, Assert.Single(bench.Log.Lines));
    }

    [Fact]
    public async Task Add_any_sequence_of_calls_as_fast_as_it_comes_replays()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("egress-journal-");
        try
        {
            for (int seed = 0; seed < 10; seed++)
            {
                JournalOptions options = new() { Folder = Path.Combine(folder.FullName, $"{seed}"), MaxBytes = 1 << 20, FileTime = TimeSpan.FromMilliseconds(seed * 10) };
                await using (JournalWriter writer = new(options, TimeProvider.System, NullLogger<JournalWriter>.Instance))
                {
                    new RandomCalls(seed, writer).Run(100);
                    await writer.DisposeAsync();
                    Assert.Equal(0, writer.Status.Dropped);
                }

                List<JournalReplayResult> results = [.. JournalFolder.List(options.Folder).Select(f => JournalReplayer.Replay(File.OpenRead(f.Path), f.Path))];
                Assert.All(results, r => Assert.Equal((0L, true, null), (r.Differences, r.IsComplete, r.Fault)));
                Assert.All(results.Zip(results.Skip(1)), r => Assert.Equal(Path.GetFileName(r.First.File), r.Second.Header!.Follows));
                Assert.All(results.Zip(results.Skip(1)), r => Assert.Null(JournalReplayer.CompareStates(r.First, r.Second)));
                Assert.Equal(100, results.Sum(r => r.Cycles + r.Commands));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Add_files_end_by_size_and_the_oldest_go()
    {
        await using JournalBench bench = new(o => o with { MaxBytes = 64 << 10 });
        for (int i = 0; i < 400; i++)
        {
            await bench.CallAsync(1);
            long bytes = JournalFolder.List(bench.Options.Folder).Sum(f => f.Bytes);
            Assert.InRange(bytes, 1, 64 << 10);
            Assert.Equal(bytes, bench.Writer.Status.Bytes);
        }

        IReadOnlyList<JournalReplayResult> results = bench.Replay();
        Assert.InRange(results.Count, 8, 17);
        Assert.True(JournalFolder.List(bench.Options.Folder)[0].Number > 1, "nothing was deleted");
        Assert.All(results.SkipLast(1), r => Assert.True(r.IsComplete));
        Assert.All(results.Zip(results.Skip(1)), r => Assert.Equal(Path.GetFileName(r.First.File), r.Second.Header!.Follows));
        Assert.Equal(400, bench.Writer.Status.Written);
    }

    [Fact]
    public async Task Add_one_file_larger_than_all_may_be_is_kept_alone()
    {
        await using JournalBench bench = new(o => o with { MaxBytes = 100 });
        await bench.CallAsync(5);
        Assert.Equal((1L, 5L), (Assert.Single(bench.Replay()).Cycles, bench.Writer.Status.Written));
    }

    [Fact]
    public async Task Add_file_ends_by_age()
    {
        await using JournalBench bench = new(o => o with { FileTime = TimeSpan.FromMinutes(10) });
        for (int i = 0; i < 6; i++)
        {
            bench.Time.Advance(TimeSpan.FromMinutes(5));
            await bench.CallAsync(1);
        }

        // A file begun at 5 is found old at 15, and so the call at 20 goes into the next.
        Assert.Equal([3L, 3L], bench.Replay().Select(r => r.Cycles));
        Assert.Equal(["journal-00000001-20260101T000500Z.jsonl.gz", "journal-00000002-20260101T002000Z.jsonl.gz"], bench.Files.Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public async Task Add_numbers_go_on_after_a_restart_and_what_else_is_there_stays()
    {
        await using JournalBench bench = new(o => o with { MaxBytes = 3200 });
        Directory.CreateDirectory(bench.Options.Folder);
        string[] others = ["journal-x-1.jsonl.gz", "journal-5.txt", "notes", "journal-.jsonl.gz"];
        foreach (string name in others)
        {
            await File.WriteAllBytesAsync(Path.Combine(bench.Options.Folder, name), new byte[10_000]);
        }

        await File.WriteAllBytesAsync(Path.Combine(bench.Options.Folder, "journal-00000041-20200101T000000Z.jsonl.gz"), []);
        await bench.CallAsync(10);
        Assert.True(JournalFolder.List(bench.Options.Folder)[^1].Number > 42);
        Assert.All(others, o => Assert.True(File.Exists(Path.Combine(bench.Options.Folder, o)), o));
    }

    [Fact]
    public async Task Add_disk_that_hangs_delays_nobody_and_leaves_no_gap_in_a_file()
    {
        using ManualResetEventSlim works = new(true);
        await using JournalBench bench = new(o => o with { MaxWaiting = 500 }, path => new SlowStream(JournalBench.Create(path), works));
        await bench.CallAsync(5);
        works.Reset();

        // Each call is made on this thread: were it held up, then for ever.
        for (int i = 0; i < 1000; i++)
        {
            bench.Call();
        }

        JournalStatus hanging = bench.Writer.Status;
        Assert.True(hanging.Dropped > 900, $"{hanging.Dropped} dropped");
        Assert.Equal("the disk does not keep up", hanging.Problem);
        Assert.InRange(bench.Log.Lines.Count(l => l.StartsWith("Warning: the journal's disk does not keep up", StringComparison.Ordinal)), 1, 5);
        works.Set();
        await bench.SettleAsync();
        await bench.CallAsync(5);
        Assert.Null(bench.Writer.Status.Problem);
        await bench.Writer.DisposeAsync();

        IReadOnlyList<JournalReplayResult> results = bench.Replay();
        Assert.InRange(results.Count, 2, 6);
        Assert.Equal(1010 - bench.Writer.Status.Dropped, results.Sum(r => r.Cycles));
        Assert.All(results, r => Assert.True(r.IsComplete));
        Assert.All(results, r => Assert.Null(r.Header!.Follows));
        Assert.All(results, r => Assert.Equal(r.Header!.State.Id + r.Cycles, r.EndState!.Id));
        Assert.Equal(1010, results[^1].EndState!.Id);
        Assert.Contains("Information: the journal is written again; ", bench.Log.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Add_disk_that_fails_is_tried_again_later_and_the_next_file_begins_with_the_state()
    {
        int octets = 4000;
        await using JournalBench bench = new(create: path => new FailingStream(JournalBench.Create(path), octets));
        await bench.CallAsync(30);
        JournalStatus failed = bench.Writer.Status;
        Assert.Equal(("the disk fails", 1L), (failed.Problem, failed.Failures));
        Assert.InRange(failed.Dropped, 1, 29);
        Assert.Contains(bench.Log.Lines, l => l == "Warning: the journal cannot be written: the disk fails; steering goes on, and another attempt is made every 30 s");
        JournalReplayResult cut = Assert.Single(bench.Replay());
        Assert.InRange(cut.Cycles, failed.Written - 1, failed.Written);
        Assert.False(cut.IsComplete);

        octets = int.MaxValue;
        bench.Time.Advance(TimeSpan.FromSeconds(29));
        await bench.CallAsync(1);
        Assert.NotNull(bench.Writer.Status.Problem);
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await bench.CallAsync(3);
        Assert.Null(bench.Writer.Status.Problem);
        Assert.Equal(31, bench.Replay()[1].Header!.State.Id);
        Assert.Null(bench.Replay()[1].Header!.Follows);
        Assert.Equal(failed.Written + 3, bench.Writer.Status.Written);
    }

    [Fact]
    public async Task Add_full_disk_does_not_fill_with_empty_files()
    {
        await using JournalBench bench = new(create: path => new FailingStream(JournalBench.Create(path), 10));
        for (int i = 0; i < 5; i++)
        {
            await bench.CallAsync(1);
            bench.Time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Empty(bench.Files);
        Assert.Equal((5L, 0L, 5L), (bench.Writer.Status.Failures, bench.Writer.Status.Written, bench.Writer.Status.Dropped));
        Assert.Single(bench.Log.Lines);
    }

    [Fact]
    public async Task Add_folder_that_cannot_be_made_is_a_problem_and_no_more()
    {
        await using JournalBench bench = new(o => o with { Folder = "/proc/egress/journal" });
        await bench.CallAsync(10);
        Assert.Equal((1L, 10L), (bench.Writer.Status.Failures, bench.Writer.Status.Dropped));
        Assert.NotNull(bench.Writer.Status.Problem);
    }

    [Fact]
    public async Task Dispose_does_not_wait_for_a_disk_that_hangs()
    {
        using ManualResetEventSlim works = new(false);
        JournalBench bench = new(o => o with { StopWithin = TimeSpan.FromMilliseconds(20) }, path => new SlowStream(JournalBench.Create(path), works));
        bench.Call();
        await bench.Writer.DisposeAsync();
        Assert.Contains("Warning: the journal's disk did not finish in time: the last calls may be missing", bench.Log.Lines);

        // And a call that comes too late is not in the way either.
        bench.Call();
        Assert.True(bench.Writer.Status.Dropped >= 1);
        works.Set();
        await JournalBench.UntilAsync(() => bench.Files.Count == 1 && bench.Writer.Waiting == 0);
        await bench.DisposeAsync();
    }

    [Fact]
    public async Task Steering_everything_the_loop_does_is_replayed()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("egress-journal-");
        JournalOptions options = JournalOptions.From(new HistoryConfig { JournalFolder = folder.FullName })!;
        await using (JournalWriter writer = new(options, TimeProvider.System, NullLogger<JournalWriter>.Instance))
        {
            await using (Bench bench = new(journal: writer))
            {
                string prefix = await bench.RelieveAsync();
                await bench.CycleAsync(3, bench.Surge);
                await Task.Run(() => bench.Speaker.Lose(prefix));
                bench.Loop.AddOverride(EgressAppliance.Net.IpPrefix.Parse(Bench.Second), "b");
                bench.Loop.ReleaseOverride(EgressAppliance.Net.IpPrefix.Parse(Bench.Second));
                bench.Loop.SetMode(DecisionMode.Observe);
                bench.Loop.WithdrawAll(out _);
                await bench.CycleAsync(2, bench.Surge);
            }
        }

        string file = Assert.Single(JournalFolder.List(folder.FullName)).Path;
        JournalReplayResult result = JournalReplayer.Replay(File.OpenRead(file), file);
        folder.Delete(recursive: true);
        Assert.Equal((0L, 4L, true, null), (result.Differences, result.Commands, result.IsComplete, result.Fault));
        Assert.True(result.Cycles >= 6 && result.Moves >= 1 && result.Reports >= 2, result.ToString());
        Assert.Equal(StateBuilderVersion, result.Header!.Program);
        Assert.Equal(DecisionMode.Observe, result.EndState!.Mode);
    }

    [Fact]
    public void From_no_journal_where_none_is_wanted() => Assert.Null(JournalOptions.From(new HistoryConfig { Journal = false }));

    private static string StateBuilderVersion => EgressAppliance.Host.Steering.StateBuilder.Version;

    /// <summary>A disk that takes its time.</summary>
    private sealed class SlowStream(Stream inner, ManualResetEventSlim works) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            works.Wait();
            inner.Write(buffer, offset, count);
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            works.Wait();
            inner.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
