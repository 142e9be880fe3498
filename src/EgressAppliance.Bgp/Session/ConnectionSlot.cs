namespace EgressAppliance.Bgp.Session;

/// <summary>
/// One of the two connections a session may have at a time while a collision is being settled (RFC 4271 section 6.8): the one we
/// make, which lives as long as the session, and the one the peer made. Each has a state machine and timers of its own.
/// </summary>
internal sealed class ConnectionSlot : IDisposable
{
    private volatile KeepaliveSchedule? _keepalives;

    public ConnectionSlot(FsmConfig config, bool incoming, TimeProvider time, Action<ConnectionSlot, FsmEventKind> expired)
    {
        Config = config;
        Incoming = incoming;
        State = Fsm.Initial;
        Retry = new SlotTimer(time, () => expired(this, RetryIsIdleHold ? FsmEventKind.IdleHoldTimerExpires : FsmEventKind.ConnectRetryTimerExpires));
        Hold = new SlotTimer(time, () => expired(this, FsmEventKind.HoldTimerExpires));
        Keepalive = new SlotTimer(time, () => expired(this, FsmEventKind.KeepaliveTimerExpires));
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

    /// <summary>How often the hold timer's expiry was put off in a row, because input was waiting.</summary>
    public int HoldDeferrals { get; set; }

    /// <summary>
    /// Where and how often KEEPALIVEs are due, or null while none are; read by the keepalive timer without the session's lock.
    /// </summary>
    public KeepaliveSchedule? Keepalives
    {
        get => _keepalives;
        set => _keepalives = value;
    }

    public void Dispose()
    {
        Retry.Dispose();
        Hold.Dispose();
        Keepalive.Dispose();
    }
}

/// <summary>KEEPALIVEs in force.</summary>
/// <param name="Connection">Where they go.</param>
/// <param name="Interval">The time between them, without jitter.</param>
internal sealed record KeepaliveSchedule(BgpConnection Connection, TimeSpan Interval);
