using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>What the scripted router received.</summary>
internal sealed record Received(BgpMessageType Type, byte[] Body)
{
    public NotificationMessage Notification => NotificationMessage.Decode(Body);

    public OpenMessage Open
    {
        get
        {
            Assert.Null(OpenMessage.Decode(Body, out OpenMessage? open));
            return open!;
        }
    }

    public UpdateMessage Update
    {
        get
        {
            var update = new UpdateMessage();
            Assert.Equal(ErrorAction.None, UpdateDecoder.Decode(Body, new() { FourOctetAs = true }, update));
            return update;
        }
    }
}

/// <summary>One TCP connection of the router's side, driven message by message by a test. Keepalives are answered in the background once asked for.</summary>
internal sealed class ScriptedRouter : IAsyncDisposable
{
    public const uint As = 65000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Socket _socket;
    private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private Task _keeping = Task.CompletedTask;

    private volatile TaskCompletionSource? _pause;

    private ScriptedRouter(Socket socket)
    {
        _socket = socket;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Reads nothing more after what it is about to read, until <see cref="Resume"/>.</summary>
    public void Pause() => _pause = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume()
    {
        TaskCompletionSource? pause = _pause;
        _pause = null;
        pause?.TrySetResult();
    }

    /// <summary>How the speaker's messages are framed.</summary>
    public BgpCodecOptions ReceiveOptions { get; set; }

    public static BgpCodecOptions Codec { get; } = new() { FourOctetAs = true, AddPathIPv4 = true, AddPathIPv6 = true };

    public static Socket Listen(out int port, IPAddress? address = null)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address ?? IPAddress.Loopback, 0));
        listener.Listen(16);
        port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        return listener;
    }

    public static async Task<ScriptedRouter> AcceptAsync(Socket listener)
    {
        using var patience = new CancellationTokenSource(Patience);
        return new(await listener.AcceptAsync(patience.Token));
    }

    public static async Task<ScriptedRouter> ConnectAsync(IPEndPoint speaker, IPAddress? from = null, Action<Socket>? prepare = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        prepare?.Invoke(socket);
        socket.Bind(new IPEndPoint(from ?? IPAddress.Loopback, 0));
        await socket.ConnectAsync(speaker);
        return new(socket);
    }

    /// <summary>Little room for what is not read: small segments keep the other side's send buffer small too.</summary>
    public static void MakeNarrow(Socket socket)
    {
        const int ProtocolTcp = 6;
        const int OptionMaxSegment = 2;
        socket.ReceiveBufferSize = 4096;
        socket.SetRawSocketOption(ProtocolTcp, OptionMaxSegment, BitConverter.GetBytes(536));
    }

    public static Socket NewNarrow()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        MakeNarrow(socket);
        return socket;
    }

    public static OpenMessage OpenOf(ushort holdTime = 90, uint routerId = 0x0A000001, bool addPath = true, uint asNumber = As, params BgpCapability[] more) => new()
    {
        MyAs = (ushort)asNumber,
        HoldTime = holdTime,
        RouterId = routerId,
        Capabilities =
        [
            BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast), BgpCapability.RouteRefresh,
            BgpCapability.FourOctetAs(asNumber),
            .. addPath
                ? new[] { BgpCapability.AddPath(new AddPathEntry(AfiSafi.IPv4Unicast, AddPathMode.Both), new AddPathEntry(AfiSafi.IPv6Unicast, AddPathMode.Send)) }
                : [],
            .. more,
        ],
    };

    public static PathAttributes Via(string nextHop, uint provider, uint? localPref = 100, params uint[] communities) => new()
    {
        NextHop = new(IpAddr.Parse(nextHop)),
        AsPath = AsPath.Sequence(provider, 64999),
        LocalPref = localPref,
        Communities = [.. communities],
    };

    /// <summary>Answers OPEN and KEEPALIVE until the session stands, and keeps it alive.</summary>
    public async Task<OpenMessage> EstablishAsync(OpenMessage? open = null, bool keepAlive = true)
    {
        OpenMessage theirs = (await ExpectAsync(BgpMessageType.Open)).Open;
        Send((open ?? OpenOf()).Encode);
        await ExpectAsync(BgpMessageType.Keepalive);
        Send(KeepaliveMessage.Encode);
        if (keepAlive)
        {
            _keeping = Task.Run(KeepAliveAsync);
        }

        return theirs;
    }

    public delegate void Encoder(ref BgpWriter writer);

    public void Send(Encoder encode)
    {
        var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        encode(ref writer);
        Assert.False(writer.Overflowed);
        SendRaw(writer.Written.ToArray());
    }

    public void SendRaw(byte[] bytes) => _socket.Send(bytes);

    public void Announce(PathAttributes attributes, uint pathId, params string[] prefixes) => Announce(Codec, attributes, pathId, prefixes);

    public void Announce(BgpCodecOptions codec, PathAttributes attributes, uint pathId, params string[] prefixes)
    {
        var output = new ArrayBufferWriter<byte>();
        Nlri[] nlri = [.. prefixes.Select(p => new Nlri(IpPrefix.Parse(p), pathId))];
        Assert.True(UpdateEncoder.Announce(nlri[0].Prefix.Family, attributes, nlri, codec, output) > 0);
        SendRaw(output.WrittenSpan.ToArray());
    }

    public void Withdraw(uint pathId, params string[] prefixes) => Withdraw(Codec, pathId, prefixes);

    public void Withdraw(BgpCodecOptions codec, params string[] prefixes) => Withdraw(codec, 0, prefixes);

    private void Withdraw(BgpCodecOptions codec, uint pathId, string[] prefixes)
    {
        var output = new ArrayBufferWriter<byte>();
        Nlri[] nlri = [.. prefixes.Select(p => new Nlri(IpPrefix.Parse(p), pathId))];
        UpdateEncoder.Withdraw(nlri[0].Prefix.Family, nlri, codec, output);
        SendRaw(output.WrittenSpan.ToArray());
    }

    public void SendEndOfRib()
    {
        Send((ref BgpWriter w) => UpdateEncoder.EndOfRib(ref w, AfiSafi.IPv4Unicast));
        Send((ref BgpWriter w) => UpdateEncoder.EndOfRib(ref w, AfiSafi.IPv6Unicast));
    }

    /// <summary>The next message that is no KEEPALIVE, or the next KEEPALIVE if that is what is expected.</summary>
    public async Task<Received> ExpectAsync(BgpMessageType type)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Received message = await _received.Reader.ReadAsync(patience.Token);
            if (message.Type == type)
            {
                return message;
            }

            Assert.Equal(BgpMessageType.Keepalive, message.Type);
        }
    }

    /// <summary>Waits for the speaker to close, taking whatever comes before.</summary>
    public async Task<List<Received>> ExpectCloseAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var messages = new List<Received>();
        await foreach (Received message in _received.Reader.ReadAllAsync(patience.Token))
        {
            messages.Add(message);
        }

        return messages;
    }

    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Resume();
        _socket.Dispose();
        await Task.WhenAll(_reading, _keeping);
        _stop.Dispose();
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[65536];
        int filled = 0;
        try
        {
            while (await _socket.ReceiveAsync(buffer.AsMemory(filled), _stop.Token) is > 0 and int read)
            {
                filled += read;
                int used = 0;
                while (BgpFramer.TryReadHeader(buffer.AsSpan(used, filled - used), ReceiveOptions, out BgpMessageType type, out int length, out BgpError? error))
                {
                    Assert.Null(error);
                    _received.Writer.TryWrite(new(type, buffer[(used + BgpConstants.HeaderLength)..(used + length)]));
                    used += length;
                }

                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
                if (_pause is { } pause)
                {
                    await pause.Task;
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            _received.Writer.TryComplete();
            return;
        }

        _received.Writer.TryComplete();
    }

    private async Task KeepAliveAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(500, _stop.Token);
                Send(KeepaliveMessage.Encode);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            return;
        }
    }
}
