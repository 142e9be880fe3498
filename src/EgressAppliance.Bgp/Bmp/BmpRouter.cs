using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// One router's connection and what is known by it. One lock puts its events into an order: messages, the end of the connection, its replacement. What a
/// connection that was replaced still reads is told by the connection and dropped.
/// </summary>
internal sealed class BmpRouter : IBmpConnectionSink, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly BmpRouterOptions _options;
    private readonly BmpStationOptions _station;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BmpMonitor _monitor;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _endings = [];
    private BmpConnection? _connection;
    private Task _connecting = Task.CompletedTask;
    private BmpConnectionState _state;
    private DateTimeOffset _since;
    private DateTimeOffset _heldUntil;
    private bool _heldTold;
    private string? _lastError;
    private long _connections;
    private long _limitsExceeded;

    public BmpRouter(BmpRouterOptions options, BmpStationOptions station, IBmpListener listener, BmpSourcePool pool, TimeProvider time, ILogger logger)
    {
        _options = options;
        _station = station;
        _time = time;
        _logger = logger;
        _monitor = new(options, listener, pool, time);
        _since = time.GetUtcNow();
    }

    private BmpConnectionState Resting => _options.ConnectPort is null ? BmpConnectionState.Listening : BmpConnectionState.Connecting;

    /// <summary>Begins to wait for the router, or to connect to it.</summary>
    public void Start()
    {
        lock (_gate)
        {
            Enter(Resting);
        }

        if (_options.ConnectPort is { } port)
        {
            _connecting = Task.Run(() => ConnectAsync(new(_options.Address, port)));
        }
    }

    /// <summary>Takes a connection from the router's address. It replaces an older one: the router would not have made it if that still served.</summary>
    public void Accept(Socket socket)
    {
        lock (_gate)
        {
            if (_state == BmpConnectionState.Stopped)
            {
                socket.Dispose();
                return;
            }

            if (_time.GetUtcNow() < _heldUntil)
            {
                if (!_heldTold)
                {
                    _heldTold = true;
                    BmpLog.Held(_logger, _options.Name);
                }

                socket.Dispose();
                return;
            }

            Attach(socket, "accepted");
        }
    }

    /// <summary>The router as it stands.</summary>
    public BmpRouterStatus GetStatus()
    {
        lock (_gate)
        {
            if (_state == BmpConnectionState.Held && _time.GetUtcNow() >= _heldUntil)
            {
                Enter(Resting);
            }

            var status = new BmpRouterStatus
            {
                Name = _options.Name,
                Address = _options.Address,
                State = _state,
                Since = _since,
                Connections = _connections,
                LimitsExceeded = _limitsExceeded,
                LastError = _lastError,
                Messages = new Dictionary<BmpMessageType, long>(),
                Malformed = new Dictionary<BmpErrorKind, long>(),
                Oddities = new(),
                Routes = new Dictionary<BmpTable, long>(),
                Peers = [],
            };
            return _monitor.AddTo(status, _station.QuietTime);
        }
    }

    /// <inheritdoc/>
    public bool OnMessage(BmpConnection connection, BmpMessageType type, ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(connection, _connection))
            {
                return false;
            }

            if (_monitor.Process(type, message) is not { } end)
            {
                return true;
            }

            if (end.Limit)
            {
                _limitsExceeded++;
                _heldUntil = _time.GetUtcNow() + _options.LimitHold;
                _heldTold = false;
            }

            End(end.Reason);
            return false;
        }
    }

    /// <inheritdoc/>
    public void OnHeaderError(BmpConnection connection, BmpError error)
    {
        lock (_gate)
        {
            if (ReferenceEquals(connection, _connection))
            {
                _monitor.CountMalformed(error);
                End($"malformed: {error.Text}");
            }
        }
    }

    /// <inheritdoc/>
    public void OnClosed(BmpConnection connection, string reason)
    {
        lock (_gate)
        {
            if (ReferenceEquals(connection, _connection))
            {
                End(reason);
            }
        }
    }

    /// <inheritdoc/>
    public void OnFault(BmpConnection connection, Exception exception)
    {
        BmpLog.Fault(_logger, _options.Name, exception);
        OnClosed(connection, $"internal error: {exception.Message}");
    }

    /// <summary>Ends the connection and waits until nothing runs any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _connecting.ConfigureAwait(false);
        Task[] endings;
        lock (_gate)
        {
            if (_connection is not null)
            {
                End("the station is stopped");
            }

            Enter(BmpConnectionState.Stopped);
            endings = [.. _endings];
        }

        await Task.WhenAll(endings).ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Attach(Socket socket, string direction)
    {
        if (_connection is not null)
        {
            End("the router connected anew");
        }

        BmpConnection connection;
        try
        {
            connection = new(socket, this, _station.MaxMessageLength);
        }
        catch (SocketException e)
        {
            // The router was gone again before the socket's options could be set.
            _lastError = $"TCP: {e.Message}";
            socket.Dispose();
            return;
        }

        _connection = connection;
        _connections++;
        Enter(BmpConnectionState.Up);
        BmpLog.Up(_logger, _options.Name, direction);
        connection.Start();
        _endings.RemoveAll(t => t.IsCompleted);
        _endings.Add(connection.Completion.ContinueWith(
            (_, c) => ((BmpConnection)c!).Dispose(), connection, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default));
        try
        {
            // Nothing that the reader has read meanwhile can come before this: we hold the lock.
            _monitor.Begin();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            OnFault(connection, e);
        }
    }

    private void End(string reason)
    {
        _connection!.Close();
        _connection = null;
        _lastError = reason;
        Enter(_time.GetUtcNow() < _heldUntil ? BmpConnectionState.Held : Resting);
        BmpLog.Down(_logger, _options.Name, reason);
        try
        {
            _monitor.End(reason);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A bug of the listener's. It must not stop the accepting of other routers, or the next connection of this one.
            BmpLog.Fault(_logger, _options.Name, e);
        }
    }

    private void Enter(BmpConnectionState state)
    {
        if (_state != state)
        {
            _state = state;
            _since = _time.GetUtcNow();
        }
    }

    private async Task ConnectAsync(IPEndPoint endpoint)
    {
        TimeSpan wait = _options.ConnectRetry;
        try
        {
            while (true)
            {
                long begun = _time.GetTimestamp();
                Task serving = await ConnectOnceAsync(endpoint).ConfigureAwait(false);
                await serving.WaitAsync(_stop.Token).ConfigureAwait(false);
                TimeSpan held;
                lock (_gate)
                {
                    held = _heldUntil - _time.GetUtcNow();
                }

                wait = _time.GetElapsedTime(begun) >= _options.ConnectRetryMax ? _options.ConnectRetry : wait;
                TimeSpan jittered = wait * (0.75 + (Random.Shared.NextDouble() * 0.25));
                await Task.Delay(held > jittered ? held : jittered, _time, _stop.Token).ConfigureAwait(false);
                wait = wait * 2 < _options.ConnectRetryMax ? wait * 2 : _options.ConnectRetryMax;
            }
        }
        catch (OperationCanceledException)
        {
            return; // stopped
        }
    }

    /// <summary>Makes one attempt unless the router has connected itself meanwhile. The task returned ends with the connection that serves.</summary>
    private async Task<Task> ConnectOnceAsync(IPEndPoint endpoint)
    {
        lock (_gate)
        {
            if (_connection is { } serving)
            {
                return serving.Completion;
            }

            Enter(BmpConnectionState.Connecting);
        }

        using var limit = new CancellationTokenSource(_options.ConnectTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        Socket? socket = null;
        try
        {
            // May fail itself, for want of descriptors or of the address family; the next attempt must come all the same.
            socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endpoint, either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket?.Dispose();
            _stop.Token.ThrowIfCancellationRequested();
            string reason = e is SocketException failure ? $"cannot connect to {endpoint}: {failure.Message}" : $"no answer from {endpoint}";
            lock (_gate)
            {
                if (_connection is null && _lastError != reason)
                {
                    _lastError = reason;
                    BmpLog.Failed(_logger, _options.Name, reason);
                }
            }

            return Task.CompletedTask;
        }

        lock (_gate)
        {
            if (_connection is null)
            {
                Attach(socket, "connected to it");
            }
            else
            {
                socket.Dispose();
            }

            return _connection?.Completion ?? Task.CompletedTask;
        }
    }
}
