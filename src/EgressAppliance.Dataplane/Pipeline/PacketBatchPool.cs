using System.Collections.Concurrent;
using Microsoft.Extensions.ObjectPool;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// Where a pipeline gets its batches from when it starts and leaves them when it ends. While it runs they go round between its own channels.
/// Replaying a thousand files one by one thus allocates the batches once.
/// </summary>
internal static class PacketBatchPool
{
    private const int MaxRetained = 256;

    private static readonly ConcurrentDictionary<int, ObjectPool<PacketBatch>> Pools = new();

    /// <summary>The pool of batches of one size.</summary>
    public static ObjectPool<PacketBatch> OfSize(int batchSize) => Pools.GetOrAdd(
        batchSize, static size => new DefaultObjectPool<PacketBatch>(new Policy(size), MaxRetained));

    private sealed class Policy(int batchSize) : PooledObjectPolicy<PacketBatch>
    {
        public override PacketBatch Create() => new(batchSize);

        public override bool Return(PacketBatch obj)
        {
            obj.Clear();
            return true;
        }
    }
}
