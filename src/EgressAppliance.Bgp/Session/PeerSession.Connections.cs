using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <content>TCP connections: made, taken, refused, let go.</content>
internal sealed partial class PeerSession
{
    /// <summary>Takes a TCP connection from this router's address.</summary>
    public void Accept(Socket socket)
    {
        lock (_gate)
        {
            if (!_started || _owner.Frozen)
            {
                SessionLog.Refused(_logger, _options.Name, _started ? "the control loop is silent" : "the session is stopped");
                socket.Dispose();
                return;
            }

            if (_time.GetTimestamp() < _acceptFrom)
            {
                SessionLog.Refused(_logger, _options.Name, "the router sent more than max_prefix routes a moment ago");
                Refuse(socket, NotificationMessage.Cease(CeaseSubcode.Rejected));
                return;
            }

            if (_outgoing.State.State == SessionState.Established || _incoming?.State.State == SessionState.Established)
            {
                SessionLog.Refused(_logger, _options.Name, "the session is established");
                Refuse(socket, NotificationMessage.Cease(CeaseSubcode.Collision));
                return;
            }

            if (_incoming is { } older)
            {
                Dispatch(older, new(FsmEventKind.Cease, "the peer connected anew") { Message = NotificationMessage.Cease(CeaseSubcode.Rejected) });
            }

            ConnectionSlot slot = NewSlot(incoming: true);
            _incoming = slot;
            slot.State = new(SessionState.Active);
            Attach(slot, socket);
        }

        _owner.AfterStep();
    }

    private void Connect(ConnectionSlot slot)
    {
        slot.Connecting?.Cancel();
        var cancel = new CancellationTokenSource();
        slot.Connecting = cancel;
        Track(Task.Run(() => ConnectAsync(slot, cancel)));
    }

    private async Task ConnectAsync(ConnectionSlot slot, CancellationTokenSource cancel)
    {
        Socket? socket = null;
        string failure;
        try
        {
            socket = BgpSockets.CreateClient(_options);
            await socket.ConnectAsync(new IPEndPoint(_options.RemoteAddress, _options.RemotePort), cancel.Token).ConfigureAwait(false);
            failure = "";
        }
        catch (SocketException e)
        {
            failure = e.SocketErrorCode == SocketError.TimedOut
                ? NoAnswerText()
                : $"cannot connect to {_options.RemoteAddress} port {_options.RemotePort}: {e.Message}";
        }
        catch (OperationCanceledException)
        {
            failure = "cancelled";
        }

        lock (_gate)
        {
            bool current = _started && ReferenceEquals(slot.Connecting, cancel) && slot.State.State == SessionState.Connect;
            if (ReferenceEquals(slot.Connecting, cancel))
            {
                slot.Connecting = null;
            }

            cancel.Dispose();
            if (!current || failure.Length > 0)
            {
                socket?.Dispose();
                if (current)
                {
                    Dispatch(slot, new(FsmEventKind.TcpFails, failure));
                }

                return;
            }

            Attach(slot, socket!);
        }
    }

    private void Attach(ConnectionSlot slot, Socket socket)
    {
        var connection = new BgpConnection(socket, this, _time, _options.SendHoldTime, _options.OutboundLimit, _options.OutboundLowMark);
        slot.Connection = connection;
        Dispatch(slot, new(FsmEventKind.TcpConnected));
        Run(connection);
    }

    /// <summary>Closes a connection that never gets a state machine, with the reason (RFC 4271 section 6.8: by NOTIFICATION).</summary>
    private void Refuse(Socket socket, NotificationMessage notification)
    {
        var connection = new BgpConnection(socket, this, _time, _options.SendHoldTime, _options.OutboundLimit, _options.OutboundLowMark);
        var writer = new BgpWriter(stackalloc byte[BgpConstants.MaxMessageLength]);
        notification.Encode(ref writer);
        connection.TrySend(writer.Written);
        connection.Close();
        Run(connection);
    }

    private void Run(BgpConnection connection)
    {
        connection.Start();
        Track(connection.Completion.ContinueWith(
            (_, c) => ((BgpConnection)c!).Dispose(), connection, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default));
    }

    private static void Detach(ConnectionSlot slot)
    {
        slot.Connecting?.Cancel();
        slot.Connecting = null;
        slot.Connection?.Close();
        slot.Connection = null;
        slot.Parameters = null;
    }

    private void Track(Task task)
    {
        _endings.RemoveAll(t => t.IsCompleted);
        _endings.Add(task);
    }

    private string NoAnswerText()
    {
        string text = $"no answer from {_options.RemoteAddress} port {_options.RemotePort}";
        return _options.Password is null
            ? text + ": the router is down or filters us, or it expects a TCP MD5 key and none is configured here"
            : text + ": the router is down or filters us, or the TCP MD5 key is wrong or missing on one side (the kernel then drops the packets without a word)";
    }
}
