using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// The counters of one counting thread: filled batches → lookup → its own counters.
/// </summary>
/// <remarks>
/// The counters are plain 64-bit numbers of this worker alone. A lock, taken once per batch and contended only while a snapshot is being
/// taken, makes each batch count wholly before or wholly after it. There are two tables: taking a snapshot swaps
/// them under the lock, which takes no time worth naming, and the one taken away is emptied while the worker goes on with the other.
/// A worker that waits for traffic does not hold the lock, so an idle pipeline answers as fast.
/// </remarks>
internal sealed class CountingWorker : IDisposable
{
    private readonly LpmTable _table;
    private readonly uint[] _ids;
    private readonly Lock _gate = new();
    private CounterTable _active = new();
    private CounterTable _spare = new();
    private FrameTotals _totals;
    private long _beats;

    public CountingWorker(LpmTable table, int batchSize)
    {
        _table = table;
        _ids = new uint[batchSize];
    }

    /// <summary>Counts what comes through a ring until it is completed and empty.</summary>
    public void Run(BatchRing ring)
    {
        while (ring.Take() is { } batch)
        {
            Volatile.Write(ref _beats, _beats + 1);
            Count(batch);
            ring.Return(batch);
            Volatile.Write(ref _beats, _beats + 1);
        }
    }

    /// <summary>Whether the thread of <see cref="Run"/> gets on. Any thread; takes no lock.</summary>
    /// <param name="thread">Its name.</param>
    /// <param name="ring">The ring it counts from.</param>
    public ThreadPulse Pulse(string thread, BatchRing ring)
    {
        // Odd: in the middle of a batch.
        long beats = Volatile.Read(ref _beats);
        return new ThreadPulse(thread, beats, (beats & 1) == 0 && ring.Waiting == 0);
    }

    /// <summary>Counts one batch.</summary>
    public void Count(PacketBatch batch)
    {
        lock (_gate)
        {
            Span<uint> ids = _ids.AsSpan(0, batch.Destinations4.Length);
            if (!ids.IsEmpty)
            {
                _table.LookupIPv4(batch.Destinations4, ids);
                _active.Add(ids, batch.Links4, batch.Lengths4);
                AddUnrouted(ids, batch.Lengths4);
            }

            ids = _ids.AsSpan(0, batch.Highs6.Length);
            if (!ids.IsEmpty)
            {
                _table.LookupIPv6(batch.Highs6, batch.Lows6, ids);
                _active.Add(ids, batch.Links6, batch.Lengths6);
                AddUnrouted(ids, batch.Lengths6);
            }

            _totals.Add(batch.Totals);
        }
    }

    /// <summary>Adds this worker's totals since start.</summary>
    public void AddTotalsTo(ref FrameTotals sum)
    {
        lock (_gate)
        {
            sum.Add(_totals);
        }
    }

    /// <summary>Takes the counters since the previous call, and adds the totals of the same moment. One caller at a time.</summary>
    /// <returns>The table taken; it must be drained before the next call.</returns>
    public CounterTable Swap(ref FrameTotals sum)
    {
        lock (_gate)
        {
            (_active, _spare) = (_spare, _active);
            sum.Add(_totals);
            return _spare;
        }
    }

    /// <summary>Frees the counters, but not the totals. No thread may count any more.</summary>
    public void Dispose()
    {
        _active.Dispose();
        _spare.Dispose();
    }

    private void AddUnrouted(ReadOnlySpan<uint> ids, ReadOnlySpan<uint> lengths)
    {
        // Few packets have no prefix: a batch without one is told at once.
        if (!ids.Contains(0u))
        {
            return;
        }

        long packets = 0;
        long bytes = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if (ids[i] == 0)
            {
                packets++;
                bytes += lengths[i];
            }
        }

        _totals.UnroutedPackets += packets;
        _totals.UnroutedIpBytes += bytes;
    }
}
