using System.Net.Sockets;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <summary>Told of what a connection reads and of its end. Calls come from the connection's own tasks, one at a time per kind.</summary>
internal interface IConnectionSink
{
    /// <summary>One whole message; the body is valid during the call only.</summary>
    void OnMessage(BgpConnection connection, BgpMessageType type, ReadOnlySpan<byte> body);

    /// <summary>Every whole message that has arrived was told.</summary>
    void OnIdle(BgpConnection connection);

    /// <summary>A header that cannot be followed: nothing after it can be read.</summary>
    void OnHeaderError(BgpConnection connection, BgpError error);

    /// <summary>TCP ended or failed.</summary>
    void OnClosed(BgpConnection connection, string text);

    /// <summary>A bug: handling a message, or being told that the queue has drained, threw. The session must end so that nothing half-applied stays.</summary>
    void OnFault(BgpConnection connection, Exception exception);

    /// <summary>The peer took nothing for as long as the send hold time (RFC 9687).</summary>
    void OnSendStalled(BgpConnection connection, string text);

    /// <summary>TCP has just taken what may be said only for a time: <see cref="BgpConnection.TrySend"/> with a mark. On the thread that handed it over.</summary>
    void OnMarkedSent(BgpConnection connection);

    /// <summary>What was queued has fallen to the low-water mark again, after <see cref="BgpConnection.WatchDrain"/>.</summary>
    void OnDrained(BgpConnection connection);
}

/// <summary>
/// One TCP connection: reads and frames messages, sends what the queue holds. Knows nothing of sessions; when it is closed, what is
/// queued (a NOTIFICATION as a rule) still goes out and the peer gets a moment to read it, because closing a socket with unread
/// input makes the kernel reset the connection and the peer lose the reason.
/// </summary>
internal sealed class BgpConnection : IDisposable
{
    // Holds the longest message of RFC 8654, so that a message never has to be put together from two buffers.
    private const int ReadsInARow = 8;
    private const int ReceiveBuffer = BgpConstants.MaxExtendedMessageLength + 1;

    private const int SendPiece = 16 * 1024;

