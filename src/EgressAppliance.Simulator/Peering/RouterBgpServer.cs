using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Simulator.Routing;

namespace EgressAppliance.Simulator.Peering;

/// <summary>
/// The simulated router's side of the iBGP session with the appliance. It shares only the message codec with the appliance's speaker, so that the
/// two ends check one another.
/// <para>
/// It listens and takes one session at a time; a second connection is refused with Cease. Once established it sends every path of every provider
/// with ADD-PATH identifiers and follows each change; it takes UPDATEs as overrides for <see cref="SimulatedRouter.InstallOverride"/>. However the session ends
/// (NOTIFICATION, closed connection, hold timer), the overrides are gone before the next session may begin.
/// </para>
/// </summary>
public sealed class RouterBgpServer : IAsyncDisposable
{
    private readonly SimulatedRouter _router;
    private readonly RouterBgpOptions _options;
    private readonly TimeProvider _time;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private Task _session = Task.CompletedTask;
    private long _refused;
    private volatile bool _established;
    private volatile string? _lastError;

    /// <summary>Binds the endpoint and starts to accept.</summary>
    /// <exception cref="SocketException">The endpoint cannot be bound.</exception>
    public RouterBgpServer(SimulatedRouter router, RouterBgpOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(router);
        _router = router;
        _options = options ?? new();
        _time = time ?? TimeProvider.System;
        _listener = new(_options.Listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(_options.Listen);
            _listener.Listen(4);
        }
        catch (SocketException)
        {
            _listener.Dispose();
            throw;
        }

        LocalEndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>The endpoint bound, with the port taken.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>A session is established.</summary>
    public bool IsEstablished => _established;

    /// <summary>Why the last session ended, or null if none has.</summary>
    public string? LastError => _lastError;

    /// <summary>Connections refused because there was a session.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Raised when the session comes up (null) or ends (the reason). Handlers are quick.</summary>
    public event Action<string?>? SessionChanged;

    /// <summary>Ends the session with Cease and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await _session.ConfigureAwait(false);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                socket.NoDelay = true;
                if (_session.IsCompleted)
                {
                    _session = Task.Run(() => ServeAsync(socket));
                }
                else
                {
                    Interlocked.Increment(ref _refused);
                    await RefuseAsync(socket).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                _lastError = e.Message; // a connection that died before it was accepted; the listener lives on
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        string reason = "the session failed";
        try
        {
            using (socket)
            {
                RouterBgpSession session = new(_router, _options, _time, socket, OnEstablished);
                reason = await session.RunAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            _router.DropOverrides();
            _lastError = reason;
            if (_established)
            {
                _established = false;
                SessionChanged?.Invoke(reason);
            }
        }
    }

    private void OnEstablished()
    {
        _established = true;
        SessionChanged?.Invoke(null);
    }

    private static async Task RefuseAsync(Socket socket)
    {
        using (socket)
        {
            byte[] message = RouterBgpSession.Encode(NotificationMessage.Cease(CeaseSubcode.Rejected));
            await socket.SendAsync(message).ConfigureAwait(false);
        }
    }
}
