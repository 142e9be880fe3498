using EgressAppliance.Bgp.Session.States;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <summary>
/// The BGP finite state machine (RFC 4271 section 8) as a pure function: state and event in, state, actions and a reason out.
/// </summary>
/// <remarks>
/// <para>One machine runs per TCP connection. Timers, sockets and decoded messages are events, and what is to be done is a set of flags, so that
/// each rule can be read and tested without a network. The peer session owns the sockets and timers and obeys.</para>
/// <para>Every state has a file of its own under <c>States</c>. What all of them do alike when a session ends stands here.</para>
/// <para>Differences from the RFC's letter: no DelayOpen; a failed connection attempt leads to Active with a growing wait rather than to
/// Idle and a damping timer (RFC section 8.1.1 option 3 and common practice); the wait in Idle after a session ends is the IdleHoldTimer; a
/// NOTIFICATION is never answered with one, in OpenSent either; the send hold timer (RFC 9687) runs from OpenSent on.</para>
/// <para>Events that cannot happen in a state (a message without a connection, a timer that does not run) end it as the RFC has it: who finds
/// such a thing cannot trust what it believes of the session.</para>
/// </remarks>
public static class Fsm
{
    /// <summary>Where every machine begins.</summary>
    public static FsmState Initial => new(SessionState.Idle);

    /// <summary>Makes one step.</summary>
    public static FsmTransition Step(in FsmConfig config, in FsmState state, in FsmEvent e) => state.State switch
    {
        SessionState.Idle => IdleState.Step(config, state, e),
        SessionState.Connect => ConnectState.Step(config, state, e),
        SessionState.Active => ActiveState.Step(config, state, e),
        SessionState.OpenSent => OpenSentState.Step(config, state, e),
        SessionState.OpenConfirm => OpenConfirmState.Step(config, state, e),
        _ => EstablishedState.Step(config, state, e),
    };

    /// <summary>TCP stands: our OPEN goes out.</summary>
    internal static FsmTransition SendOpen(in FsmState state) =>
        new(state with { State = SessionState.OpenSent }, FsmActions.StopTimers | FsmActions.SendOpen | FsmActions.StartHold, "TCP connected");

    /// <summary>Back to Idle, to try again after a wait.</summary>
    internal static FsmTransition Fail(in FsmConfig config, in FsmState state, string reason, NotificationMessage? notification = null)
    {
        int attempts = state.Attempts + 1;
        bool fullTable = notification is { Code: BgpErrorCode.Cease, Subcode: CeaseSubcode.MaxPrefix };
        return End(state, reason, notification) with
        {
            Next = new(SessionState.Idle, Attempts: attempts),
            // A router over its prefix limit stays over it: trying fast would load its whole table again and again.
            Delay = fullTable ? FsmConfig.MaxDelay : config.Delay(attempts),
            Actions = End(state, reason, notification).Actions | FsmActions.StartIdleHold,
        };
    }

    /// <summary>To Idle for good: only a Start leads out again.</summary>
    internal static FsmTransition Stop(in FsmState state, in FsmEvent e)
    {
        NotificationMessage? notification = state.State >= SessionState.OpenSent
            ? e.Message ?? NotificationMessage.Cease(CeaseSubcode.Shutdown)
            : null;
        return End(state, e.Text.Length > 0 ? e.Text : "stopped", notification);
    }

    /// <summary>Events of any state with a connection that end it alike.</summary>
    internal static FsmTransition Common(in FsmConfig config, in FsmState state, in FsmEvent e, byte unexpectedSubcode) => e.Kind switch
    {
        FsmEventKind.Stop => Stop(state, e),
        FsmEventKind.HoldTimerExpires => Fail(
            config, state, $"hold timer expired: nothing received for {HoldSeconds(config, state)} s", new(BgpErrorCode.HoldTimer, 0)),
        FsmEventKind.SendHoldTimerExpires => Fail(config, state, e.Text, new(BgpErrorCode.SendHoldTimer, 0)),
        FsmEventKind.TcpFails => Fail(config, state, e.Text),
        FsmEventKind.MessageError or FsmEventKind.Cease => Fail(config, state, e.Text, e.Message),
        FsmEventKind.CollisionLost => Fail(config, state with { Attempts = 0 }, "closed in favour of the peer's other connection", NotificationMessage.Cease(CeaseSubcode.Collision)),
        FsmEventKind.Notification => Fail(config, state, $"the peer sent NOTIFICATION {e.Message}"),
        FsmEventKind.Open => Unexpected(config, state, e, unexpectedSubcode, BgpMessageType.Open),
        FsmEventKind.Keepalive => Unexpected(config, state, e, unexpectedSubcode, BgpMessageType.Keepalive),
        FsmEventKind.Update => Unexpected(config, state, e, unexpectedSubcode, BgpMessageType.Update),
        FsmEventKind.RouteRefresh => Unexpected(config, state, e, unexpectedSubcode, BgpMessageType.RouteRefresh),
        FsmEventKind.ConnectRetryTimerExpires or FsmEventKind.IdleHoldTimerExpires or FsmEventKind.KeepaliveTimerExpires => Fail(
            config, state, $"unexpected {e.Kind} in {state.State}", new(BgpErrorCode.Fsm, FsmSubcode.Unspecified)),
        _ => FsmTransition.Stay(state), // Start is ignored; of a second TCP connection its own machine is told
    };

    /// <summary>Any other event in Connect and Active, where there is no connection: to Idle without a word.</summary>
    internal static FsmTransition Unexpected(in FsmConfig config, in FsmState state, in FsmEvent e) =>
        Fail(config, state, e.Text.Length > 0 ? e.Text : $"unexpected {e.Kind} in {state.State}");

    /// <summary>Seconds the hold timer runs: RFC 4271 section 8.2.2 suggests 4 minutes in OpenSent; half a minute is as safe and mends a half-open peer sooner.</summary>
    internal static int HoldSeconds(in FsmConfig config, in FsmState state) =>
        state.State == SessionState.OpenSent ? Math.Max((int)config.HoldTime, 30) : state.HoldTime;

    /// <summary>RFC 6608 section 4: the data field names the type of the message.</summary>
    private static FsmTransition Unexpected(in FsmConfig config, in FsmState state, in FsmEvent e, byte subcode, BgpMessageType type) => Fail(
        config, state, $"unexpected {e.Kind} in {state.State}", new(BgpErrorCode.Fsm, subcode, new[] { (byte)type }));

    private static FsmTransition End(in FsmState state, string reason, NotificationMessage? notification) => new(
        new(SessionState.Idle),
        FsmActions.StopTimers | FsmActions.CloseConnection
            | (notification is null ? FsmActions.None : FsmActions.SendNotification)
            | (state.State == SessionState.Established ? FsmActions.SessionDown : FsmActions.None),
        reason)
    {
        Notification = notification,
    };
}
