using System.Net.Sockets;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>Told of what a connection reads and of its end, from the connection's reader alone.</summary>
internal interface IBmpConnectionSink
{
    /// <summary>One whole message, valid during the call. False: read no further.</summary>
    bool OnMessage(BmpConnection connection, BmpMessageType type, ReadOnlySpan<byte> message);

    /// <summary>A header that cannot be followed.</summary>
    void OnHeaderError(BmpConnection connection, BmpError error);

    /// <summary>TCP ended or failed.</summary>
    void OnClosed(BmpConnection connection, string reason);

    /// <summary>A bug: handling a message threw.</summary>
    void OnFault(BmpConnection connection, Exception exception);
}

/// <summary>
/// One TCP connection of a router. It is only read from: a station never sends anything (RFC 7854 section 3.2). BMP has no keepalives either, so
/// TCP's are turned on: routes of a router that vanished without a FIN would be held for ever.
/// </summary>
internal sealed class BmpConnection : IDisposable
{
    private const int KeepAliveSeconds = 10;
    private const int KeepAliveInterval = 5;
    private const int KeepAliveProbes = 3;
    private readonly Socket _socket;
    private readonly IBmpConnectionSink _sink;
    private readonly BmpStreamBuffer _buffer;
    private readonly CancellationTokenSource _abort = new();

    public BmpConnection(Socket socket, IBmpConnectionSink sink, int maxMessageLength)
    {
        _socket = socket;
        _sink = sink;
        _buffer = new(maxMessageLength);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveInterval);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
    }

    /// <summary>Ends when nothing of the connection runs any more; never fails.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to read.</summary>
    public void Start() => Completion = Task.Run(ReadAsync);

    /// <summary>Stops reading and closes. Returns at once; a message that is being handled is handled to its end.</summary>
    public void Close() => _abort.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _abort.Dispose();
    }

    private async Task ReadAsync()
    {
        string reason;
        try
        {
            while (true)
            {
                int read = await _socket.ReceiveAsync(_buffer.Free, SocketFlags.None, _abort.Token).ConfigureAwait(false);
                if (read == 0)
                {
                    reason = _buffer.Pending == 0 ? "the router closed the connection" : "the router closed the connection within a message";
                    break;
                }

                _buffer.Advance(read);
                if (!Consume())
                {
                    return;
                }
            }
        }
        catch (SocketException e)
        {
            reason = $"TCP: {e.Message}";
        }
        catch (OperationCanceledException)
        {
            reason = "closed";
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _sink.OnFault(this, e);
            return;
        }

        _sink.OnClosed(this, reason);
    }

    private bool Consume()
    {
        while (_buffer.TryRead(out BmpMessageType type, out ReadOnlySpan<byte> message, out BmpError? error))
        {
            if (error is not null)
            {
                _sink.OnHeaderError(this, error);
                return false;
            }

            if (!_sink.OnMessage(this, type, message))
            {
                return false;
            }
        }

        return true;
    }
}
