using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session.States;

/// <summary>OpenConfirm (RFC 4271 section 8.2.2): both OPENs were accepted, the peer's KEEPALIVE is awaited.</summary>
internal static class OpenConfirmState
{
    public static FsmTransition Step(in FsmConfig config, in FsmState state, in FsmEvent e) => e.Kind switch
    {
        FsmEventKind.Keepalive => new(
            state with { State = SessionState.Established, Keepalives = 0 }, FsmActions.StartHold | FsmActions.SessionUp, "established"),
        FsmEventKind.KeepaliveTimerExpires => FsmTransition.Stay(state, FsmActions.SendKeepalive | FsmActions.StartKeepalive),
        _ => Fsm.Common(config, state, e, FsmSubcode.OpenConfirm),
    };
}
