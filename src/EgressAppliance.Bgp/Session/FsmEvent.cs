using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <summary>What can happen to a session (RFC 4271 section 8.1; the optional events that are not used are left out).</summary>
public enum FsmEventKind
{
    /// <summary>Begin (events 1 and 4).</summary>
    Start,

    /// <summary>End (event 2).</summary>
    Stop,

    /// <summary>The wait after a failure is over (event 13).</summary>
    IdleHoldTimerExpires,

    /// <summary>ConnectRetryTimer (event 9).</summary>
    ConnectRetryTimerExpires,

    /// <summary>HoldTimer (event 10).</summary>
    HoldTimerExpires,

    /// <summary>KeepaliveTimer (event 11).</summary>
    KeepaliveTimerExpires,

    /// <summary>SendHoldTimer (RFC 9687 event 29): the peer does not read.</summary>
    SendHoldTimerExpires,

    /// <summary>A TCP connection stands, made by us or accepted (events 16 and 17).</summary>
    TcpConnected,

    /// <summary>TCP failed or was closed (event 18).</summary>
    TcpFails,

    /// <summary>A valid OPEN (event 19).</summary>
    Open,

    /// <summary>A malformed message or an OPEN that cannot be accepted (events 21, 22, 28).</summary>
    MessageError,

    /// <summary>This connection lost the collision (event 23).</summary>
    CollisionLost,

    /// <summary>NOTIFICATION (events 24 and 25).</summary>
    Notification,

    /// <summary>KEEPALIVE (event 26).</summary>
    Keepalive,

    /// <summary>UPDATE (event 27).</summary>
    Update,

    /// <summary>ROUTE-REFRESH (RFC 2918).</summary>
    RouteRefresh,

    /// <summary>We end the session for a reason of our own (RFC 4486).</summary>
    Cease,
}

/// <summary>One event.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Text">Why, in words; empty where the kind says it all.</param>
public readonly record struct FsmEvent(FsmEventKind Kind, string Text = "")
{
    /// <summary>Hold time of the peer's OPEN, seconds; with <see cref="FsmEventKind.Open"/>.</summary>
    public ushort HoldTime { get; init; }

    /// <summary>The NOTIFICATION to send (MessageError, Cease, Stop) or received (Notification).</summary>
    public NotificationMessage? Message { get; init; }
}
