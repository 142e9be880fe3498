using System.Buffers;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Simulator;

/// <summary>The appliance's end of a BGP session, played step by step by a test.</summary>
internal sealed class ScriptedSpeaker : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _buffer = new byte[1 << 17];
    private int _buffered;

    private ScriptedSpeaker()
    {
    }

    /// <summary>What was negotiated for messages from the router.</summary>
    public BgpCodecOptions Receive { get; private set; } = new() { FourOctetAs = true };

    /// <summary>The router's OPEN.</summary>
    public OpenMessage? RouterOpen { get; private set; }

    /// <summary>Routes received, by prefix and path identifier.</summary>
    public Dictionary<Nlri, PathAttributes> Routes { get; } = [];

    /// <summary>Families for which End-of-RIB came.</summary>
    public HashSet<AfiSafi> EndOfRib { get; } = [];

    public static async Task<ScriptedSpeaker> ConnectAsync(IPEndPoint router)
    {
        ScriptedSpeaker speaker = new();
        await speaker._socket.ConnectAsync(router);
        return speaker;
    }

    /// <summary>OPEN and KEEPALIVE both ways.</summary>
    public async Task EstablishAsync(
        uint asNumber = 65000, bool addPath = true, ushort holdTime = 9, params BgpCapability[] more)
    {
        List<BgpCapability> capabilities =
        [
            BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast), BgpCapability.FourOctetAs(asNumber), .. more,
        ];
        if (addPath)
        {
            capabilities.Add(BgpCapability.AddPath(
                new AddPathEntry(AfiSafi.IPv4Unicast, AddPathMode.Receive), new AddPathEntry(AfiSafi.IPv6Unicast, AddPathMode.Receive)));
            Receive = Receive with { AddPathIPv4 = true, AddPathIPv6 = true };
        }

        OpenMessage open = new() { MyAs = (ushort)asNumber, HoldTime = holdTime, RouterId = 0xC0000202, Capabilities = capabilities };
        await SendAsync((ref BgpWriter w) => open.Encode(ref w));
        (BgpMessageType type, byte[] body) = await ReadAsync();
        Assert.Equal(BgpMessageType.Open, type);
        Assert.Null(OpenMessage.Decode(body, out OpenMessage? routerOpen));
        RouterOpen = routerOpen;
        await KeepaliveAsync();
    }

    public Task KeepaliveAsync() => SendAsync(static (ref BgpWriter w) => w.EndMessage(w.BeginMessage(BgpMessageType.Keepalive)));

    public async Task AnnounceAsync(IpPrefix prefix, IpAddr nextHop, uint localPref, params uint[] asPath)
    {
        PathAttributes attributes = new() { NextHop = new(nextHop), LocalPref = localPref, AsPath = AsPath.Sequence(asPath) };
        ArrayBufferWriter<byte> output = new();
        Assert.Equal(1, UpdateEncoder.Announce(prefix.Family, attributes, [new Nlri(prefix)], new() { FourOctetAs = true }, output));
        await _socket.SendAsync(output.WrittenMemory);
    }

    public async Task WithdrawAsync(IpPrefix prefix)
    {
        ArrayBufferWriter<byte> output = new();
        UpdateEncoder.Withdraw(prefix.Family, [new Nlri(prefix)], new() { FourOctetAs = true }, output);
        await _socket.SendAsync(output.WrittenMemory);
    }

    public Task SendAsync(NotificationMessage message) => SendAsync((ref BgpWriter w) => message.Encode(ref w));

    public async Task SendBytesAsync(byte[] octets) => await _socket.SendAsync(octets);

    /// <summary>Follows the router's UPDATEs until a condition holds.</summary>
    public async Task FollowUntilAsync(Func<bool> condition)
    {
        UpdateMessage update = new();
        while (!condition())
        {
            (BgpMessageType type, byte[] body) = await ReadAsync();
            if (type != BgpMessageType.Update)
            {
                Assert.Equal(BgpMessageType.Keepalive, type);
                continue;
            }

            Assert.Equal(ErrorAction.None, UpdateDecoder.Decode(body, Receive, update));
            foreach (Nlri nlri in update.Withdrawn.Concat(update.MpUnreach))
            {
                Assert.True(Routes.Remove(nlri), $"{nlri} was not announced");
            }

            update.Announced.ForEach(n => Routes[n] = update.Attributes!);
            update.MpReach.ForEach(n => Routes[n] = update.Attributes!.WithNextHop(update.MpNextHop));
            if (update.EndOfRib is { } family)
            {
                EndOfRib.Add(family);
            }
        }
    }

    /// <summary>The next message that is a NOTIFICATION.</summary>
    public async Task<NotificationMessage> ReadNotificationAsync()
    {
        while (true)
        {
            (BgpMessageType type, byte[] body) = await ReadAsync();
            if (type == BgpMessageType.Notification)
            {
                return NotificationMessage.Decode(body);
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<(BgpMessageType Type, byte[] Body)> ReadAsync()
    {
        using CancellationTokenSource late = new(Patience);
        while (true)
        {
            if (_buffered > 0 && BgpFramer.TryReadHeader(_buffer.AsSpan(0, _buffered), Receive, out BgpMessageType type, out int length, out BgpError? error))
            {
                Assert.Null(error);
                byte[] body = _buffer[19..length];
                _buffer.AsSpan(length, _buffered - length).CopyTo(_buffer);
                _buffered -= length;
                return (type, body);
            }

            int read = await _socket.ReceiveAsync(_buffer.AsMemory(_buffered), late.Token);
            Assert.True(read > 0, "the router closed the connection");
            _buffered += read;
        }
    }

    private delegate void Writing(ref BgpWriter writer);

    private async Task SendAsync(Writing write)
    {
        await _socket.SendAsync(Written());

        byte[] Written()
        {
            BgpWriter writer = new(new byte[4096]);
            write(ref writer);
            return writer.Written.ToArray();
        }
    }
}
