using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Bmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>A running station.</summary>
internal sealed class StationRun : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private StationRun(IBmpListener listener, BmpRouterOptions[] routers)
    {
        Station = new(
            new() { Routers = routers, Listen = [new(IPAddress.Loopback, 0)] }, listener, Time, NullLoggerFactory.Instance);
        Listener = listener as RecordingListener ?? new();
    }

    public BmpStation Station { get; }

    public RecordingListener Listener { get; }

    public ShiftedClock Time { get; } = new();

    public static Task<StationRun> StartAsync(params BmpRouterOptions[] routers) => StartAsync(new RecordingListener(), routers);

    public static async Task<StationRun> StartAsync(IBmpListener listener, params BmpRouterOptions[] routers)
    {
        var run = new StationRun(listener, routers);
        await run.Station.StartAsync(CancellationToken.None);
        return run;
    }

    public async Task<Socket> ConnectAsync(IPAddress from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(Station.ListeningOn[0]);
        return socket;
    }

    /// <summary>Octets received; 0 when the other side closed or reset the connection.</summary>
    public static async Task<int> ReceiveAsync(Socket socket)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            return await socket.ReceiveAsync(new byte[1], patience.Token);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    public async Task UntilAsync(Func<bool> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                Assert.Fail("not within the limit; calls so far:\n" + string.Join('\n', Listener.Events.TakeLast(20)) + "\nlast error: " + Station.GetRouters()[0].LastError);
            }

            await Task.Delay(10);
        }
    }

    public ValueTask DisposeAsync() => Station.DisposeAsync();
}

/// <summary>The system's clock, put forward at will.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    private TimeSpan _shift;

    public void Advance(TimeSpan by) => _shift += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _shift;
}
