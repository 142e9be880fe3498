using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <content>What received messages lead to. All under the session's lock.</content>
internal sealed partial class PeerSession
{
    private void Receive(ConnectionSlot slot, BgpMessageType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case BgpMessageType.Open:
                ReceiveOpen(slot, body);
                break;
            case BgpMessageType.Update:
                ReceiveUpdate(slot, body);
                break;
            case BgpMessageType.Notification:
                Dispatch(slot, new(FsmEventKind.Notification) { Message = NotificationMessage.Decode(body) });
                break;
            case BgpMessageType.RouteRefresh:
                BgpError? error = RouteRefreshMessage.Decode(body, out RouteRefreshMessage? refresh);
                if (error is not null)
                {
                    Dispatch(slot, ErrorEvent(error));
                    break;
                }

                // RFC 7313 subtypes are not negotiated: anything but a plain request is to be ignored.
                if (Dispatch(slot, new(FsmEventKind.RouteRefresh)).HasFlag(FsmActions.DeliverRefresh) && refresh!.Subtype == 0)
                {
                    _owner.OnRefresh(_index, refresh.Family);
                }

                break;
            default:
                Dispatch(slot, new(FsmEventKind.Keepalive));
                break;
        }
    }

    private void ReceiveOpen(ConnectionSlot slot, ReadOnlySpan<byte> body)
    {
        SessionParameters? agreed = null;
        BgpError? error = OpenMessage.Decode(body, out OpenMessage? open)
            ?? SessionParameters.Negotiate(_options, _routerId, open!, out agreed);
        if (error is not null)
        {
            Dispatch(slot, slot.State.State == SessionState.OpenSent ? ErrorEvent(error) : new(FsmEventKind.Open));
            return;
        }

        if (slot.State.State == SessionState.OpenSent)
        {
            ConnectionSlot? other = slot.Incoming ? _outgoing : _incoming;
            if (other is not null && other.State.State >= SessionState.OpenSent)
            {
                bool stays = CollisionRule.NewStays(
                    slot.Incoming, other.State.State, _routerId, agreed!.PeerRouterId, _options.LocalAs, _options.PeerAs);
                ConnectionSlot loser = stays ? other : slot;
                Dispatch(loser, new(FsmEventKind.CollisionLost));
                if (ReferenceEquals(loser, slot))
                {
                    return;
                }
            }

            slot.Parameters = agreed;
            slot.Connection!.ReceiveOptions = agreed!.Receive;
        }

        Dispatch(slot, new(FsmEventKind.Open) { HoldTime = open!.HoldTime });
    }

    private void ReceiveUpdate(ConnectionSlot slot, ReadOnlySpan<byte> body)
    {
        if (slot.State.State != SessionState.Established)
        {
            Dispatch(slot, new(FsmEventKind.Update));
            return;
        }

        if (UpdateDecoder.Decode(body, slot.Parameters!.Receive, _update) == ErrorAction.SessionReset)
        {
            SessionLog.MalformedUpdate(_logger, _options.Name, Convert.ToHexStringLower(body[..Math.Min(body.Length, 128)]));
            Dispatch(slot, ErrorEvent(_update.Errors[^1]));
            return;
        }

        Dispatch(slot, new(FsmEventKind.Update));
    }
}