    // linux/tcp.h: struct tcp_info, tcpi_bytes_acked.
    private const int ProtocolTcp = 6;
    private const int OptionTcpInfo = 11;
    private const int BytesAckedAt = 120;
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);
    private readonly Socket _socket;
    private readonly IConnectionSink _sink;
    private readonly OutboundQueue _queue;
    private readonly TimeProvider _time;
    private readonly TimeSpan _sendHold;
    private readonly CancellationTokenSource _abort = new();
    private volatile bool _closing;
    private volatile bool _consuming;

    public BgpConnection(Socket socket, IConnectionSink sink, TimeProvider time, TimeSpan sendHold, int limit, int lowWaterMark)
    {
        _socket = socket;
        _sink = sink;
        _time = time;
        _sendHold = sendHold;
        _queue = new OutboundQueue(limit, lowWaterMark);
        socket.NoDelay = true;
        // For the one synchronous call, which must never wait; asynchronous ones do not care.
        socket.Blocking = false;
    }

    /// <summary>How the peer's messages are framed. Set on the reader's own thread, when OPEN was accepted, so that it holds from the next message on.</summary>
    public BgpCodecOptions ReceiveOptions { get; set; }

    /// <summary>Ends when nothing of the connection runs any more.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Octets queued that TCP has not taken yet.</summary>
    public int Pending => _queue.Pending;

    /// <summary>The peer has sent something that we have not got round to handling: it is in the kernel, or its handling is under way.</summary>
    public bool HasInput
    {
        get
        {
            try
            {
                return _consuming || _socket.Available > 0;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <summary>Begins to read and write.</summary>
    public void Start() => Completion = Task.WhenAll(Task.Run(ReadAsync), Task.Run(WriteAsync));

    /// <summary>Queues whole messages; false if the peer does not keep up.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="mark">Ask for <see cref="IConnectionSink.OnMarkedSent"/> when TCP has them.</param>
    public bool TrySend(ReadOnlySpan<byte> messages, bool mark = false) => _queue.TryAppend(messages, mark);

    /// <summary>
    /// Sends a message from the calling thread if nothing is queued before it, so that it does not have to wait for a thread of the pool; otherwise
    /// queues it. Never blocks. False as <see cref="TrySend"/>. The message counts as marked.
    /// </summary>
    public bool TrySendNow(ReadOnlySpan<byte> message)
    {
        if (!_queue.TryHold())
        {
            return _queue.TryAppend(message, mark: true);
        }

        int sent = 0;
        try
        {
            // A full socket buffer leaves the rest to the writer, and so does an error: the writer's own attempt tells of it. What was sent before counts.
            sent = _socket.Send(message, SocketFlags.None, out _);
        }
        catch (ObjectDisposedException)
        {
            sent = message.Length;
        }
        finally
        {
            _queue.Release(message[sent..]);
        }

        _sink.OnMarkedSent(this);
        return true;
    }

    /// <summary>Asks for one <see cref="IConnectionSink.OnDrained"/> when the low-water mark is reached; false if it is already.</summary>
    public bool WatchDrain() => _queue.WatchDrain();

    /// <summary>Sends what is queued, then closes. Returns at once.</summary>
    public void Close()
    {
        // In this order: from the next line on both tasks may end, and with them this is disposed of, before a thread that is held up here comes to the line after.
        _abort.CancelAfter(LingerTime);
        _closing = true;
        _queue.Complete();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _abort.Dispose();
        _queue.Dispose();
    }

    private async Task ReadAsync()
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(ReceiveBuffer);
        int filled = 0;
        int reads = 0;
        string end;
        try
        {
            while (true)
            {
                int read = await _socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, _abort.Token).ConfigureAwait(false);
                if (read == 0)
                {
                    end = "the peer closed the TCP connection";
                    break;
                }

                if (_closing)
                {
                    filled = 0;
                    continue;
                }

                // A peer that sends without a pause would keep a thread of the pool for itself: reads that find something there end at once.
                if (++reads % ReadsInARow == 0)
                {
                    await Task.Yield();
                }

                _consuming = true;
                filled += read;
                int used = Consume(buffer.AsSpan(0, filled));
                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
                if (_socket.Available == 0)
                {
                    _sink.OnIdle(this);
                }
                _consuming = false;
            }
        }
        catch (SocketException e)
        {
            end = $"TCP: {e.Message}";
        }
        catch (OperationCanceledException)
        {
            end = "closed";
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _sink.OnFault(this, e);
            return;
        }

        if (!_closing)
        {
            _sink.OnClosed(this, end);
        }
    }

    private int Consume(ReadOnlySpan<byte> input)
    {
        int used = 0;
        while (!_closing && BgpFramer.TryReadHeader(input[used..], ReceiveOptions, out BgpMessageType type, out int length, out BgpError? error))
        {
            if (error is not null)
            {
                _sink.OnHeaderError(this, error);
                return input.Length;
            }

            _sink.OnMessage(this, type, input.Slice(used + BgpConstants.HeaderLength, length - BgpConstants.HeaderLength));
            used += length;
        }

        return _closing ? input.Length : used;
    }

    private async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> octets = await _queue.TakeAsync(_abort.Token).ConfigureAwait(false);
                if (octets.IsEmpty)
                {
                    _socket.Shutdown(SocketShutdown.Send);
                    return;
                }

                while (!octets.IsEmpty)
                {
                    int sent = await SendPieceAsync(octets[..Math.Min(SendPiece, octets.Length)]).ConfigureAwait(false);
                    if (sent == 0)
                    {
                        _sink.OnSendStalled(this, $"send hold timer expired: the peer read nothing for {_sendHold.TotalSeconds:0} s");
                        return;
                    }

                    octets = octets[sent..];
                    bool marked = _queue.HoldsMarked;
                    bool drained = _queue.Sent(sent);
                    if (marked)
                    {
                        _sink.OnMarkedSent(this);
                    }

                    if (drained)
                    {
                        _sink.OnDrained(this);
                    }
                }
            }
        }
        catch (SocketException e)
        {
            // The reader sees the same end as a rule, but not when only our direction broke.
            if (!_closing)
            {
                _sink.OnClosed(this, $"TCP: {e.Message}");
            }
        }
        catch (OperationCanceledException)
        {
            return; // the linger time is over
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Without a writer the session would stand until the peer's hold timer ends it, and nothing would say why.
            _sink.OnFault(this, e);
        }
    }

    /// <summary>
    /// Sends a piece; 0 if the send hold time passed without the peer taking a single octet. That is asked of TCP itself: the kernel tells of room in
    /// its send buffer, which may hold megabytes, only when a third of it is free, and a peer that reads slowly takes long to free that much.
    /// </summary>
    private async Task<int> SendPieceAsync(ReadOnlyMemory<byte> piece)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        Task<int> sending = _socket.SendAsync(piece, SocketFlags.None, giveUp.Token).AsTask();
        long acknowledged = sending.IsCompleted ? 0 : BytesAcknowledged();
        while (true)
        {
            try
            {
                return await sending.WaitAsync(_sendHold, _time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                long now = BytesAcknowledged();
                if (now != acknowledged)
                {
                    acknowledged = now;
                    continue;
                }
            }

            await giveUp.CancelAsync().ConfigureAwait(false);
            try
            {
                return await sending.ConfigureAwait(false); // it was quicker after all
            }
            catch (OperationCanceledException) when (!_abort.IsCancellationRequested)
            {
                return 0;
            }
        }
    }

    private long BytesAcknowledged()
    {
        Span<byte> info = stackalloc byte[BytesAckedAt + sizeof(long)];
        return _socket.GetRawSocketOption(ProtocolTcp, OptionTcpInfo, info) < info.Length ? 0 : BitConverter.ToInt64(info[BytesAckedAt..]);
    }
}
