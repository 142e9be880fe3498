using System.Diagnostics;
using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// The data path: a thread for each source that reads, decodes and counts, and a fixed number of batches that goes round between the stages.
/// </summary>
/// <remarks>
/// <code>
///            ┌──────────────── free channel ◄─────────────────┐
///            ▼                                                │
/// source ─► decode, link ─► batch ─► filled channel ─► lookup, count ─► cells, totals
/// </code>
/// The unit of work is the batch: all costs of handing over and locking are paid once for a thousand packets. A batch carries its packets as
/// arrays of one field each, and beside them how all its frames ended; whoever counts adds both to counters of its own in one
/// step. So in every snapshot the totals add up, and each packet is in exactly one snapshot: that of the first swap after its batch was counted.
///
/// The stages are joined by channels, not bound to threads. By default each reading thread also counts: several cores are used by several sources
/// (the members of a fanout group, or readers that share the blocks of a file), and a packet stays on the core that read it. Threads that only count can be added
/// for a source that one thread alone must read and cannot also count. When these fall behind, batches run out. A reader of files then waits.
/// A live reader must not, since that would only move the loss into the kernel's
/// ring where it could not be told from a slow reader: it gives up the rest of the block and counts it as pool exhausted.
///
/// After a stall of this process (a busy host, a collection of garbage) frames wait in the kernel's ring. A snapshot therefore first lets the readers
/// of live sources catch up, for a bounded time, so that what it holds is what passed until it was taken, and rates
/// over the time between two snapshots are right even when the time was not the planned one.
///
/// Threads are the pipeline's own. Nothing is allocated per packet or, once all cells and pages exist, per batch. If a thread
/// fails, all stop and <see cref="Completion"/> faults: counters that silently lack one worker's share would be worse than none.
/// The sources stay the caller's: dispose the pipeline first, then them.
/// </remarks>
public sealed class CapturePipeline : ICapturePipeline
{
    /// <summary>Longest wait of a snapshot for readers to catch up: more than an idle reader's read takes, little beside a cycle.</summary>
    private static readonly TimeSpan CatchUpLimit = TimeSpan.FromMilliseconds(100);

    /// <summary>Batches of a reading thread that also counts: it uses one at a time.</summary>
    private const int OwnBatches = 2;

    private readonly TimeProvider _time;
    private readonly bool _live;
    private readonly BatchRing[] _rings;
    private readonly SourceReader[] _readers;
    private readonly CountingWorker[] _workers;
    private readonly int _countingThreads;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _failureGate = new();
    private readonly Lock _snapshotGate = new();
    private Exception? _failure;
    private int _runningReaders;
    private int _runningThreads;
    private bool _started;
    private bool _disposed;
    private bool _freed;

    /// <summary>A pipeline that is ready to start.</summary>
    /// <param name="options">How frames are counted.</param>
    /// <param name="sources">Each gets a reading thread. Not disposed by the pipeline.</param>
    /// <param name="table">Where prefix ids come from; may be updated while the pipeline runs.</param>
    /// <param name="time">Gives snapshots their time stamp.</param>
    /// <exception cref="ArgumentException">An option is out of range, there is no source, or a link rule makes no sense.</exception>
    public CapturePipeline(PipelineOptions options, IReadOnlyList<IPacketSource> sources, LpmTable table, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(time);
        CheckRange(options.CountingThreads, 0, 256, nameof(options.CountingThreads));
        CheckRange(options.BatchSize, 1, PacketBatch.MaxCapacity, nameof(options.BatchSize));
        CheckRange(options.Batches, 2 * (sources.Count + options.CountingThreads), 65536, nameof(options.Batches));
        if (sources.Count == 0)
        {
            throw new ArgumentException("A pipeline needs a source.", nameof(sources));
        }

        _time = time;
        _live = !options.WaitForBatch;
        _countingThreads = options.CountingThreads;

        // A reading thread that also counts has batches of its own: shared ones would travel from core to core with every use.
        _rings = new BatchRing[_countingThreads == 0 ? sources.Count : 1];
        for (int i = 0; i < _rings.Length; i++)
        {
            _rings[i] = new BatchRing(_countingThreads == 0 ? OwnBatches : options.Batches, options.BatchSize);
        }

        _readers = new SourceReader[sources.Count];
        _workers = new CountingWorker[_countingThreads == 0 ? sources.Count : _countingThreads];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new CountingWorker(table, options.BatchSize);
        }

