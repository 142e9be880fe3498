using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session.States;

/// <summary>Established (RFC 4271 section 8.2.2): routes are exchanged.</summary>
internal static class EstablishedState
{
    /// <summary>So many KEEPALIVEs prove a session stable: the waits after failures begin small again. One that comes up and at once dies keeps its long waits.</summary>
    private const int StableAfter = 3;

    public static FsmTransition Step(in FsmConfig config, in FsmState state, in FsmEvent e)
    {
        switch (e.Kind)
        {
            case FsmEventKind.Update:
                return FsmTransition.Stay(state, FsmActions.StartHold | FsmActions.DeliverUpdate);
            case FsmEventKind.RouteRefresh:
                return FsmTransition.Stay(state, FsmActions.StartHold | FsmActions.DeliverRefresh);
            case FsmEventKind.Keepalive:
                int seen = Math.Min(state.Keepalives + 1, StableAfter);
                FsmState next = state with { Keepalives = seen, Attempts = seen == StableAfter ? 0 : state.Attempts };
                return FsmTransition.Stay(next, FsmActions.StartHold);
            case FsmEventKind.KeepaliveTimerExpires:
                return FsmTransition.Stay(state, FsmActions.SendKeepalive | FsmActions.StartKeepalive);
            default:
                return Fsm.Common(config, state, e, FsmSubcode.Established);
        }
    }
}
