using EgressAppliance.Host.Http;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// Writes the history to disk, beside the control loop and never in its way.
/// </summary>
/// <remarks>
/// Ticks (a minute each) and events are handed over and wait in a bounded queue; a thread of the writer's own takes all that waits and writes it in one transaction. If the disk is full or
/// fails, nothing is lost at first: what was handed over goes on waiting, an attempt is made every few seconds, and only when more than an hour and a half waits are further ticks left out, counted
/// and told. A database that turns out to be damaged is closed, repaired and opened again.
/// </remarks>
public sealed class HistoryWriter : IAsyncDisposable
{
    private readonly HistoryOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<HistoryWriter> _logger;
    private readonly Lock _gate = new();
    private readonly List<HistoryTick> _ticks = [];
    private readonly List<HistoryEvent> _events = [];
    private readonly Dictionary<(string, string), SinkPosition> _positions = [];
    private readonly AutoResetEvent _wake = new(false);
    private readonly Task _running;

    // Under the gate.
    private readonly DurationHistogram _durations = new(DurationHistogram.OfCycles);
    private HistoryStatus _status;
    private bool _stopping;
    private bool _overrun;
    private Action? _written;
    private long _toldTicks;
    private long _toldEvents;

    // Of the writer's thread.
    private HistoryStore? _store;
    private bool _trimming;

    /// <summary>Starts the writer; its thread opens the database.</summary>
    /// <param name="options">What governs it.</param>
    /// <param name="time">The time of day, and timestamps.</param>
    /// <param name="logger">Where to log.</param>
    public HistoryWriter(HistoryOptions options, TimeProvider time, ILogger<HistoryWriter> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        _logger = logger;
        _status = new HistoryStatus(options.Path, null, [], 0, 0, 0, 0, 0, 0, 0, options.MaxBytes, 0, new Dictionary<string, long>(), _durations.Read());

        // A thread of its own: a disk that hangs must not take one that others need.
        _running = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Raised on the writer's thread after a transaction.</summary>
    public event Action? Written
    {
        add
        {
            lock (_gate)
            {
                _written += value;
            }
        }

        remove
        {
            lock (_gate)
            {
                _written -= value;
            }
        }
    }

    /// <summary>How it is doing. Any thread; waits for no disk.</summary>
    public HistoryStatus Status
    {
        get
        {
            lock (_gate)
            {
                return _status with { WaitingTicks = _ticks.Count };
            }
        }
    }

    /// <summary>Hands over what happened. Any thread; never waits.</summary>
    /// <param name="tick">A minute, or null.</param>
    /// <param name="events">Events, in order.</param>
    public void Add(HistoryTick? tick, IReadOnlyList<HistoryEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        bool overrun = false;
        lock (_gate)
        {
            if (tick is not null)
            {
                if (_ticks.Count < _options.MaxWaitingTicks && !_stopping)
                {
                    _ticks.Add(tick);
                }
                else
                {
                    _status = _status with { DroppedTicks = _status.DroppedTicks + 1 };
                    overrun = true;
                }
            }

            int room = _stopping ? 0 : Math.Min(events.Count, _options.MaxWaitingEvents - _events.Count);
            _events.AddRange(events.Take(room));
            if (room < events.Count)
            {
                _status = _status with { DroppedEvents = _status.DroppedEvents + events.Count - room };
                overrun = true;
            }

            overrun &= !_overrun && !_stopping;
            if (overrun)
            {
                _overrun = true;
                _status = _status with { Problem = _status.Problem ?? "the disk does not keep up" };
            }

            Wake();
        }

        if (overrun)
        {
            HistoryLog.Overrun(_logger);
        }
    }

    /// <summary>Notes how far a sink has come; the newest of each stream is written with the next transaction.</summary>
    public void Add(SinkPosition position)
    {
        ArgumentNullException.ThrowIfNull(position);
        lock (_gate)
        {
            _positions[(position.Sink, position.Stream)] = position;
            Wake();
        }
    }

    /// <summary>Writes what waits and closes the database, if the disk does it in time.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            Wake();
            _stopping = true;
        }

