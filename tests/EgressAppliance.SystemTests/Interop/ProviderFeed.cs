using System.Buffers;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// A provider's router reduced to what the bed needs: an eBGP session that announces what it is told, both families over IPv4, and comes back whenever the
/// router does. The same feed serves every router, so that differences in what we see are the router's.
/// </summary>
internal sealed class ProviderFeed : IAsyncDisposable
{
    // Long, so that the session outlives a router that is stopped for seconds on purpose. (None at all is worse: GoBGP then gives up every write at once.)
    private const ushort HoldTime = 90;
    private static readonly TimeSpan KeepaliveTime = TimeSpan.FromSeconds(20);

    // A router that is just starting may take the connection and forget it.
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);
    private static readonly BgpCodecOptions Codec = new() { FourOctetAs = true, External = true };

    private readonly InteropAddresses _addresses;
    private readonly int _provider;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<IpPrefix, FeedRoute> _routes = [];
    private readonly Task _running;
    private Socket? _established;

    /// <summary>Starts provider A (1) or B (2).</summary>
    public ProviderFeed(InteropAddresses addresses, int provider)
    {
        _addresses = addresses;
        _provider = provider;
        _running = Task.Run(RunAsync);
    }

    /// <summary>The session with the router is up.</summary>
    public bool Established
    {
        get
        {
            lock (_gate)
            {
                return _established is not null;
            }
        }
    }

    /// <summary>Announces routes now and after every restart of the session.</summary>
    public void Announce(IEnumerable<FeedRoute> routes)
    {
        lock (_gate)
        {
            var output = new ArrayBufferWriter<byte>();
            foreach (FeedRoute route in routes)
            {
                _routes[route.Prefix] = route;
                Encode(route, output);
            }

            Send(output);
        }
    }

    /// <summary>Withdraws routes.</summary>
    public void Withdraw(IEnumerable<IpPrefix> prefixes)
    {
        lock (_gate)
        {
            var output = new ArrayBufferWriter<byte>();
            foreach (IpPrefix prefix in prefixes)
            {
                if (_routes.Remove(prefix))
                {
                    UpdateEncoder.Withdraw(prefix.Family, [new Nlri(prefix)], Codec, output);
                }
            }

            Send(output);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(IPAddress.Parse(_addresses.Provider4(_provider)), 0));
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(_addresses.Router4), 179), _stop.Token);
                await SpeakAsync(socket);
            }
            catch (SocketException)
            {
                // The router is not there: try again.
            }
            catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
            {
                // It says nothing: try again.
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                lock (_gate)
                {
                    _established = null;
                }
            }

            await Task.Delay(RetryPause, CancellationToken.None);
        }
    }

    private async Task SpeakAsync(Socket socket)
    {
        socket.Send(Open());
        byte[] buffer = new byte[64 * 1024];
        int filled = 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(OpenLimit);
        await using Timer keepalives = new(_ => SendKeepalive(), null, KeepaliveTime, KeepaliveTime);
        while (true)
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, limit.Token);
            if (read == 0)
            {
                return;
            }

            filled += read;
            int used = Consume(socket, buffer.AsSpan(0, filled));
            if (used < 0)
            {
                return;
            }

            buffer.AsSpan(used, filled - used).CopyTo(buffer);
            filled -= used;
            if (Established)
            {
                limit.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }
    }

    // What the router announces to the provider is of no interest here.
    private int Consume(Socket socket, ReadOnlySpan<byte> input)
    {
        int used = 0;
        while (BgpFramer.TryReadHeader(input[used..], default, out BgpMessageType type, out int length, out BgpError? error))
        {
            if (error is not null || type == BgpMessageType.Notification)
            {
                return -1;
            }

            used += length;
            if (type == BgpMessageType.Open)
            {
                socket.Send(Keepalive());
            }
            else if (type == BgpMessageType.Keepalive)
            {
                Begin(socket);
            }
        }

        return used;
    }

    private void Begin(Socket socket)
    {
        lock (_gate)
        {
            if (_established is null)
            {
                _established = socket;
                var output = new ArrayBufferWriter<byte>();
                foreach (FeedRoute route in _routes.Values)
                {
                    Encode(route, output);
                }

                Send(output);
            }
        }
    }

    private void SendKeepalive()
    {
        lock (_gate)
        {
            var output = new ArrayBufferWriter<byte>();
            output.Write(Keepalive());
            Send(output);
        }
    }

    private void Send(ArrayBufferWriter<byte> octets)
    {
        try
        {
            if (octets.WrittenCount > 0)
            {
                _established?.Send(octets.WrittenSpan);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The reader finds the session ended and begins anew, with all routes.
        }
    }

    private void Encode(FeedRoute route, ArrayBufferWriter<byte> output) =>
        UpdateEncoder.Announce(route.Prefix.Family, route.Attributes(_addresses), [new Nlri(route.Prefix)], Codec, output);

    private byte[] Open()
    {
        uint local = FeedRoute.ProviderAs(_provider);
        var open = new OpenMessage
        {
            MyAs = (ushort)local,
            HoldTime = HoldTime,
            RouterId = IpAddr.Parse(_addresses.Provider4(_provider)).IPv4Value,
            Capabilities =
            [
                BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast),
                BgpCapability.RouteRefresh, BgpCapability.FourOctetAs(local),
            ],
        };
        var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        open.Encode(ref writer);
        return writer.Written.ToArray();
    }

    private static byte[] Keepalive()
    {
        var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        KeepaliveMessage.Encode(ref writer);
        return writer.Written.ToArray();
    }
}
