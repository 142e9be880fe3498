using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Bgp.Session.States;

/// <summary>Idle (RFC 4271 section 8.2.2): refuses everything but a start.</summary>
internal static class IdleState
{
    public static FsmTransition Step(in FsmConfig config, in FsmState state, in FsmEvent e) => e.Kind switch
    {
        FsmEventKind.Start or FsmEventKind.IdleHoldTimerExpires when config.Passive => new(
            state with { State = SessionState.Active }, FsmActions.StopTimers, "waiting for the peer to connect"),
        FsmEventKind.Start or FsmEventKind.IdleHoldTimerExpires => new(
            state with { State = SessionState.Connect }, FsmActions.StopTimers | FsmActions.Connect | FsmActions.StartConnectRetry, "connecting")
        {
            Delay = FsmConfig.ConnectTimeout,
        },
        FsmEventKind.Stop => FsmTransition.Stay(state, FsmActions.StopTimers),
        _ => FsmTransition.Stay(state),
    };
}
