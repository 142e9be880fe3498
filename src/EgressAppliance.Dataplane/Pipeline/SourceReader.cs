using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// The loop of one reading thread: blocks of frames from its source, decoded into batches. One thread runs it.
/// </summary>
/// <remarks>
/// Where the pipeline has no counting threads of its own, the reading threads count too: each, when it has put batches into the channel, takes them
/// out again and counts them, still in its cache. That spares a packet the way to another core and the machine a wake-up
/// for every batch.
/// </remarks>
internal sealed class SourceReader
{
    /// <summary>How long a read may wait, and so how long stopping, or finding an idle source caught up, may take.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromMilliseconds(50);

    /// <summary>Frames asked for at a time: few enough that their places, and then their headers, stay in the core's own cache.</summary>
    private const int FramesPerRead = 1024;

    private readonly IPacketSource _source;
    private readonly IReadOnlyList<MacAddress> _ignoredMacs;
    private readonly Decapsulation _decapsulation;
    private readonly BatchRing _ring;
    private readonly LpmTable _table;
    private readonly CountingWorker? _counting;
    private readonly bool _waitForBatch;
    private readonly FrameBlock _block;
    private volatile LinkResolver _links;
    private PacketBatch? _batch;
    private long _poolExhausted;
    private long _timesCaughtUp;
    private long _beats;
    private readonly Lock _decodedGate = new();
    private FrameTotals _decoded;

    /// <summary>A reader that is ready to run.</summary>
    /// <param name="source">What it reads.</param>
    /// <param name="options">How.</param>
    /// <param name="ring">Where batches come from and go to.</param>
    /// <param name="table">Where destinations will be looked up.</param>
    /// <param name="counting">Counts on the reading thread; null where other threads do.</param>
    public SourceReader(IPacketSource source, PipelineOptions options, BatchRing ring, LpmTable table, CountingWorker? counting)
    {
        _source = source;
        _ignoredMacs = options.IgnoredMacs;
        _links = Compile(options.Links);
        _decapsulation = options.Decapsulation;
        _ring = ring;
        _table = table;
        _counting = counting;
        _waitForBatch = options.WaitForBatch;
        _block = new FrameBlock(FramesPerRead, acceptsChains: true);
    }

    /// <summary>The source that is read.</summary>
    public IPacketSource Source => _source;

    /// <summary>Frames given up because no batch was free. Any thread.</summary>
    public long PoolExhausted => Volatile.Read(ref _poolExhausted);

    /// <summary>How the frames of this reader's batches ended, since start; what is looked up later (unrouted) is not in it. Any thread.</summary>
    public FrameTotals Decoded
    {
        get
        {
            lock (_decodedGate)
            {
                return _decoded;
            }
        }
    }

    /// <summary>How often the source had nothing more to give at once, everything before being handed on; -1 after its end. Any thread.</summary>
    public long TimesCaughtUp => Volatile.Read(ref _timesCaughtUp);

    /// <summary>Whether the thread gets on: it beats with every read, the one of an idle source included. Any thread; takes no lock.</summary>
    /// <param name="thread">Its name.</param>
    public ThreadPulse Pulse(string thread) => new(thread, Volatile.Read(ref _beats), TimesCaughtUp < 0);

    /// <summary>Makes the rules ready for this source.</summary>
    /// <exception cref="ArgumentException">A rule cannot be followed.</exception>
    public LinkResolver Compile(IReadOnlyList<LinkMatch> rules) => new(rules, _ignoredMacs, _source.Name);

    /// <summary>Follows other rules from the next batch of frames on. Any thread.</summary>
    public void Follow(LinkResolver links) => _links = links;

    /// <summary>Reads until the source ends.</summary>
    /// <exception cref="OperationCanceledException">The pipeline is stopping.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Volatile.Write(ref _beats, _beats + 1);
                SourceReadStatus status = _source.Read(_block, TimeSpan.Zero);
                if (status is SourceReadStatus.Timeout or SourceReadStatus.Unavailable)
                {
                    PublishBatch();
                    Volatile.Write(ref _timesCaughtUp, _timesCaughtUp + 1);
                    status = _source.Read(_block, ReadTimeout);
                }

                switch (status)
                {
                    case SourceReadStatus.Frames:
                        DecodeBlock(_block, cancellationToken);

                        // Counts of a quiet live source must not wait for a full batch; a file's next block comes at once.
                        if (!_waitForBatch)
                        {
                            PublishBatch();
                        }

                        break;
                    case SourceReadStatus.End:
                        return;
                    default:
                        break;
                }
            }
        }
        finally
        {
            PublishBatch();
            _block.Clear();
            Volatile.Write(ref _timesCaughtUp, -1);
        }
    }

    /// <summary>Decodes all frames of a block into batches.</summary>
    internal unsafe void DecodeBlock(FrameBlock block, CancellationToken cancellationToken)
    {
        switch (block.Chain)
        {
            case FrameChain.PcapRecords:
                PcapRecordCursor records = block.Records;
                int taken = DecodeAll(ref records, cancellationToken);
                block.Take(records, taken);
                break;
            case FrameChain.RingFrames:
                RingFrameCursor ring = block.Ring;
                block.Take(ring, DecodeAll(ref ring, cancellationToken));
                break;
            default:
                // Invariant: frames that FrameBlock accepted lie within its memory, which does not move until the next read.
                fixed (byte* memory = block.Data)
                fixed (FrameHeader* frames = block.Frames)
                {
                    FrameListCursor list = new(memory, frames, block.Count);
                    DecodeAll(ref list, cancellationToken);
                }

                break;
        }
    }

    private int DecodeAll<TCursor>(ref TCursor cursor, CancellationToken cancellationToken)
        where TCursor : struct, IFrameCursor
    {
        int frames = 0;
        while (cursor.HasFrame)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _batch ??= _waitForBatch ? _ring.Rent(cancellationToken) : _ring.TryRent();
            if (_batch is null)
            {
                int lost = SkipAll(ref cursor);
                Volatile.Write(ref _poolExhausted, _poolExhausted + lost);
                return frames + lost;
            }

            frames += BlockDecoder.Decode(ref cursor, _links, _decapsulation, _table.IPv4Prefetch, _batch);
            if (_batch.IsFull)
            {
                PublishBatch();
            }
        }

        return frames;
    }

    private static int SkipAll<TCursor>(ref TCursor cursor)
        where TCursor : struct, IFrameCursor
    {
        int frames = 0;
        for (; cursor.HasFrame; frames++)
        {
            cursor.Advance();
        }

        return frames;
    }

    private void PublishBatch()
    {
        if (_batch is not { } batch)
        {
            return;
        }

        _batch = null;
        if (batch.IsEmpty)
        {
            _ring.Return(batch);
            return;
        }

        lock (_decodedGate)
        {
            _decoded.Add(batch.Totals);
        }

        _ring.Publish(batch);
        while (_counting is not null && _ring.TryTake() is { } filled)
        {
            _counting.Count(filled);
            _ring.Return(filled);
        }
    }
}
