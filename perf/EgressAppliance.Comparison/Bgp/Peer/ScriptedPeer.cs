using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Bgp.Peer;

/// <summary>What a scripted peer says of itself.</summary>
/// <param name="As">Its AS, 4 octets.</param>
/// <param name="RouterId">Its BGP identifier.</param>
/// <param name="HoldTime">Hold time it proposes, seconds.</param>
/// <param name="AddPath">It offers to send several paths of a prefix.</param>
internal sealed record PeerIdentity(uint As, uint RouterId, ushort HoldTime, bool AddPath);

/// <summary>
/// A router as a speaker sees it, with no table behind it: it opens the session, sends octets made before, keeps the session alive and notes when messages come in.
/// Sending is a loop over large reads and writes, so that a speaker that is measured never waits for it.
/// </summary>
internal sealed class ScriptedPeer : IDisposable
{
    private const int Chunk = 1 << 20;
    private static readonly byte[] Keepalive = [.. Enumerable.Repeat((byte)0xFF, 16), 0, 19, 4];
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(20);
    private readonly Socket _socket;
    private readonly Lock _sending = new();
    private readonly Lock _noting = new();
    private readonly List<long> _keepalives = [];
    private readonly byte[] _input = new byte[256 * 1024];
    private readonly Timer? _timer;
    private readonly Thread _reader;
    private int _filled;
    private volatile bool _closed;

    private ScriptedPeer(Socket socket, PeerIdentity identity)
    {
        _socket = socket;
        socket.NoDelay = true;
        socket.ReceiveTimeout = (int)OpenTimeout.TotalMilliseconds;
        Span<byte> open = stackalloc byte[BgpConstants.MaxMessageLength];
        BgpWriter writer = new(open);
        MakeOpen(identity).Encode(ref writer);
        Send(writer.Written);
        Theirs = ReadOpen();
        HoldTime = TimeSpan.FromSeconds(Math.Min(identity.HoldTime, Theirs.HoldTime));
        Send(Keepalive);
        (BgpMessageType type, ReadOnlyMemory<byte> body) = ReadMessage();
        if (type != BgpMessageType.Keepalive)
        {
            throw Unexpected(type, body.Span);
        }

        Established = Stopwatch.GetTimestamp();
        socket.ReceiveTimeout = 0;
        if (HoldTime > TimeSpan.Zero)
        {
            TimeSpan interval = HoldTime / 3;
            _timer = new(_ => TryKeepalive(), null, interval, interval);
        }

        _reader = new Thread(Read) { IsBackground = true, Name = "peer" };
    }

    /// <summary>Told of every UPDATE that comes in, on the reading thread, with the time at which the octets were read. The message is valid during the call only.</summary>
    public event Action<UpdateMessage, long>? UpdateReceived;

    /// <summary>The other side's OPEN.</summary>
    public OpenMessage Theirs { get; }

    /// <summary>Agreed hold time.</summary>
    public TimeSpan HoldTime { get; }

    /// <summary>When the first KEEPALIVE came (<see cref="Stopwatch"/> ticks).</summary>
    public long Established { get; }

    /// <summary>Why the session ended, if the other side ended it.</summary>
    public string? Ended { get; private set; }

    /// <summary>When each KEEPALIVE came, the one that answered OPEN not counted.</summary>
    public long[] Keepalives
    {
        get
        {
            lock (_noting)
            {
                return [.. _keepalives];
            }
        }
    }

