using System.Net;
using System.Net.Sockets;
using System.Numerics;
using EgressAppliance.Net;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// A BMP monitoring station (RFC 7854): routers show it the tables of their BGP sessions, and it tells a listener of every route in them.
/// </summary>
/// <remarks>
/// <code>
/// listener socket ─► accept ─┐
/// connect with back-off ─────┴► BmpConnection (one reader each) ─► BmpStreamBuffer ─► BmpRouter's lock ─► BmpMonitor ─► IBmpListener
/// </code>
/// <para>Why BMP at all: a BGP session to a router shows its best paths, or with ADD-PATH those that it would use; BMP shows what each provider
/// really announces, before policy, and what the router made of it, whatever our own overrides have done to its choice.</para>
/// <para>The station keeps no routes. It knows the peers of each router and how their UPDATEs are to be read, and gives every table of a peer a small number; the
/// listener holds the routes by that number. Memory is bounded by construction: one buffer a connection, no longer than the longest message; peers,
/// tables and routes have limits, and a router that exceeds one is disconnected, told as such, and left alone for a while. There are no queues:
/// a listener that is slow makes the reader slow, and TCP the router.</para>
/// <para>There is no resynchronisation in the protocol short of a new connection. So a connection that ends takes all of the router's routes with
/// it, and the next one begins from nothing. A second connection of a router replaces the first.</para>
/// <para>The protocol has no authentication: a router is known by its address, so listen on a management network.</para>
/// </remarks>
public sealed class BmpStation : IAsyncDisposable
{
    private const int Backlog = 16;
    private static readonly TimeSpan AcceptPause = TimeSpan.FromSeconds(1);
    private readonly BmpStationOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<IpAddr, BmpRouter> _byAddress = [];
    private readonly List<BmpRouter> _routers = [];
    private readonly List<Socket> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly CancellationTokenSource _stop = new();
    private long _unknownRouters;
    private int _disposed;

    /// <summary>A station at rest; <see cref="StartAsync"/> sets it going.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public BmpStation(BmpStationOptions options, IBmpListener listener, TimeProvider timeProvider, ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(listener);
        ArgumentNullException.ThrowIfNull(timeProvider);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        ThrowIfInvalid(options);
        _options = options;
        _time = timeProvider;
        _logger = loggerFactory.CreateLogger<BmpStation>();
        var pool = new BmpSourcePool(options.MaxSources);
        foreach (BmpRouterOptions router in options.Routers)
        {
            var added = new BmpRouter(router, options, listener, pool, timeProvider, _logger);
            if (!_byAddress.TryAdd(IpAddr.From(router.Address), added))
            {
                throw new ArgumentException($"two routers have the address {router.Address}; they are told apart by it", nameof(options));
            }

            _routers.Add(added);
        }
    }

    /// <summary>The endpoints listened on, with the ports that the system chose where port 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> ListeningOn { get; private set; } = [];

    /// <summary>Connections refused because no router with their address is configured.</summary>
    public long UnknownRouters => Interlocked.Read(ref _unknownRouters);

    /// <summary>Listens and connects.</summary>
    /// <exception cref="IOException">An endpoint cannot be listened on.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var bound = new List<IPEndPoint>();
        foreach (IPEndPoint endpoint in _options.Listen)
        {
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            _listeners.Add(socket);
            try
            {
                if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
                {
                    socket.DualMode = false;
                }

                socket.Bind(endpoint);
                socket.Listen(Backlog);
            }
            catch (SocketException e)
            {
                throw new IOException($"BMP cannot listen on {endpoint}: {e.Message}", e);
            }

            bound.Add((IPEndPoint)socket.LocalEndPoint!);
            BmpLog.Listening(_logger, bound[^1].ToString());
        }

        ListeningOn = bound;
        foreach (BmpRouter router in _routers)
        {
            router.Start();
        }

        foreach (Socket listener in _listeners)
        {
            _accepting.Add(Task.Run(() => AcceptAsync(listener), CancellationToken.None));
        }

        return Task.CompletedTask;
    }

    /// <summary>The routers as they stand, in the order of the options.</summary>
    public IReadOnlyList<BmpRouterStatus> GetRouters()
    {
        var result = new BmpRouterStatus[_routers.Count];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = _routers[i].GetStatus();
        }

        return result;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (Socket listener in _listeners)
        {
            listener.Dispose();
        }

        await Task.WhenAll(_accepting).ConfigureAwait(false);
        foreach (BmpRouter router in _routers)
        {
            await router.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private static void ThrowIfInvalid(BmpStationOptions options)
    {
        if (options.MaxMessageLength < BmpConstants.HeaderLength + BmpConstants.PeerHeaderLength)
        {
            throw new ArgumentException("the longest message is shorter than its headers", nameof(options));
        }

        if (options.QuietTime < TimeSpan.Zero)
        {
            throw new ArgumentException("the quiet time cannot be negative", nameof(options));
        }

        if (options.MaxSources < 1)
        {
            throw new ArgumentException("there must be a handle for at least one table", nameof(options));
        }

        foreach (BmpRouterOptions router in options.Routers)
        {
            if (router.ConnectPort is < 1 or > ushort.MaxValue)
            {
                throw new ArgumentException($"{router.Name}: {router.ConnectPort} is no TCP port", nameof(options));
            }

            if (router.ConnectRetry <= TimeSpan.Zero || router.ConnectRetryMax < router.ConnectRetry || router.ConnectTimeout <= TimeSpan.Zero)
            {
                throw new ArgumentException($"{router.Name}: the waits of connecting must be more than zero, the longest not less than the shortest", nameof(options));
            }

            if (router.MaxPeers < 1 || router.MaxRoutes < 1 || router.LimitHold < TimeSpan.Zero)
            {
                throw new ArgumentException($"{router.Name}: limits must be at least 1, and the time of refusal after one not negative", nameof(options));
            }
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            try
            {
                Dispatch(await listener.AcceptAsync(_stop.Token).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors as a rule: trying at once would only spin. The wait ends with us, or stopping would have to wait for it.
                BmpLog.AcceptFailed(_logger, listener.LocalEndPoint?.ToString() ?? "", e.Message);
                await Task.Delay(AcceptPause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Dispatch(Socket socket)
    {
        IPAddress remote = ((IPEndPoint)socket.RemoteEndPoint!).Address;
        if (_byAddress.TryGetValue(IpAddr.From(remote), out BmpRouter? router))
        {
            router.Accept(socket);
            return;
        }

        long count = Interlocked.Increment(ref _unknownRouters);
        if (BitOperations.IsPow2(count))
        {
            // The first, and then ever fewer: anyone can connect again and again.
            BmpLog.UnknownRouter(_logger, remote.ToString(), count);
        }

        socket.Dispose();
    }
}
