using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session.States;

/// <summary>OpenSent (RFC 4271 section 8.2.2): our OPEN is out, the peer's is awaited.</summary>
internal static class OpenSentState
{
    public static FsmTransition Step(in FsmConfig config, in FsmState state, in FsmEvent e) => e.Kind switch
    {
        FsmEventKind.Open => new(
            state with { State = SessionState.OpenConfirm, HoldTime = Math.Min(config.HoldTime, e.HoldTime) },
            FsmActions.StopTimers | FsmActions.SendKeepalive | FsmActions.StartHold | FsmActions.StartKeepalive,
            "OPEN received"),
        FsmEventKind.TcpFails => new(
            new(SessionState.Active, Attempts: state.Attempts + 1),
            FsmActions.StopTimers | FsmActions.CloseConnection | FsmActions.StartConnectRetry,
            e.Text)
        {
            Delay = config.Delay(state.Attempts + 1),
        },
        _ => Fsm.Common(config, state, e, FsmSubcode.OpenSent),
    };
}
