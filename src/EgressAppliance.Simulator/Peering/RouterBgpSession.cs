using System.Buffers;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Simulator.Routing;

namespace EgressAppliance.Simulator.Peering;

/// <summary>
/// One connection of <see cref="RouterBgpServer"/>, from OPEN to its end. A reading loop handles messages; a writing loop sends KEEPALIVEs and what
/// <see cref="PathOutbox"/> has gathered. The first loop that ends, or the hold timer, ends the session.
/// </summary>
internal sealed class RouterBgpSession
{
    private readonly SimulatedRouter _router;
    private readonly RouterBgpOptions _options;
    private readonly TimeProvider _time;
    private readonly Socket _socket;
    private readonly Action _established;
    private readonly UpdateMessage _update = new();
    private readonly byte[] _buffer = new byte[2 * BgpConstants.MaxExtendedMessageLength];
    private readonly IpAddr _peerAddress;
    private int _buffered;
    private BgpCodecOptions _receive;
    private OpenMessage? _peerOpen;

    public RouterBgpSession(SimulatedRouter router, RouterBgpOptions options, TimeProvider time, Socket socket, Action established)
    {
        (_router, _options, _time, _socket, _established) = (router, options, time, socket, established);
        _peerAddress = IpAddr.From(((IPEndPoint)socket.RemoteEndPoint!).Address);
    }

    /// <summary>One NOTIFICATION as octets.</summary>
    public static byte[] Encode(NotificationMessage message)
    {
        BgpWriter writer = new(new byte[BgpConstants.MaxMessageLength]);
        message.Encode(ref writer);
        return writer.Written.ToArray();
    }

