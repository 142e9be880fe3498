using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Bgp.Session.States;

/// <summary>Active (RFC 4271 section 8.2.2): the peer may connect; unless passive, we shall try again ourselves.</summary>
internal static class ActiveState
{
    public static FsmTransition Step(in FsmConfig config, in FsmState state, in FsmEvent e) => e.Kind switch
    {
        FsmEventKind.TcpConnected => Fsm.SendOpen(state),
        FsmEventKind.ConnectRetryTimerExpires when !config.Passive => new(
            state with { State = SessionState.Connect }, FsmActions.StopTimers | FsmActions.Connect | FsmActions.StartConnectRetry, "connecting")
        {
            Delay = FsmConfig.ConnectTimeout,
        },
        FsmEventKind.ConnectRetryTimerExpires or FsmEventKind.Start => FsmTransition.Stay(state),
        FsmEventKind.Stop => Fsm.Stop(state, e),
        _ => Fsm.Unexpected(config, state, e),
    };
}
