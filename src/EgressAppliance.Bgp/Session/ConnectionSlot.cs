namespace EgressAppliance.Bgp.Session;

/// <summary>
/// One of the two connections a session may have at a time while a collision is being settled (RFC 4271 section 6.8): the one we
/// make, which lives as long as the session, and the one the peer made. Each has a state machine and timers of its own.
/// </summary>
internal sealed class ConnectionSlot : IDisposable
{
    public ConnectionSlot(FsmConfig config, bool incoming, TimeProvider time, Lock gate, Action<ConnectionSlot, FsmEventKind> expired)
    {
        Config = config;
        Incoming = incoming;
        State = Fsm.Initial;
        Retry = new SlotTimer(time, gate, () => expired(this, RetryIsIdleHold ? FsmEventKind.IdleHoldTimerExpires : FsmEventKind.ConnectRetryTimerExpires));
        Hold = new SlotTimer(time, gate, () => expired(this, FsmEventKind.HoldTimerExpires));
        Keepalive = new SlotTimer(time, gate, () => expired(this, FsmEventKind.KeepaliveTimerExpires));
    }

    /// <summary>The peer made the connection.</summary>
    public bool Incoming { get; }

    public FsmConfig Config { get; }

    public FsmState State { get; set; }

    public BgpConnection? Connection { get; set; }

    /// <summary>Cancels a connection attempt under way.</summary>
    public CancellationTokenSource? Connecting { get; set; }

    /// <summary>Agreed on by OPEN; null before.</summary>
    public SessionParameters? Parameters { get; set; }

    public SlotTimer Retry { get; }

    public SlotTimer Hold { get; }

    public SlotTimer Keepalive { get; }

    /// <summary>The retry timer runs for Idle rather than for Connect or Active.</summary>
    public bool RetryIsIdleHold { get; set; }

    public void Dispose()
    {
        Retry.Dispose();
        Hold.Dispose();
        Keepalive.Dispose();
    }
}