    /// <summary>Connects, and opens the session.</summary>
    /// <param name="local">Address to connect from.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="identity">What to say in OPEN.</param>
    /// <exception cref="ComparisonException">There is no session within 20 s.</exception>
    public static ScriptedPeer Connect(IPAddress local, IPEndPoint remote, PeerIdentity identity)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            Socket socket = new(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(local, 0));
                socket.Connect(remote);
                return Open(socket, identity);
            }
            catch (Exception e) when (e is SocketException or ComparisonException)
            {
                // A daemon that is still starting, or still busy with the end of the last session, refuses.
                socket.Dispose();
                if (Stopwatch.GetElapsedTime(start) > OpenTimeout)
                {
                    throw new ComparisonException($"no session with {remote}: {e.Message}");
                }

                Thread.Sleep(20);
            }
        }
    }

    /// <summary>Waits for a connection, and opens the session.</summary>
    public static ScriptedPeer Accept(IPEndPoint local, PeerIdentity identity)
    {
        using Socket listener = new(local.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(local);
        listener.Listen(1);
        return Open(listener.Accept(), identity);
    }

    /// <summary>Sends a file of whole messages, then End-of-RIB of both families, as fast as the other side takes them.</summary>
    /// <returns>How long it took until the kernel had all of it.</returns>
    public TimeSpan SendTable(string path)
    {
        long start = Stopwatch.GetTimestamp();

        // No KEEPALIVE may come between the halves of a message, and none is due: every UPDATE restarts the other side's hold timer.
        lock (_sending)
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            byte[] buffer = GC.AllocateUninitializedArray<byte>(Chunk);
            for (int read; (read = file.Read(buffer)) > 0;)
            {
                SendAll(buffer.AsSpan(0, read));
            }

            Span<byte> ends = stackalloc byte[100];
            BgpWriter writer = new(ends);
            UpdateEncoder.EndOfRib(ref writer, AfiSafi.IPv4Unicast);
            UpdateEncoder.EndOfRib(ref writer, AfiSafi.IPv6Unicast);
            SendAll(writer.Written);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Sends whole messages.</summary>
    public void Send(ReadOnlySpan<byte> messages)
    {
        lock (_sending)
        {
            SendAll(messages);
        }
    }

    /// <summary>Drops the TCP connection.</summary>
    public void Dispose()
    {
        _closed = true;
        _timer?.Dispose();
        _socket.Dispose();
        if (_reader.IsAlive)
        {
            _reader.Join();
        }
    }

    private static ScriptedPeer Open(Socket socket, PeerIdentity identity)
    {
        ScriptedPeer peer = new(socket, identity);
        peer._reader.Start();
        return peer;
    }

    private static OpenMessage MakeOpen(PeerIdentity identity)
    {
        List<BgpCapability> capabilities =
        [
            BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast),
            BgpCapability.RouteRefresh, BgpCapability.FourOctetAs(identity.As),
        ];
        if (identity.AddPath)
        {
            capabilities.Add(BgpCapability.AddPath(new(AfiSafi.IPv4Unicast, AddPathMode.Send), new(AfiSafi.IPv6Unicast, AddPathMode.Send)));
        }

        return new()
        {
            MyAs = identity.As > ushort.MaxValue ? BgpConstants.AsTrans : (ushort)identity.As,
            HoldTime = identity.HoldTime,
            RouterId = identity.RouterId,
            Capabilities = capabilities,
        };
    }

    private static ComparisonException Unexpected(BgpMessageType type, ReadOnlySpan<byte> body) => new(
        type == BgpMessageType.Notification ? "the speaker answered with " + NotificationMessage.Decode(body) : $"the speaker answered OPEN with {type}");

    private OpenMessage ReadOpen()
    {
        (BgpMessageType type, ReadOnlyMemory<byte> body) = ReadMessage();
        return type == BgpMessageType.Open && OpenMessage.Decode(body.Span, out OpenMessage? open) is null ? open! : throw Unexpected(type, body.Span);
    }

    /// <summary>The next message, read as part of the handshake.</summary>
    private (BgpMessageType Type, ReadOnlyMemory<byte> Body) ReadMessage()
    {
        while (true)
        {
            if (BgpFramer.TryReadHeader(_input.AsSpan(0, _filled), default, out BgpMessageType type, out int length, out BgpError? error))
            {
                if (error is not null)
                {
                    throw new ComparisonException("the speaker sent a bad header: " + error.Text);
                }

                byte[] body = _input[BgpConstants.HeaderLength..length];
                _input.AsSpan(length, _filled - length).CopyTo(_input);
                _filled -= length;
                return (type, body);
            }

            int read = _socket.Receive(_input.AsSpan(_filled));
            _filled += read > 0 ? read : throw new ComparisonException("the speaker closed the connection");
        }
    }

    private void Read()
    {
        UpdateMessage update = new();
        BgpCodecOptions options = new() { FourOctetAs = true };
        try
        {
            while (true)
            {
                int used = 0;
                long now = Stopwatch.GetTimestamp();
                while (BgpFramer.TryReadHeader(_input.AsSpan(used, _filled - used), options, out BgpMessageType type, out int length, out BgpError? error) && error is null)
                {
                    Take(type, _input.AsSpan(used + BgpConstants.HeaderLength, length - BgpConstants.HeaderLength), now, update, options);
                    used += length;
                }

                _input.AsSpan(used, _filled - used).CopyTo(_input);
                _filled -= used;
                int read = _socket.Receive(_input.AsSpan(_filled));
                if (read == 0)
                {
                    Ended ??= "the speaker closed the connection";
                    return;
                }

                _filled += read;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Ended ??= _closed ? null : e.Message;
        }
    }

    private void Take(BgpMessageType type, ReadOnlySpan<byte> body, long now, UpdateMessage update, in BgpCodecOptions options)
    {
        switch (type)
        {
            case BgpMessageType.Keepalive:
                lock (_noting)
                {
                    _keepalives.Add(now);
                }

                break;
            case BgpMessageType.Update when UpdateReceived is { } handler:
                update.Clear();
                UpdateDecoder.Decode(body, options, update);
                handler(update, now);
                break;
            case BgpMessageType.Notification:
                Ended = NotificationMessage.Decode(body).ToString();
                break;
            default:
                break;
        }
    }

    private void TryKeepalive()
    {
        if (_sending.TryEnter())
        {
            try
            {
                SendAll(Keepalive);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The reading thread tells why.
            }
            finally
            {
                _sending.Exit();
            }
        }
    }

    private void SendAll(ReadOnlySpan<byte> octets)
    {
        try
        {
            while (!octets.IsEmpty)
            {
                octets = octets[_socket.Send(octets)..];
            }
        }
        catch (SocketException e) when (!_closed)
        {
            _reader?.Join(TimeSpan.FromSeconds(1));
            throw new ComparisonException($"the session ended while sending: {Ended ?? e.Message}");
        }
    }
}