        for (int i = 0; i < _readers.Length; i++)
        {
            _readers[i] = new SourceReader(sources[i], options, RingOf(i), table, _countingThreads == 0 ? _workers[i] : null);
        }
    }

    /// <inheritdoc/>
    public Task Completion => _completion.Task;

    /// <inheritdoc/>
    public void Start()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_started)
        {
            throw new InvalidOperationException("The pipeline was started before.");
        }

        _started = true;
        _runningReaders = _readers.Length;
        _runningThreads = _readers.Length + _countingThreads;
        for (int i = 0; i < _countingThreads; i++)
        {
            CountingWorker worker = _workers[i];

            // These are not told to stop: they end when the readers have, with every batch counted.
            StartThread($"count {i}", _ => worker.Run(_rings[0]), onEnd: null);
        }

        foreach (SourceReader reader in _readers)
        {
            StartThread($"read {reader.Source.Name}", reader.Run, OnReaderEnd);
        }
    }

    /// <inheritdoc/>
    public void SetLinks(IReadOnlyList<LinkMatch> rules)
    {
        LinkResolver[] compiled = new LinkResolver[_readers.Length];
        for (int i = 0; i < compiled.Length; i++)
        {
            compiled[i] = _readers[i].Compile(rules);
        }

        for (int i = 0; i < compiled.Length; i++)
        {
            _readers[i].Follow(compiled[i]);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The pipeline was disposed.</exception>
    public CounterSnapshot TakeSnapshot()
    {
        lock (_snapshotGate)
        {
            ObjectDisposedException.ThrowIf(_freed, this);
            return TakeSnapshotLocked();
        }
    }

    /// <inheritdoc/>
    public PipelineStatistics GetStatistics()
    {
        FrameTotals totals = default;
        foreach (CountingWorker worker in _workers)
        {
            worker.AddTotalsTo(ref totals);
        }

        return MakeStatistics(totals);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ThreadPulse> ReadPulses()
    {
        List<ThreadPulse> pulses = [.. _readers.Select((r, i) => r.Pulse($"reader {i} of {r.Source.Name}"))];
        for (int i = 0; i < _countingThreads; i++)
        {
            pulses.Add(_workers[i].Pulse($"counter {i}", _rings[0]));
        }

        return pulses;
    }

    /// <summary>Stops reading, counts what was read, and ends all threads. The totals can still be read.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_started)
        {
            // A failure is for whoever awaits Completion; here it matters only that no thread is left.
            await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        lock (_snapshotGate)
        {
            _freed = true;
            foreach (CountingWorker worker in _workers)
            {
                worker.Dispose();
            }
        }

        Array.ForEach(_rings, ring => ring.Dispose());
        _stop.Dispose();
    }

    private CounterSnapshot TakeSnapshotLocked()
    {
        if (_started && _live)
        {
            LetReadersCatchUp();
        }

        FrameTotals totals = default;
        CounterTable first = _workers[0].Swap(ref totals);
        for (int i = 1; i < _workers.Length; i++)
        {
            _workers[i].Swap(ref totals).DrainTo(first);
        }

        long timestamp = _time.GetTimestamp();
        return new CounterSnapshot { Timestamp = timestamp, Cells = first.Drain(), Statistics = MakeStatistics(totals) };
    }

    private BatchRing RingOf(int reader) => _rings[_countingThreads == 0 ? reader : 0];

    private void LetReadersCatchUp()
    {
        Span<long> before = stackalloc long[_readers.Length];
        for (int i = 0; i < before.Length; i++)
        {
            before[i] = _readers[i].TimesCaughtUp;
        }

        // Real time, whatever the clock of the time stamps: this waits for threads, not for the world.
        long start = Stopwatch.GetTimestamp();
        SpinWait wait = default;
        while (!HaveCaughtUp(before) && Stopwatch.GetElapsedTime(start) < CatchUpLimit)
        {
            wait.SpinOnce();
        }
    }

    private bool HaveCaughtUp(ReadOnlySpan<long> before)
    {
        for (int i = 0; i < before.Length; i++)
        {
            long now = _readers[i].TimesCaughtUp;
            if (now >= 0 && now <= before[i])
            {
                return false;
            }
        }

        return Array.TrueForAll(_rings, ring => ring.Waiting == 0);
    }

    private static void CheckRange(int value, int min, int max, string name)
    {
        if (value < min || value > max)
        {
            throw new ArgumentException($"{name} must be {min} to {max}, and is {value}.");
        }
    }

    private static Dictionary<string, long> Undecodable(in FrameTotals totals)
    {
        Dictionary<string, long> undecodable = [];
        for (DecodeStatus status = DecodeStatus.TruncatedEthernet; (int)status < DecodeStatusNames.Count; status++)
        {
            if (totals.ByStatus[(int)status] is var count and > 0)
            {
                undecodable.Add(status.ToReason(), count);
            }
        }

        return undecodable;
    }

    private static long Packets(in FrameTotals totals) => totals.ByStatus[(int)DecodeStatus.IPv4] + totals.ByStatus[(int)DecodeStatus.IPv6];

    private static ReaderStatistics StatisticsOf(SourceReader reader, in SourceStatistics source)
    {
        FrameTotals decoded = reader.Decoded;
        return new ReaderStatistics
        {
            Source = reader.Source.Name,
            Received = source,
            PoolExhausted = reader.PoolExhausted,
            Packets = Packets(decoded),
            IpBytes = decoded.IpBytes,
            NonIp = decoded.ByStatus[(int)DecodeStatus.NonIp],
            Ignored = decoded.Ignored,
            Undecodable = Undecodable(decoded),
        };
    }

    private PipelineStatistics MakeStatistics(in FrameTotals totals)
    {
        long exhausted = 0;
        Dictionary<string, SourceStatistics> sources = [];
        List<ReaderStatistics> readers = new(_readers.Length);
        foreach (SourceReader reader in _readers)
        {
            exhausted += reader.PoolExhausted;
            SourceStatistics own = reader.Source.GetStatistics();
            readers.Add(StatisticsOf(reader, own));
            sources.TryGetValue(reader.Source.Name, out SourceStatistics sum);
            sources[reader.Source.Name] = new(
                sum.ReceivedFrames + own.ReceivedFrames,
                sum.DroppedFrames + own.DroppedFrames,
                sum.Freezes + own.Freezes,
                sum.Message ?? own.Message);
        }

        return new PipelineStatistics
        {
            Frames = totals.Frames + exhausted,
            Packets = Packets(totals),
            IpBytes = totals.IpBytes,
            NonIp = totals.ByStatus[(int)DecodeStatus.NonIp],
            Ignored = totals.Ignored,
            Undecodable = Undecodable(totals),
            PoolExhausted = exhausted,
            UnroutedPackets = totals.UnroutedPackets,
            UnroutedIpBytes = totals.UnroutedIpBytes,
            Sources = sources,
            Readers = readers,
        };
    }

    private void StartThread(string name, Action<CancellationToken> body, Action? onEnd)
    {
        Thread thread = new(() => RunThread(body, onEnd)) { Name = name, IsBackground = true };
        thread.Start();
    }

    private void RunThread(Action<CancellationToken> body, Action? onEnd)
    {
        try
        {
            body(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Asked to stop: the thread's normal end.
        }
#pragma warning disable CA1031 // The thread's last resort: the failure goes to whoever awaits Completion.
        catch (Exception e)
#pragma warning restore CA1031
        {
            lock (_failureGate)
            {
                _failure ??= e;
            }

            _stop.Cancel();
        }

        onEnd?.Invoke();
        if (Interlocked.Decrement(ref _runningThreads) == 0)
        {
            Complete();
        }
    }

    private void OnReaderEnd()
    {
        if (Interlocked.Decrement(ref _runningReaders) == 0)
        {
            Array.ForEach(_rings, ring => ring.Complete());
        }
    }

    private void Complete()
    {
        if (_failure is { } failure)
        {
            _completion.SetException(failure);
        }
        else
        {
            _completion.SetResult();
        }
    }
}