        try
        {
            await _running.WaitAsync(_options.StopWithin);
            _wake.Dispose();
            if (_options.Temporary)
            {
                SqliteConnection.ClearAllPools();
                Directory.Delete(Path.GetDirectoryName(Path.GetFullPath(_options.Path))!, recursive: true);
            }
        }
        catch (TimeoutException)
        {
            HistoryLog.Abandoned(_logger);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            HistoryLog.Failed(_logger, e.Message, 0);
        }
    }

    /// <summary>Wakes the thread; under the gate, so that it is not done when all is over.</summary>
    private void Wake()
    {
        if (!_stopping)
        {
            _wake.Set();
        }
    }

    private void Run()
    {
        bool stopping = false;
        while (!stopping)
        {
            lock (_gate)
            {
                stopping = _stopping;
            }

            bool done = TryWrite();
            if (!stopping)
            {
                // After a failure, what comes in meanwhile is no reason to try sooner.
                if (done)
                {
                    _wake.WaitOne();
                }
                else
                {
                    Rest();
                }
            }
        }

        _store?.Dispose();
        _store = null;
    }

    private void Rest()
    {
        long since = _time.GetTimestamp();
        while (_time.GetElapsedTime(since) < _options.RetryAfter)
        {
            _wake.WaitOne(TimeSpan.FromMilliseconds(200));
            lock (_gate)
            {
                if (_stopping)
                {
                    return;
                }
            }
        }
    }

    private bool TryWrite()
    {
        try
        {
            if (_store is not null && !File.Exists(_options.Path))
            {
                // Deleted under us: what would be written now would go nowhere.
                Close();
            }

            Open();
            WriteWaiting(_store!);
            return true;
        }
        catch (SqliteException e)
        {
            string reason = e.SqliteErrorCode == SQLitePCL.raw.SQLITE_FULL ? $"the disk of {_options.Path} is full" : $"{_options.Path}: {e.Message}";
            if (e.SqliteErrorCode != SQLitePCL.raw.SQLITE_FULL)
            {
                // Opened anew: that finds damage, and forgets a file descriptor that a disk which went away has spoilt.
                Close();
            }

            Failed(reason);
        }
        catch (Exception e)
        {
            // Whatever it is: the history is not worth more than what it tells of.
            Close();
            Failed(e.Message);
        }

        return false;
    }

    private void Open()
    {
        if (_store is not null)
        {
            return;
        }

        _store = HistoryStore.Open(_options, _time.GetUtcNow(), out HistoryOpening opening);

        // Readers that kept a connection to a file that was there before let it go.
        SqliteConnection.ClearAllPools();
        if (opening.Repair is { } repair)
        {
            string missing = repair.Complete ? "" : "; the rest could not be read";
            HistoryLog.Repaired(_logger, repair.Damage, repair.Aside, repair.Salvaged, missing);
            string note = $"It was damaged and made anew with {repair.Salvaged} rows{missing}; the old file is {repair.Aside}.";
            lock (_gate)
            {
                _status = _status with { Notes = [.. _status.Notes.TakeLast(9), note] };
                _events.Insert(0, new HistoryEvent(_time.GetUtcNow(), EventKind.History) { Code = "repaired", Text = note, Count = repair.Salvaged });
            }
        }

        if (opening.Newer is { } newer)
        {
            string how = opening.FromCopy ? "from the copy that was made before the upgrade" : "empty";
            HistoryLog.Newer(_logger, newer, how);
            string note = $"It was of a newer version, which is {newer} now, and goes on {how}.";
            lock (_gate)
            {
                _status = _status with { Notes = [.. _status.Notes.TakeLast(9), note] };
                _events.Insert(0, new HistoryEvent(_time.GetUtcNow(), EventKind.History) { Code = "set_aside", Text = note });
            }
        }

        if (opening.MigrationCopy is { } copy)
        {
            HistoryLog.Migrated(_logger, copy);
        }

        HistoryLog.Started(_logger, _options.Path);
    }

    private void Close()
    {
        try
        {
            _store?.Dispose();
        }
        catch (SqliteException)
        {
            // It could not write either; what it held waits still.
        }

        _store = null;
    }

    private void WriteWaiting(HistoryStore store)
    {
        HistoryTick[] ticks;
        HistoryEvent[] events;
        SinkPosition[] positions;
        lock (_gate)
        {
            ticks = [.. _ticks];
            events = [.. _events];
            positions = [.. _positions.Values];
        }

        if (ticks.Length + events.Length + positions.Length > 0)
        {
            long start = _time.GetTimestamp();
            store.Write(ticks, events, positions);
            Wrote(ticks.Length, events.Length, positions, _time.GetElapsedTime(start), store.Figures());
        }
        else
        {
            Note(store.Figures());
        }
    }

    private void Wrote(int ticks, int events, SinkPosition[] positions, TimeSpan took, StoreFigures figures)
    {
        Action? written;
        string? before;
        (long Ticks, long Events) missing;
        lock (_gate)
        {
            _ticks.RemoveRange(0, ticks);
            _events.RemoveRange(0, events);
            foreach (SinkPosition position in positions)
            {
                if (_positions.GetValueOrDefault((position.Sink, position.Stream)) == position)
                {
                    _positions.Remove((position.Sink, position.Stream));
                }
            }

            before = _status.Problem;
            missing = (_status.DroppedTicks - _toldTicks, _status.DroppedEvents - _toldEvents);
            (_toldTicks, _toldEvents) = (_status.DroppedTicks, _status.DroppedEvents);
            if (missing != (0, 0))
            {
                _events.Add(new HistoryEvent(_time.GetUtcNow(), EventKind.History)
                {
                    Code = "gap",
                    Count = missing.Ticks,
                    Text = $"{missing.Ticks} minutes and {missing.Events} events were left out: {before ?? "the disk did not keep up"}.",
                });
                Wake();
            }

            _overrun = false;
            _durations.Observe(took);
            _status = _status with { Problem = null, WrittenTicks = _status.WrittenTicks + ticks, WriteSeconds = _durations.Read() };
            written = _written;
        }

        Note(figures);
        if (before is not null)
        {
            HistoryLog.GoesOn(_logger, missing.Ticks, missing.Events);
        }

        written?.Invoke();
    }

    private void Note(StoreFigures figures)
    {
        lock (_gate)
        {
            _status = _status with
            {
                Problem = null,
                FileBytes = figures.FileBytes,
                UsedBytes = figures.UsedBytes,
                Added = figures.Added,
                TrimmedRows = figures.Trimmed,
            };
        }

        if (figures.Trimmed > 0 && !_trimming)
        {
            _trimming = true;
            HistoryLog.Trimming(_logger);
            lock (_gate)
            {
                _status = _status with { Notes = [.. _status.Notes.TakeLast(9), "It has reached history.max_size: the oldest of the finest samples go."] };
            }
        }
    }

    private void Failed(string reason)
    {
        string? before;
        lock (_gate)
        {
            before = _status.Problem;
            _status = _status with { Problem = reason, Failures = _status.Failures + 1 };
        }

        if (before != reason)
        {
            HistoryLog.Failed(_logger, reason, _options.RetryAfter.TotalSeconds);
        }
    }
}
