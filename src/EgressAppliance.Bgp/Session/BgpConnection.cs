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

    /// <summary>A bug: handling a message threw. The session must end so that nothing half-applied stays.</summary>
    void OnFault(BgpConnection connection, Exception exception);

    /// <summary>The peer took nothing for as long as the send hold time (RFC 9687).</summary>
    void OnSendStalled(BgpConnection connection, string text);
}

/// <summary>
/// One TCP connection: reads and frames messages, sends what the queue holds. Knows nothing of sessions; when it is closed, what is
/// queued (a NOTIFICATION as a rule) still goes out and the peer gets a moment to read it, because closing a socket with unread
/// input makes the kernel reset the connection and the peer lose the reason.
/// </summary>
internal sealed class BgpConnection : IDisposable
{
    private const int ReceiveBuffer = 64 * 1024;
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);
    private readonly Socket _socket;
    private readonly IConnectionSink _sink;
    private readonly OutboundQueue _queue;
    private readonly TimeProvider _time;
    private readonly TimeSpan _sendHold;
    private readonly CancellationTokenSource _abort = new();
    private volatile bool _closing;

    public BgpConnection(Socket socket, IConnectionSink sink, TimeProvider time, TimeSpan sendHold, int highWaterMark)
    {
        _socket = socket;
        _sink = sink;
        _time = time;
        _sendHold = sendHold;
        _queue = new OutboundQueue(highWaterMark);
        socket.NoDelay = true;
    }

    /// <summary>Ends when nothing of the connection runs any more.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to read and write.</summary>
    public void Start() => Completion = Task.WhenAll(Task.Run(ReadAsync), Task.Run(WriteAsync));

    /// <summary>Queues whole messages; false if the peer does not keep up.</summary>
    public bool TrySend(ReadOnlySpan<byte> messages) => _queue.TryAppend(messages);

    /// <summary>Sends what is queued, then closes. Returns at once.</summary>
    public void Close()
    {
        _closing = true;
        _queue.Complete();
        _abort.CancelAfter(LingerTime);
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

                filled += read;
                int used = Consume(buffer.AsSpan(0, filled));
                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
                if (_socket.Available == 0)
                {
                    _sink.OnIdle(this);
                }
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
        while (!_closing && BgpFramer.TryReadHeader(input[used..], default, out BgpMessageType type, out int length, out BgpError? error))
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

                using var stalled = new CancellationTokenSource(_sendHold, _time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stalled.Token, _abort.Token);
                try
                {
                    for (int sent = 0; sent < octets.Length;)
                    {
                        sent += await _socket.SendAsync(octets[sent..], SocketFlags.None, either.Token).ConfigureAwait(false);
                    }
                }
                catch (OperationCanceledException) when (stalled.IsCancellationRequested && !_abort.IsCancellationRequested)
                {
                    _sink.OnSendStalled(this, $"send hold timer expired: the peer read nothing for {_sendHold.TotalSeconds:0} s");
                    return;
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
    }
}
