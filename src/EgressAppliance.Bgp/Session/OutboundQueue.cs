using System.Buffers;

namespace EgressAppliance.Bgp.Session;

/// <summary>
/// Octets waiting to be sent to one peer, bounded: what would pass the limit is refused whole, and memory never grows beyond. Producers append
/// whole messages from any thread; one consumer takes everything at once and says how much of it TCP took.
/// </summary>
/// <remarks>
/// What was taken and not yet sent counts as pending too, so that <see cref="Pending"/> is all that a slow peer has not got. A producer that finds
/// too much pending asks by <see cref="WatchDrain"/> to be told, once, when it has fallen to the low-water mark.
///
/// Messages that may be said only for a time (announcements, and what keeps them alive) are marked, so that who hands them to TCP can ask once more whether that time was over by then.
/// </remarks>
internal sealed class OutboundQueue(int limit, int lowWaterMark) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private ArrayBufferWriter<byte> _filling = new(4096);
    private ArrayBufferWriter<byte> _sending = new(4096);
    private int _inFlight;
    private int _marked;
    private bool _completed;
    private bool _signalled;
    private bool _held;
    private bool _watched;

    /// <summary>Octets appended that TCP has not taken yet.</summary>
    public int Pending
    {
        get
        {
            lock (_gate)
            {
                return _filling.WrittenCount + _inFlight;
            }
        }
    }

    /// <summary>Among what TCP has not taken yet are marked messages.</summary>
    public bool HoldsMarked
    {
        get
        {
            lock (_gate)
            {
                return _marked > 0;
            }
        }
    }

    /// <summary>Appends whole messages. False: the limit would be passed, or the queue is completed; nothing was appended.</summary>
    public bool TryAppend(ReadOnlySpan<byte> messages, bool mark = false)
    {
        lock (_gate)
        {
            if (_completed || _filling.WrittenCount + _inFlight + messages.Length > limit)
            {
                return false;
            }

            _filling.Write(messages);
            _marked = mark ? _filling.WrittenCount + _inFlight : _marked;
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
                if (_filling.WrittenCount > 0 && !_held)
                {
                    (_filling, _sending) = (_sending, _filling);
                    _inFlight = _sending.WrittenCount;
                    return _sending.WrittenMemory;
                }

                if (_completed && !_held)
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

    /// <summary>TCP took octets of what was taken last. True: a watch was set and the low-water mark is reached.</summary>
    public bool Sent(int octets)
    {
        lock (_gate)
        {
            _inFlight -= octets;
            _marked = Math.Max(0, _marked - octets);
            bool drained = _watched && _filling.WrittenCount + _inFlight <= lowWaterMark;
            _watched &= !drained;
            return drained;
        }
    }

    /// <summary>Asks to be told by <see cref="Sent"/> when the low-water mark is reached. False: it is already, nothing is set.</summary>
    public bool WatchDrain()
    {
        lock (_gate)
        {
            _watched = !_completed && _filling.WrittenCount + _inFlight > lowWaterMark;
            return _watched;
        }
    }

    /// <summary>
    /// Holds the consumer off for a producer that wants to send by itself at once. False: something is queued or under way, and nobody may overtake it.
    /// </summary>
    public bool TryHold()
    {
        lock (_gate)
        {
            if (_completed || _held || _filling.WrittenCount + _inFlight > 0)
            {
                return false;
            }

            _held = true;
            return true;
        }
    }

    /// <summary>Ends a hold. What of its message could not be sent goes before all that was appended meanwhile.</summary>
    public void Release(ReadOnlySpan<byte> rest)
    {
        lock (_gate)
        {
            _held = false;
            if (!rest.IsEmpty)
            {
                byte[] later = _filling.WrittenSpan.ToArray();
                _filling.ResetWrittenCount();
                _filling.Write(rest);
                _filling.Write(later);
                _marked += rest.Length;
            }

            if (_filling.WrittenCount > 0 || _completed)
            {
                Signal();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            // Nobody waits any more, and nobody may signal.
            _signalled = true;
            _signal.Dispose();
        }
    }

    private void Signal()
    {
        if (!_signalled)
        {
            _signalled = true;
            _signal.Release();
        }
    }
}
