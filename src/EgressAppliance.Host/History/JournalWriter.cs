using System.Collections.Concurrent;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;

namespace EgressAppliance.Host.History;

/// <summary>
/// Writes the journal of decisions to disk, beside the control loop and never in its way.
/// </summary>
/// <remarks>
/// The loop hands over what it did, by reference, and goes on; a thread of the writer's own makes text of it, compresses and writes it. What waits is bounded. If the disk fails
/// or does not keep up, calls are left out and counted, and the file ends: the next begins with the controller's state, so that no file has a gap in it.
/// A file also ends when it is large or old; the oldest files are deleted before the whole is larger than allowed. Whatever is added is flushed
/// as soon as nothing more waits, so that a crash of the process loses at most what was in work, and forced to the disk twice a minute.
/// <see cref="IJournalSink"/> is called by one thread at a time; <see cref="Status"/> may be read from any.
/// </remarks>
public sealed class JournalWriter : IJournalSink, IAsyncDisposable
{
    /// <summary>Calls after which a flush is due although more wait.</summary>
    private const int FlushEvery = 32;

    private readonly JournalOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<JournalWriter> _logger;
    private readonly JournalDisk _disk;

    // Not a channel: the thread that waits for it is no task's.
    private readonly BlockingCollection<Item> _queue = [];
    private readonly Task _running;

    // Of the caller's thread.
    private bool _open;
    private bool _gap;
    private long _generation;

    // Of both.
    private volatile bool _stopping;
    private long _waiting;
    private long _full;
    private long _failed;
    private long _retryAt;
    private long _written;
    private long _dropped;
    private long _failures;
    private string? _problem;

    // Of the writer's thread.
    private long _current;
    private int _unflushed;

    /// <summary>Starts the writer; nothing is opened before the first call.</summary>
    /// <param name="options">What governs it.</param>
    /// <param name="time">The time of day, and timestamps.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="create">Makes a file that is not there yet; null: on the disk.</param>
    public JournalWriter(JournalOptions options, TimeProvider time, ILogger<JournalWriter> logger, Func<string, Stream>? create = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _options = options;
        _time = time;
        _logger = logger;
        _retryAt = time.GetTimestamp();
        _disk = new JournalDisk(options, time, create ?? JournalDisk.Create);

        // A thread of its own: a disk that hangs must not take one that others need.
        _running = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How it is doing. Any thread.</summary>
    public JournalStatus Status => new(
        Volatile.Read(ref _problem), Interlocked.Read(ref _written), Interlocked.Read(ref _dropped), Interlocked.Read(ref _failures), _disk.Bytes);

    /// <summary>What waits to be written, in prefixes of cycles. Any thread.</summary>
    public long Waiting => Interlocked.Read(ref _waiting);

    /// <inheritdoc/>
    public bool WantsState =>
        (!IsOpen || Interlocked.Read(ref _full) >= _generation)
        && Waiting < _options.MaxWaiting / 2
        && _time.GetTimestamp() >= Interlocked.Read(ref _retryAt);

    private bool IsOpen => _open && Interlocked.Read(ref _failed) < _generation;

    /// <inheritdoc/>
    public void Start(ControllerOptions options, ControllerState state)
    {
        bool follows = IsOpen && !_gap;
        _open = TryHand(new Item(++_generation, 1, new JournalHeader { Program = _options.Program, Options = options, State = state }, null, null, follows));
        _gap = !_open;
    }

    /// <inheritdoc/>
    public void Add(JournalCall call, JournalReturn returned)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (IsOpen && TryHand(new Item(_generation, call.Weight, null, call, returned, false)))
        {
            return;
        }

        if (IsOpen && !_stopping)
        {
            Volatile.Write(ref _problem, "the disk does not keep up");
            JournalLog.Overrun(_logger);
        }

        _open = false;
        _gap = true;
        Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what waits and closes the file, if the disk does it in time.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _queue.CompleteAdding();
        try
        {
            await _running.WaitAsync(_options.StopWithin);
            _disk.Dispose();
            _queue.Dispose();
        }
        catch (TimeoutException)
        {
            JournalLog.Abandoned(_logger);
        }
    }

    /// <summary>Hands an item to the writer's thread; false if too much waits, or when stopping.</summary>
    private bool TryHand(Item item)
    {
        // One cycle is taken however large it is, if nothing else waits.
        long waiting = Interlocked.Add(ref _waiting, item.Weight);
        if (!_stopping && (waiting <= _options.MaxWaiting || waiting == item.Weight))
        {
            try
            {
                _queue.Add(item);
                return true;
            }
            catch (InvalidOperationException)
            {
                // Stopped just now; ObjectDisposedException is one of these too.
            }
        }

        Interlocked.Add(ref _waiting, -item.Weight);
        return false;
    }

    private void Run()
    {
        foreach (Item item in _queue.GetConsumingEnumerable())
        {
            Guarded(item.Generation, () => Write(item));
            if (++_unflushed >= FlushEvery || _queue.Count == 0)
            {
                Guarded(_current, Flush);
            }

            Interlocked.Add(ref _waiting, -item.Weight);
        }

        Guarded(_current, () => _disk.Complete());
    }

    private void Write(Item item)
    {
        if (item.Header is not null)
        {
            string? before = _disk.Complete();
            _current = item.Generation;
            _disk.Open(item.Header with { Written = _time.GetUtcNow(), Follows = item.Follows ? before : null });
            if (Interlocked.Exchange(ref _problem, null) is not null)
            {
                JournalLog.GoesOn(_logger, Interlocked.Read(ref _dropped));
            }
            else if (item.Generation == 1)
            {
                JournalLog.Started(_logger, _options.Folder);
            }
        }
        else if (_disk.IsOpen && item.Generation == _current)
        {
            _disk.Add(item.Call!, item.Returned!);
            Interlocked.Increment(ref _written);
        }
        else
        {
            // Its file failed while it waited.
            Interlocked.Increment(ref _dropped);
        }
    }

    private void Flush()
    {
        _unflushed = 0;
        if (_disk.IsOpen && _disk.Flush())
        {
            Interlocked.Exchange(ref _full, _current);
        }
    }

    private void Guarded(long generation, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e)
        {
            // Whatever it is, a disk that is full or a bug: the journal is not worth more than what it tells of.
            _disk.Abandon();
            Interlocked.Increment(ref _failures);
            if (Interlocked.Exchange(ref _problem, e.Message) != e.Message)
            {
                JournalLog.Failed(_logger, e.Message, _options.RetryAfter.TotalSeconds);
            }

            Interlocked.Exchange(ref _retryAt, _time.GetTimestamp() + (long)(_options.RetryAfter.TotalSeconds * _time.TimestampFrequency));
            Interlocked.Exchange(ref _failed, generation);
        }
    }

    /// <summary>A header, or a call of the file that the latest header began.</summary>
    private sealed record Item(long Generation, int Weight, JournalHeader? Header, JournalCall? Call, JournalReturn? Returned, bool Follows);
}
