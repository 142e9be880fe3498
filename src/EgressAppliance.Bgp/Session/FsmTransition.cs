using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <summary>What the owner of the state machine does after a step, in the order of the values.</summary>
[Flags]
public enum FsmActions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Stop all timers of the connection.</summary>
    StopTimers = 1,

    /// <summary>Send OPEN.</summary>
    SendOpen = 1 << 1,

    /// <summary>Send KEEPALIVE.</summary>
    SendKeepalive = 1 << 2,

    /// <summary>Send <see cref="FsmTransition.Notification"/>.</summary>
    SendNotification = 1 << 3,

    /// <summary>Take the peer's routes out and stop announcing.</summary>
    SessionDown = 1 << 4,

    /// <summary>Close TCP.</summary>
    CloseConnection = 1 << 5,

    /// <summary>Begin a TCP connection.</summary>
    Connect = 1 << 6,

    /// <summary>(Re)start the hold timer with <see cref="FsmState.HoldTime"/>; in OpenSent with the large value.</summary>
    StartHold = 1 << 7,

    /// <summary>(Re)start the keepalive timer with a third of <see cref="FsmState.HoldTime"/>.</summary>
    StartKeepalive = 1 << 8,

    /// <summary>Start the connect-retry timer with <see cref="FsmTransition.Delay"/>.</summary>
    StartConnectRetry = 1 << 9,

    /// <summary>Start the idle-hold timer with <see cref="FsmTransition.Delay"/>.</summary>
    StartIdleHold = 1 << 10,

    /// <summary>Routes may be exchanged.</summary>
    SessionUp = 1 << 11,

    /// <summary>Give the UPDATE to the tables.</summary>
    DeliverUpdate = 1 << 12,

    /// <summary>Announce the family again.</summary>
    DeliverRefresh = 1 << 13,
}

/// <summary>The machine's state: what the next step depends on besides the event.</summary>
/// <param name="State">State of RFC 4271.</param>
/// <param name="HoldTime">Hold time in force, seconds; 0 before OPEN and where none was agreed.</param>
/// <param name="Attempts">Failures in a row (ConnectRetryCounter); waits double with it.</param>
/// <param name="Keepalives">KEEPALIVEs seen since Established, up to the few that prove the session stable.</param>
public readonly record struct FsmState(SessionState State, ushort HoldTime = 0, int Attempts = 0, int Keepalives = 0);

/// <summary>What does not change while a session runs.</summary>
/// <param name="Passive">Never connect, wait for the peer.</param>
/// <param name="HoldTime">Hold time we propose, seconds; 0 or at least 3.</param>
/// <param name="ConnectRetry">Shortest wait after a failure.</param>
public readonly record struct FsmConfig(bool Passive, ushort HoldTime, TimeSpan ConnectRetry)
{
    /// <summary>Longest wait after failures.</summary>
    public static TimeSpan MaxDelay => TimeSpan.FromMinutes(1);

    /// <summary>How long one TCP connection attempt may take before the next is made.</summary>
    public static TimeSpan ConnectTimeout => TimeSpan.FromSeconds(5);

    /// <summary>The wait after so many failures in a row: doubles, up to a minute.</summary>
    public TimeSpan Delay(int attempts) =>
        TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, ConnectRetry.Ticks << Math.Clamp(attempts - 1, 0, 10)));
}

/// <summary>Outcome of a step.</summary>
/// <param name="Next">The state after it.</param>
/// <param name="Actions">What to do now.</param>
/// <param name="Reason">Why, for logs and status; empty if nothing worth telling happened.</param>
public readonly record struct FsmTransition(FsmState Next, FsmActions Actions, string Reason)
{
    /// <summary>The NOTIFICATION of <see cref="FsmActions.SendNotification"/>.</summary>
    public NotificationMessage? Notification { get; init; }

    /// <summary>The wait of <see cref="FsmActions.StartConnectRetry"/> or <see cref="FsmActions.StartIdleHold"/>, without jitter.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>A step that changes nothing.</summary>
    internal static FsmTransition Stay(FsmState state, FsmActions actions = FsmActions.None, string reason = "") => new(state, actions, reason);
}
