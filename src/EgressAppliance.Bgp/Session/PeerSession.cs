using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Bgp.Session;

/// <summary>
/// The session with one router: gives events to the state machines of its connections and does what they say.
/// </summary>
/// <remarks>
/// <para>Threads: timers, the connections' readers and writers, the listener and the speaker all come in here. One lock per session puts their events
/// into an order; nothing waits under it but the tables' own lock, which is taken inside it and never the other way round. Messages of a
/// connection that was replaced meanwhile are told by their connection and dropped.</para>
/// <para>UPDATEs are decoded and applied on the reader's thread, under the lock: so a session that goes down cannot leave routes behind, and a
/// withdrawn path takes its override with it before the next message is read.</para>
/// <para>KEEPALIVEs wait for none of that: the keepalive timer has a thread of its own, takes no lock but the outbound queue's, and writes to the socket
/// itself when nothing is queued. And the hold timer does not expire while input of the peer lies unread because we were slow.</para>
/// <para>Collisions (RFC 4271 section 6.8): when an OPEN arrives and the other connection has sent or accepted an OPEN too, the connection made by the
/// speaker with the higher BGP identifier stays; one that is established always does.</para>
/// </remarks>
internal sealed partial class PeerSession : IConnectionSink, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly int _index;
    private readonly BgpPeerOptions _options;
    private readonly uint _routerId;
    private readonly IPeerOwner _owner;
    private readonly TimeProvider _time;
    private readonly TimeProvider _timers;
    private readonly ILogger _logger;
    private readonly UpdateMessage _update = new();
    private readonly ConnectionSlot _outgoing;
    private readonly List<Task> _endings = [];
    private ConnectionSlot? _incoming;
    private long _messagesReceived;
    private long _messagesSent;
    private bool _started;

    /// <summary>
    /// Timestamp before which the router's own connections are refused: it went over its prefix limit, and would load its whole table again at once. After any other
    /// failure it may connect whenever it likes.
    /// </summary>
    private long _acceptFrom = long.MinValue;
    private volatile SessionSnapshot _snapshot;

    /// <summary>A session at rest. <paramref name="timers"/> makes the state machine's timers, see <see cref="SessionTimers"/>.</summary>
    public PeerSession(int index, BgpPeerOptions options, uint routerId, IPeerOwner owner, TimeProvider time, TimeProvider timers, ILogger logger)
    {
        _index = index;
        _options = options;
        _routerId = routerId;
        _owner = owner;
        _time = time;
        _timers = timers;
        _logger = logger;
        _outgoing = NewSlot(incoming: false);
        _snapshot = new(SessionState.Idle, time.GetUtcNow());
    }

    /// <summary>State as last published; read without a lock.</summary>
    public SessionSnapshot Snapshot => _snapshot;

    /// <summary>BGP messages received since start.</summary>
    public long MessagesReceived => Interlocked.Read(ref _messagesReceived);

    /// <summary>BGP messages sent since start.</summary>
    public long MessagesSent => Interlocked.Read(ref _messagesSent);

    /// <summary>Counts messages that the speaker put into the connection's queue itself.</summary>
    public void CountSent(int messages) => Interlocked.Add(ref _messagesSent, messages);

    /// <summary>Begins.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _started = true;
            Dispatch(_outgoing, new(FsmEventKind.Start));
        }
    }

    /// <summary>Tries again at once instead of waiting out a delay.</summary>
    public void Hurry()
    {
        lock (_gate)
        {
            if (_started && _outgoing.State.State is SessionState.Idle or SessionState.Active)
            {
                _outgoing.Retry.Start(TimeSpan.Zero);
            }
        }
    }

    /// <summary>Sends KEEPALIVE now if the session is up.</summary>
    public void SendKeepalive()
    {
        lock (_gate)
        {
            foreach (ConnectionSlot slot in Slots())
            {
                if (slot.State.State is SessionState.Established or SessionState.OpenConfirm && !_owner.Frozen)
                {
                    Send(slot, KeepaliveMessage.Encode, mark: true);
                }
            }
        }
    }

    /// <summary>Ends the session for a reason of ours; it comes back after a wait.</summary>
    public void Cease(BgpConnection connection, byte subcode, string reason)
    {
        Raise(connection, new(FsmEventKind.Cease, reason) { Message = NotificationMessage.Cease(subcode) });
    }

    /// <summary>Resets the session by an operator's wish (Cease/4, RFC 9003); it comes back after a wait. False if there is none to reset.</summary>
    public bool Reset(string text)
    {
        bool any = false;
        lock (_gate)
        {
            foreach (ConnectionSlot slot in Slots())
            {
                if (slot.State.State >= SessionState.OpenSent)
                {
                    any = true;
                    Dispatch(slot, new(FsmEventKind.Cease, $"administrative reset: {text}") { Message = NotificationMessage.Shutdown(text, CeaseSubcode.Reset) });
                }
            }
        }

        _owner.AfterStep();
        return any;
    }

    /// <inheritdoc/>
    public void OnMessage(BgpConnection connection, BgpMessageType type, ReadOnlySpan<byte> body)
    {
        lock (_gate)
        {
            if (Find(connection) is { } slot)
            {
                Interlocked.Increment(ref _messagesReceived);
                Receive(slot, type, body);
            }
        }

        _owner.AfterStep();
    }

    /// <inheritdoc/>
    public void OnIdle(BgpConnection connection)
    {
        lock (_gate)
        {
            if (Find(connection) is { State.State: SessionState.Established })
            {
                _owner.OnIdle(_index);
            }
        }

        _owner.AfterStep();
    }

    /// <inheritdoc/>
    public void OnHeaderError(BgpConnection connection, BgpError error) =>
        Raise(connection, new(FsmEventKind.MessageError, error.Text) { Message = error.ToNotification() });

    /// <inheritdoc/>
    public void OnClosed(BgpConnection connection, string text) => Raise(connection, new(FsmEventKind.TcpFails, text));

    /// <inheritdoc/>
    public void OnSendStalled(BgpConnection connection, string text) => Raise(connection, new(FsmEventKind.SendHoldTimerExpires, text));

    /// <inheritdoc/>
    public void OnMarkedSent(BgpConnection connection)
    {
        // Asked before as well; but this process may have been stopped in between, and what it then said late keeps routes for a whole hold time.
        if (_owner.Overdue)
        {
            // Not from here, which may be the timers' thread.
            ThreadPool.UnsafeQueueUserWorkItem(
                _ => Cease(connection, CeaseSubcode.Reset, "something was sent after the time for it: another controller may lead"), null);
        }
    }

    /// <inheritdoc/>
    public void OnDrained(BgpConnection connection) => _owner.OnDrained(_index, connection);

    /// <inheritdoc/>
    public void OnFault(BgpConnection connection, Exception exception)
    {
        SessionLog.Fault(_logger, _options.Name, exception);
        Raise(connection, new(FsmEventKind.Cease, $"internal error: {exception.Message}") { Message = NotificationMessage.Cease(CeaseSubcode.OutOfResources) });
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => StopAsync("");

    /// <summary>Ends with Cease/2 and the text (RFC 9003), and waits until the connections are closed.</summary>
    public async ValueTask StopAsync(string text)
    {
        Task[] endings;
        lock (_gate)
        {
            _started = false;
            foreach (ConnectionSlot slot in Slots())
            {
                Dispatch(slot, new(FsmEventKind.Stop, "administrative shutdown") { Message = NotificationMessage.Shutdown(text) });
            }

            _outgoing.Dispose();
            endings = [.. _endings];
        }

        _owner.AfterStep();
        await Task.WhenAll(endings).ConfigureAwait(false);
    }

    private void Raise(BgpConnection connection, FsmEvent e)
    {
        lock (_gate)
        {
            if (Find(connection) is { } slot)
            {
                Dispatch(slot, e);
            }
        }

        _owner.AfterStep();
    }

    /// <summary>Makes a step and does what it asks for, but for what needs the message: that is for the caller, who gets the actions.</summary>
    private FsmActions Dispatch(ConnectionSlot slot, FsmEvent e)
    {
        FsmTransition step = Fsm.Step(slot.Config, slot.State, e);
        SessionState before = slot.State.State;
        slot.State = step.Next;
        Execute(slot, step);
        if (step.Next.State != before || step.Actions.HasFlag(FsmActions.CloseConnection))
        {
            Publish(slot, before, step, e);
        }

        return step.Actions;
    }

    private void Execute(ConnectionSlot slot, in FsmTransition step)
    {
        FsmActions actions = step.Actions;
        if (actions == FsmActions.None)
        {
            return;
        }

        if (actions.HasFlag(FsmActions.DeliverUpdate) && _owner.OnUpdate(_index, slot.Parameters!, _update) is { } error)
        {
            Dispatch(slot, new(FsmEventKind.Cease, error.Text) { Message = error.ToNotification() });
            return;
        }

        if (actions.HasFlag(FsmActions.StopTimers))
        {
            slot.Retry.Stop();
            slot.Hold.Stop();
            slot.Keepalive.Stop();
            slot.Keepalives = null;
        }

        if (actions.HasFlag(FsmActions.SendOpen))
        {
            Send(slot, SessionParameters.MakeOpen(_options, _routerId).Encode);
        }

        if (actions.HasFlag(FsmActions.SendKeepalive) && !_owner.Frozen)
        {
            Send(slot, KeepaliveMessage.Encode, mark: true);
        }

        if (actions.HasFlag(FsmActions.SessionDown))
        {
            _owner.OnDown(_index, step.Reason);
        }

        if (actions.HasFlag(FsmActions.SendNotification))
        {
            Send(slot, step.Notification!.Encode);
        }

        if (actions.HasFlag(FsmActions.CloseConnection))
        {
            Detach(slot);
        }

        if (actions.HasFlag(FsmActions.StartHold) && Fsm.HoldSeconds(slot.Config, slot.State) is > 0 and int hold)
        {
            slot.HoldDeferrals = 0;
            slot.Hold.Start(TimeSpan.FromSeconds(hold));
        }

        if (actions.HasFlag(FsmActions.StartKeepalive) && slot.State.HoldTime > 0)
        {
            slot.Keepalives = new(slot.Connection!, TimeSpan.FromSeconds(slot.State.HoldTime / 3.0));
            slot.Keepalive.Start(Jitter.Apply(slot.Keepalives.Interval));
        }

        if (actions.HasFlag(FsmActions.SessionUp))
        {
            _owner.OnUp(_index, slot.Parameters!, slot.Connection!);
        }

        StartOver(slot, step);
    }

    private void StartOver(ConnectionSlot slot, in FsmTransition step)
    {
        if (step.Notification is { Code: BgpErrorCode.Cease, Subcode: CeaseSubcode.MaxPrefix })
        {
            _acceptFrom = _time.GetTimestamp() + (long)(step.Delay.TotalSeconds * _time.TimestampFrequency);
        }

        if (step.Actions.HasFlag(FsmActions.Connect))
        {
            Connect(slot);
        }

        if (slot.Incoming)
        {
            if (step.Actions.HasFlag(FsmActions.CloseConnection))
            {
                // The peer's connection is over; ours takes up again after the same wait, if it stood back.
                _incoming = null;
                slot.Dispose();
                if (!_options.Passive && _started && _outgoing.State.State is SessionState.Idle or SessionState.Active)
                {
                    _outgoing.RetryIsIdleHold = _outgoing.State.State == SessionState.Idle;
                    _outgoing.Retry.Start(Jitter.Apply(step.Delay));
                }
            }

            return;
        }

        if (step.Actions.HasFlag(FsmActions.StartConnectRetry) || step.Actions.HasFlag(FsmActions.StartIdleHold))
        {
            slot.RetryIsIdleHold = step.Actions.HasFlag(FsmActions.StartIdleHold);
            // The limit on one attempt is exact, waits between attempts are not: two speakers must not keep step.
            slot.Retry.Start(step.Actions.HasFlag(FsmActions.Connect) ? step.Delay : Jitter.Apply(step.Delay));
        }
    }

    private delegate void Encoder(ref BgpWriter writer);

    private void Send(ConnectionSlot slot, Encoder encode, bool mark = false)
    {
        var writer = new BgpWriter(stackalloc byte[BgpConstants.MaxMessageLength]);
        encode(ref writer);
        if (slot.Connection is { } connection && connection.TrySend(writer.Written, mark))
        {
            Interlocked.Increment(ref _messagesSent);
        }
    }

    private void Publish(ConnectionSlot slot, SessionState before, in FsmTransition step, in FsmEvent e)
    {
        SessionState shown = _outgoing.State.State;
        if (_incoming is { } incoming && incoming.State.State > shown)
        {
            shown = incoming.State.State;
        }

        // Two connections that meet are no fault: the other one goes on.
        bool received = e.Kind == FsmEventKind.Notification;
        NotificationMessage? notification = received ? e.Message : step.Notification;
        bool settled = notification is { Code: BgpErrorCode.Cease, Subcode: CeaseSubcode.Collision };
        bool collided = settled && !received;
        bool failed = step.Actions.HasFlag(FsmActions.CloseConnection) && !collided;
        SessionSnapshot old = _snapshot;
        bool up = slot.State.State == SessionState.Established;
        DateTimeOffset now = _time.GetUtcNow();
        bool told = failed && step.Reason.Length > 0;
        notification = settled ? null : notification;
        _snapshot = new(shown, shown == old.State ? old.Since : now)
        {
            Established = old.Established + (up ? 1 : 0),
            Entered = shown == old.State ? old.Entered : [.. old.Entered.Select((times, state) => times + (state == (int)shown ? 1 : 0))],
            HoldTime = shown != SessionState.Established ? TimeSpan.Zero : up ? TimeSpan.FromSeconds(slot.State.HoldTime) : old.HoldTime,
            LastError = told ? step.Reason : old.LastError,
            LastErrorTime = told ? now : old.LastErrorTime,
            LastNotification = notification is null ? old.LastNotification : new(received, notification, now),
            NotificationsSent = old.NotificationsSent + (notification is not null && !received ? 1 : 0),
            NotificationsReceived = old.NotificationsReceived + (notification is not null && received ? 1 : 0),
        };
        if (up)
        {
            SessionLog.Up(_logger, _options.Name, slot.State.HoldTime, slot.Parameters!.AddPath ? "all paths (ADD-PATH)" : "best paths only");
        }
        else if (before == SessionState.Established)
        {
            SessionLog.Down(_logger, _options.Name, step.Reason);
        }
        else if (failed && step.Reason != old.LastError)
        {
            SessionLog.Failed(_logger, _options.Name, step.Reason);
        }
    }

    private static FsmEvent ErrorEvent(BgpError error) => new(FsmEventKind.MessageError, error.Text) { Message = error.ToNotification() };

    private ConnectionSlot NewSlot(bool incoming) => new(
        new(incoming || _options.Passive, (ushort)_options.HoldTime.TotalSeconds, _options.ConnectRetry), incoming, _timers, OnTimer);

    private ConnectionSlot? Find(BgpConnection connection) =>
        ReferenceEquals(_outgoing.Connection, connection) ? _outgoing
        : _incoming is not null && ReferenceEquals(_incoming.Connection, connection) ? _incoming
        : null;

    private ConnectionSlot[] Slots() => _incoming is null ? [_outgoing] : [_incoming, _outgoing];
}
