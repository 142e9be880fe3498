using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Bgp.Session.States;

/// <summary>Connect (RFC 4271 section 8.2.2): our TCP connection is under way.</summary>
internal static class ConnectState
{
    public static FsmTransition Step(in FsmConfig config, in FsmState state, in FsmEvent e)
    {
        switch (e.Kind)
        {
            case FsmEventKind.TcpConnected:
                return Fsm.SendOpen(state);
            case FsmEventKind.TcpFails:
                int attempts = state.Attempts + 1;
                return new(
                    new(SessionState.Active, Attempts: attempts),
                    FsmActions.StopTimers | FsmActions.CloseConnection | FsmActions.StartConnectRetry,
                    e.Text)
                {
                    Delay = config.Delay(attempts),
                };
            case FsmEventKind.ConnectRetryTimerExpires:
                return new(
                    state with { Attempts = state.Attempts + 1 },
                    FsmActions.StopTimers | FsmActions.CloseConnection | FsmActions.Connect | FsmActions.StartConnectRetry,
                    e.Text)
                {
                    Delay = FsmConfig.ConnectTimeout,
                };
            case FsmEventKind.Stop:
                return Fsm.Stop(state, e);
            case FsmEventKind.Start:
                return FsmTransition.Stay(state);
            default:
                return Fsm.Unexpected(config, state, e);
        }
    }
}