    /// <summary>Runs to the end and says why it ended.</summary>
    public async Task<string> RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            await SendAsync(EncodeOpen(), end.Token).ConfigureAwait(false);
            TimeSpan hold = await HandshakeAsync(end).ConfigureAwait(false);
            await ExchangeAsync(hold, end).ConfigureAwait(false);
            return "ended";
        }
        catch (SessionEndException e)
        {
            await NotifyAsync(e.Notification).ConfigureAwait(false);
            return e.Message;
        }
        catch (OperationCanceledException)
        {
            bool shutdown = stop.IsCancellationRequested;
            await NotifyAsync(shutdown ? NotificationMessage.Cease(CeaseSubcode.Shutdown) : new(BgpErrorCode.HoldTimer, 0)).ConfigureAwait(false);
            return shutdown ? "the router was shut down" : "the peer did not answer, or could not be sent to";
        }
        catch (SocketException e)
        {
            return e.Message;
        }
    }

    /// <summary>OPEN and the first KEEPALIVE of the peer; returns the hold time in force.</summary>
    private async Task<TimeSpan> HandshakeAsync(CancellationTokenSource end)
    {
        using ITimer patience = _time.CreateTimer(static s => Cancel(s), end, TimeSpan.FromMinutes(4), Timeout.InfiniteTimeSpan); // RFC 4271 section 8.2.2
        (BgpMessageType type, int length) = await ReadMessageAsync(end.Token).ConfigureAwait(false);
        if (type != BgpMessageType.Open)
        {
            throw Unexpected(type, length, FsmSubcode.OpenSent);
        }

        BgpError? error = OpenMessage.Decode(_buffer.AsSpan(BgpConstants.HeaderLength, length - BgpConstants.HeaderLength), out _peerOpen);
        Consume(length);
        if (error is not null)
        {
            throw new SessionEndException(error);
        }

        if (_peerOpen!.AsNumber != _router.LocalAs)
        {
            throw new SessionEndException(
                new NotificationMessage(BgpErrorCode.Open, OpenSubcode.PeerAs), $"the peer is in AS {_peerOpen.AsNumber}, not {_router.LocalAs}");
        }

        _receive = new() { FourOctetAs = _peerOpen.FourOctetAs is not null };
        await SendAsync(EncodeKeepalive(), end.Token).ConfigureAwait(false);
        (type, length) = await ReadMessageAsync(end.Token).ConfigureAwait(false);
        if (type != BgpMessageType.Keepalive)
        {
            throw Unexpected(type, length, FsmSubcode.OpenConfirm);
        }

        Consume(length);
        return TimeSpan.FromSeconds(Math.Min(_peerOpen.HoldTime, _options.HoldTime.TotalSeconds));
    }

    private async Task ExchangeAsync(TimeSpan hold, CancellationTokenSource end)
    {
        using PathOutbox outbox = new(_router, SendOptions(), _options.Families.Where(f => _peerOpen!.Families.Contains(AfiSafi.Of(f))));
        _established();
        bool expired = false;
        using ITimer holdTimer = _time.CreateTimer(
            _ =>
            {
                expired = true;
                Cancel(end);
            }, null, hold == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : hold, Timeout.InfiniteTimeSpan);
        Task writing = WriteLoopAsync(outbox, hold, end);
        try
        {
            await ReadLoopAsync(outbox, hold, holdTimer, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (expired)
        {
            throw new SessionEndException(new NotificationMessage(BgpErrorCode.HoldTimer, 0), "the hold timer expired");
        }
        finally
        {
            Cancel(end);
            await writing.ConfigureAwait(false);
        }
    }

    private BgpCodecOptions SendOptions() => new()
    {
        FourOctetAs = _peerOpen!.FourOctetAs is not null,
        AddPathIPv4 = _options.AddPath && _peerOpen.AddPath(AfiSafi.IPv4Unicast).HasFlag(AddPathMode.Receive),
        AddPathIPv6 = _options.AddPath && _peerOpen.AddPath(AfiSafi.IPv6Unicast).HasFlag(AddPathMode.Receive),
    };

    private async Task WriteLoopAsync(PathOutbox outbox, TimeSpan hold, CancellationTokenSource end)
    {
        TimeSpan keepalive = hold == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : hold / 3;
        try
        {
            bool initial = true;
            while (true)
            {
                foreach (ReadOnlyMemory<byte> chunk in outbox.Take())
                {
                    await SendAsync(chunk, end.Token).ConfigureAwait(false);
                }

                if (initial)
                {
                    initial = false;
                    await SendEndOfRibAsync(end.Token).ConfigureAwait(false);
                }

                if (!await outbox.WaitAsync(keepalive, _time, end.Token).ConfigureAwait(false))
                {
                    await SendAsync(EncodeKeepalive(), end.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return;
        }
        catch (SocketException)
        {
            Cancel(end); // the reading loop meets the same error, or ends here
        }
    }

    private async Task ReadLoopAsync(PathOutbox outbox, TimeSpan hold, ITimer holdTimer, CancellationToken cancel)
    {
        while (true)
        {
            (BgpMessageType type, int length) = await ReadMessageAsync(cancel).ConfigureAwait(false);
            holdTimer.Change(hold == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : hold, Timeout.InfiniteTimeSpan);
            ReadOnlySpan<byte> body = _buffer.AsSpan(BgpConstants.HeaderLength, length - BgpConstants.HeaderLength);
            switch (type)
            {
                case BgpMessageType.Update:
                    TakeUpdate(body);
                    break;
                case BgpMessageType.RouteRefresh:
                    outbox.SendAgain();
                    break;
                case BgpMessageType.Keepalive:
                    break;
                default:
                    throw Unexpected(type, length, FsmSubcode.Established);
            }

            Consume(length);
        }
    }

    private void TakeUpdate(ReadOnlySpan<byte> body)
    {
        ErrorAction action = UpdateDecoder.Decode(body, _receive, _update);
        if (action == ErrorAction.SessionReset)
        {
            throw new SessionEndException(_update.Errors[^1]);
        }

        foreach (Nlri nlri in _update.Withdrawn.Concat(_update.MpUnreach))
        {
            _router.WithdrawOverride(nlri.Prefix);
        }

        bool asWithdraw = action == ErrorAction.TreatAsWithdraw; // RFC 7606 section 2
        foreach (Nlri nlri in _update.Announced)
        {
            Take(nlri.Prefix, asWithdraw ? null : _update.Attributes?.NextHop);
        }

        foreach (Nlri nlri in _update.MpReach)
        {
            Take(nlri.Prefix, asWithdraw ? null : _update.MpNextHop);
        }
    }

    private void Take(IpPrefix prefix, NextHop? nextHop)
    {
        if (nextHop is not { } hop || _update.Attributes is not { } attributes)
        {
            _router.WithdrawOverride(prefix);
            return;
        }

        _router.InstallOverride(prefix, new()
        {
            NextHop = hop.Address,
            AsPath = [.. attributes.AsPath.Segments.SelectMany(s => s.Numbers)],
            AsPathLength = attributes.AsPath.Length,
            Origin = attributes.Origin,
            Med = attributes.Med,
            LocalPref = attributes.LocalPref ?? SimulatedRoute.DefaultLocalPref,
            IsExternal = false,
            RouterId = _peerOpen!.RouterId,
            PeerAddress = _peerAddress,
            Communities = attributes.Communities,
        });
    }

    private async Task<(BgpMessageType Type, int Length)> ReadMessageAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (_buffered > 0
                && BgpFramer.TryReadHeader(_buffer.AsSpan(0, _buffered), _receive, out BgpMessageType type, out int length, out BgpError? error))
            {
                return error is null ? (type, length) : throw new SessionEndException(error);
            }

            int read = await _socket.ReceiveAsync(_buffer.AsMemory(_buffered), cancel).ConfigureAwait(false);
            if (read == 0)
            {
                throw new SessionEndException(null, "the peer closed the connection");
            }

            _buffered += read;
        }
    }

    private void Consume(int length)
    {
        _buffer.AsSpan(length, _buffered - length).CopyTo(_buffer);
        _buffered -= length;
    }

    private SessionEndException Unexpected(BgpMessageType type, int length, byte subcode) =>
        type == BgpMessageType.Notification
            ? new(null, $"the peer sent {NotificationMessage.Decode(_buffer.AsSpan(BgpConstants.HeaderLength, length - BgpConstants.HeaderLength))}")
            : new(new NotificationMessage(BgpErrorCode.Fsm, subcode), $"{type} came where it must not");

    private byte[] EncodeOpen()
    {
        List<BgpCapability> capabilities = [.. _options.Families.Select(f => BgpCapability.Multiprotocol(AfiSafi.Of(f)))];
        capabilities.Add(BgpCapability.RouteRefresh);
        capabilities.Add(BgpCapability.FourOctetAs(_router.LocalAs));
        if (_options.AddPath)
        {
            capabilities.Add(BgpCapability.AddPath([.. _options.Families.Select(f => new AddPathEntry(AfiSafi.Of(f), AddPathMode.Send))]));
        }

        BgpWriter writer = new(new byte[BgpConstants.MaxMessageLength]);
        new OpenMessage
        {
            MyAs = _router.LocalAs <= ushort.MaxValue ? (ushort)_router.LocalAs : BgpConstants.AsTrans,
            HoldTime = (ushort)_options.HoldTime.TotalSeconds,
            RouterId = _router.RouterId,
            Capabilities = capabilities,
        }.Encode(ref writer);
        return writer.Written.ToArray();
    }

    private static byte[] EncodeKeepalive()
    {
        BgpWriter writer = new(new byte[BgpConstants.HeaderLength]);
        writer.EndMessage(writer.BeginMessage(BgpMessageType.Keepalive));
        return writer.Written.ToArray();
    }

    private async Task SendEndOfRibAsync(CancellationToken cancel)
    {
        foreach (IpFamily family in _options.Families.Where(f => _peerOpen!.Families.Contains(AfiSafi.Of(f))))
        {
            if (_options.EndOfRib == EndOfRibMode.Always || OffersGracefulRestart(family))
            {
                BgpWriter writer = new(new byte[64]);
                UpdateEncoder.EndOfRib(ref writer, AfiSafi.Of(family));
                await SendAsync(writer.Written.ToArray(), cancel).ConfigureAwait(false);
            }
        }
    }

    private bool OffersGracefulRestart(IpFamily family)
    {
        foreach (BgpCapability capability in _peerOpen!.Capabilities)
        {
            ReadOnlySpan<byte> value = capability.Value;
            for (int i = 2; capability.Code == BgpCapability.GracefulRestartCode && i + 4 <= value.Length; i += 4)
            {
                if (new AfiSafi((ushort)(value[i] << 8 | value[i + 1]), value[i + 2]) == AfiSafi.Of(family))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private async Task NotifyAsync(NotificationMessage? message)
    {
        if (message is null)
        {
            return;
        }

        try
        {
            await _socket.SendAsync(Encode(message)).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            return; // the peer is gone already; the reason is reported anyway
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        while (!octets.IsEmpty)
        {
            octets = octets[await _socket.SendAsync(octets, cancel).ConfigureAwait(false)..];
        }
    }

    private static void Cancel(object? source)
    {
        try
        {
            ((CancellationTokenSource)source!).Cancel();
        }
        catch (ObjectDisposedException)
        {
            return; // a timer that fired while the session was ending
        }
    }

    private sealed class SessionEndException(NotificationMessage? notification, string reason) : Exception(reason)
    {
        public SessionEndException(BgpError error)
            : this(error.ToNotification(), error.Text)
        {
        }

        public NotificationMessage? Notification { get; } = notification;
    }
}
