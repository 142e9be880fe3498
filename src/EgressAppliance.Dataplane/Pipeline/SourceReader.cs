using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Decode;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// The loop of one reading thread: blocks of frames from its source, decoded into batches. One thread runs it.
/// </summary>
internal sealed class SourceReader
{
    /// <summary>How long a read may wait, and so how long stopping, or finding an idle source caught up, may take.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromMilliseconds(50);

    private readonly IPacketSource _source;
    private readonly LinkResolver _links;
    private readonly BatchRing _ring;
    private readonly bool _waitForBatch;
    private readonly FrameBlock _block = new();
    private PacketBatch? _batch;
    private long _poolExhausted;
    private long _timesCaughtUp;

    public SourceReader(IPacketSource source, PipelineOptions options, BatchRing ring)
    {
        _source = source;
        _links = new LinkResolver(options.Links, options.IgnoredMacs, source.Name);
        _ring = ring;
        _waitForBatch = options.WaitForBatch;
    }

    /// <summary>The source that is read.</summary>
    public IPacketSource Source => _source;

    /// <summary>Frames given up because no batch was free. Any thread.</summary>
    public long PoolExhausted => Volatile.Read(ref _poolExhausted);

    /// <summary>How often the source had nothing more to give at once, everything before being handed to the workers; -1 after its end. Any thread.</summary>
    public long TimesCaughtUp => Volatile.Read(ref _timesCaughtUp);

    /// <summary>Reads until the source ends.</summary>
    /// <exception cref="OperationCanceledException">The pipeline is stopping.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
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
            Volatile.Write(ref _timesCaughtUp, -1);
        }
    }

    /// <summary>Decodes all frames of a block into batches.</summary>
    internal void DecodeBlock(FrameBlock block, CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> data = block.Data;
        ReadOnlySpan<FrameHeader> frames = block.Frames;
        while (!frames.IsEmpty)
        {
            _batch ??= _waitForBatch ? _ring.Rent(cancellationToken) : _ring.TryRent();
            if (_batch is null)
            {
                Volatile.Write(ref _poolExhausted, _poolExhausted + frames.Length);
                return;
            }

            int room = _batch.Capacity - (int)_batch.Totals.Frames;
            int count = Math.Min(room, frames.Length);
            Decode(data, frames[..count], _links, _batch);
            frames = frames[count..];
            if (_batch.IsFull)
            {
                PublishBatch();
            }
        }
    }

    private static void Decode(ReadOnlySpan<byte> data, ReadOnlySpan<FrameHeader> frames, LinkResolver links, PacketBatch batch)
    {
        batch.Totals.Frames += frames.Length;
        foreach (ref readonly FrameHeader frame in frames)
        {
            DecodeStatus status = FrameDecoder.Decode(data.Slice(frame.Offset, frame.CapturedLength), frame, out PacketFields fields);
            int link = links.Resolve(fields.DestinationMac, fields.Vlan);
            if (link == LinkResolver.Ignored)
            {
                batch.Totals.Ignored++;
                continue;
            }

            batch.Totals.ByStatus[(int)status]++;
            if (status == DecodeStatus.IPv4)
            {
                batch.AddIPv4(fields.DestinationIPv4, fields.IpBytes, (byte)link);
            }
            else if (status == DecodeStatus.IPv6)
            {
                batch.AddIPv6(fields.DestinationHigh, fields.DestinationLow, fields.IpBytes, (byte)link);
            }
        }
    }

    private void PublishBatch()
    {
        if (_batch is { } batch)
        {
            _batch = null;
            if (batch.IsEmpty)
            {
                _ring.Return(batch);
            }
            else
            {
                _ring.Publish(batch);
            }
        }
    }
}
