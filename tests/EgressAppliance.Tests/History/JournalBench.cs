using System.Collections.Concurrent;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Host.History;
using EgressAppliance.Tests.Decision;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Tests.History;

/// <summary>A writer of a journal in a folder of its own, and a controller that is recorded by it.</summary>
internal sealed class JournalBench : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("egress-journal-");
    private long _calls;

    public JournalBench(Func<JournalOptions, JournalOptions>? change = null, Func<string, Stream>? create = null)
    {
        JournalOptions options = new() { Folder = Path.Combine(_folder.FullName, "journal"), Program = "test" };
        Options = change?.Invoke(options) ?? options;
        Writer = new JournalWriter(Options, Time, Log, create);
        Controller = new RecordingController(new DecisionController(new(), DecisionMode.Inject), Writer);
    }

    public ManualTimeProvider Time { get; } = new();

    public ListLogger Log { get; } = new();

    public JournalOptions Options { get; }

    public JournalWriter Writer { get; }

    public RecordingController Controller { get; }

    public IReadOnlyList<string> Files => Directory.Exists(Options.Folder) ? [.. JournalFolder.List(Options.Folder).Select(f => f.Path)] : [];

    public static Stream Create(string path) => new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);

    /// <summary>Makes a call whose text does not compress away.</summary>
    public void Call()
    {
        Random random = new((int)_calls++);
        Controller.Cycle(new CycleInput
        {
            Now = Lab.Start.AddSeconds(_calls),
            Links = [Lab.Link("a", 1000, 900), Lab.Link("b")],
            Prefixes = [.. Enumerable.Range(0, 20).Select(i => Lab.Demand(i, 1, "a", "b") with { RateBps = random.NextInt64(1_000_000, 10_000_000) })],
        });
    }

    /// <summary>Makes calls, each of which is in a file or left out before the next is made.</summary>
    public async Task CallAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Call();
            await SettleAsync();
        }
    }

    /// <summary>Waits until nothing waits to be written.</summary>
    public Task SettleAsync() => UntilAsync(() => Writer.Status is { } s && s.Written + s.Dropped == _calls && Writer.Waiting == 0);

    /// <summary>Replays every file, and each against the one it follows.</summary>
    public IReadOnlyList<JournalReplayResult> Replay()
    {
        List<JournalReplayResult> results = [.. Files.Select(f => JournalReplayer.Replay(File.OpenRead(f), f))];
        Assert.All(results, r => Assert.Null(r.Fault));
        Assert.All(results, r => Assert.Equal(0, r.Differences));
        Assert.All(results.Zip(results.Skip(1)), r => Assert.Null(JournalReplayer.CompareStates(r.First, r.Second)));
        return results;
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        long limit = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromMinutes(2), "the condition did not come true");
            await Task.Delay(1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Writer.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    internal sealed class ListLogger : ILogger<JournalWriter>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
