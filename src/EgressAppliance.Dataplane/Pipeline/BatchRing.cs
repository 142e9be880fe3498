using System.Threading.Channels;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// The two channels between which a fixed number of batches goes round: free ones to the reading, filled ones to the counting. Both have room
/// for all batches, so giving one never waits, and the pipeline's memory is bounded by construction.
/// </summary>
internal sealed class BatchRing : IDisposable
{
    private readonly Channel<PacketBatch> _free;
    private readonly Channel<PacketBatch> _filled;
    private readonly int _batchSize;

    public BatchRing(int batches, int batchSize)
    {
        _batchSize = batchSize;
        _free = Channel.CreateBounded<PacketBatch>(batches);
        _filled = Channel.CreateBounded<PacketBatch>(batches);
        for (int i = 0; i < batches; i++)
        {
            _free.Writer.TryWrite(PacketBatchPool.OfSize(batchSize).Get());
        }
    }

    /// <summary>A free batch, or null if all are in use.</summary>
    public PacketBatch? TryRent() => _free.Reader.TryRead(out PacketBatch? batch) ? batch : null;

    /// <summary>A free batch; waits until there is one.</summary>
    /// <exception cref="OperationCanceledException">The pipeline is stopping.</exception>
    public PacketBatch Rent(CancellationToken cancellationToken)
    {
        PacketBatch? batch;
        while (!_free.Reader.TryRead(out batch))
        {
            WaitFor(_free.Reader.WaitToReadAsync(cancellationToken));
        }

        return batch;
    }

    /// <summary>Gives a batch back unused or counted.</summary>
    public void Return(PacketBatch batch)
    {
        batch.Clear();
        _free.Writer.TryWrite(batch);
    }

    /// <summary>Gives a filled batch to the workers.</summary>
    public void Publish(PacketBatch batch) => _filled.Writer.TryWrite(batch);

    /// <summary>A filled batch, or null if none waits.</summary>
    public PacketBatch? TryTake() => _filled.Reader.TryRead(out PacketBatch? batch) ? batch : null;

    /// <summary>Filled batches that no worker has taken yet. Any thread.</summary>
    public int Waiting => _filled.Reader.Count;

    /// <summary>No more batches will be filled.</summary>
    public void Complete() => _filled.Writer.TryComplete();

    /// <summary>The next filled batch; waits for one. Null once <see cref="Complete"/> was called and all are taken.</summary>
    public PacketBatch? Take()
    {
        PacketBatch? batch;
        while (!_filled.Reader.TryRead(out batch))
        {
            if (!WaitFor(_filled.Reader.WaitToReadAsync()))
            {
                return null;
            }
        }

        return batch;
    }

    /// <summary>Gives the batches back to the pool. No thread may use the ring any more.</summary>
    public void Dispose()
    {
        while (_filled.Reader.TryRead(out PacketBatch? batch) || _free.Reader.TryRead(out batch))
        {
            PacketBatchPool.OfSize(_batchSize).Return(batch);
        }
    }

    /// <summary>Blocks the calling thread, which is the data path's own and never one of the thread pool.</summary>
    private static bool WaitFor(ValueTask<bool> pending) =>
        pending.IsCompleted ? pending.GetAwaiter().GetResult() : pending.AsTask().GetAwaiter().GetResult();
}
