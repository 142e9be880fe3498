using System.Buffers;

namespace EgressAppliance.Bgp.Session;

/// <summary>
/// Octets waiting to be sent to one peer, with water marks: above the high mark the peer does not read and the connection is to be
/// given up; memory never grows beyond. Producers append whole messages from any thread; one consumer takes everything at once.
/// </summary>
internal sealed class OutboundQueue(int highWaterMark) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private ArrayBufferWriter<byte> _filling = new(4096);
    private ArrayBufferWriter<byte> _sending = new(4096);
    private bool _completed;
    private bool _signalled;

    /// <summary>Octets appended and not yet taken.</summary>
    public int Pending
    {
        get
        {
            lock (_gate)
            {
                return _filling.WrittenCount;
            }
        }
    }

    /// <summary>Appends whole messages. False: the high-water mark would be passed, or the queue is completed; nothing was appended.</summary>
    public bool TryAppend(ReadOnlySpan<byte> messages)
    {
        lock (_gate)
        {
            if (_completed || _filling.WrittenCount + messages.Length > highWaterMark)
            {
                return false;
            }

            _filling.Write(messages);
            Signal();
            return true;
        }
    }

    /// <summary>Nothing more will be appended; the consumer ends when it has sent what is there.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Signal();
        }
    }

    /// <summary>Waits for octets and takes them all; empty when the queue is completed and drained. The memory is valid until the next call.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_gate)
            {
                _sending.ResetWrittenCount();
                if (_filling.WrittenCount > 0)
                {
                    (_filling, _sending) = (_sending, _filling);
                    return _sending.WrittenMemory;
                }

                if (_completed)
                {
                    return default;
                }
            }

            await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                _signalled = false;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    private void Signal()
    {
        if (!_signalled)
        {
            _signalled = true;
            _signal.Release();
        }
    }
}
