using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <content>Timers that expire, and KEEPALIVEs, which wait for no lock.</content>
internal sealed partial class PeerSession
{
    private static readonly TimeSpan HoldGrace = TimeSpan.FromSeconds(1);

    /// <summary>How many hold times unread input can put the hold timer off. Who is that far behind had better begin anew.</summary>
    private const int MaxHoldDeferral = 3;
    private static readonly byte[] KeepaliveOctets = MakeKeepalive();

    /// <summary>On the timers' thread, which must not wait for our lock.</summary>
    private void OnTimer(ConnectionSlot slot, FsmEventKind kind)
    {
        if (kind == FsmEventKind.KeepaliveTimerExpires)
        {
            KeepAlive(slot);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => OnExpiry(slot, kind), null);
        }
    }

    /// <summary>
    /// What the state machine asks for in both states in which the keepalive timer runs (<see cref="FsmActions.SendKeepalive"/> and
    /// <see cref="FsmActions.StartKeepalive"/>, no change of state), done without the lock: its holder may be in the middle of a large UPDATE, or of
    /// waiting for the tables.
    /// </summary>
    private void KeepAlive(ConnectionSlot slot)
    {
        if (slot.Keepalives is not { } schedule)
        {
            return;
        }

        if (!_owner.Frozen && schedule.Connection.TrySendNow(KeepaliveOctets))
        {
            Interlocked.Increment(ref _messagesSent);
        }

        // The session may have ended, and the next one have begun, since the schedule was read.
        slot.Keepalive.Repeat(Jitter.Apply(schedule.Interval));
    }

    private void OnExpiry(ConnectionSlot slot, FsmEventKind kind)
    {
        lock (_gate)
        {
            bool ours = ReferenceEquals(slot, _outgoing) || ReferenceEquals(slot, _incoming);
            if (!_started || !ours || !(kind == FsmEventKind.HoldTimerExpires ? slot.Hold : slot.Retry).TakeExpiry())
            {
                return;
            }

            if (kind == FsmEventKind.HoldTimerExpires && slot.Connection is { HasInput: true }
                && slot.HoldDeferrals < MaxHoldDeferral * Fsm.HoldSeconds(slot.Config, slot.State) / HoldGrace.TotalSeconds)
            {
                // The peer did send; it is we who have not read it yet.
                slot.HoldDeferrals++;
                slot.Hold.Start(HoldGrace);
                return;
            }

            if (kind is FsmEventKind.IdleHoldTimerExpires or FsmEventKind.ConnectRetryTimerExpires && !slot.Incoming
                && slot.State.State != SessionState.Connect
                && (_owner.Frozen || _incoming?.State.State is SessionState.Established or SessionState.OpenConfirm))
            {
                // Nothing to do now: the peer's own connection serves, or nobody is there to steer.
                slot.Retry.Start(Jitter.Apply(_options.ConnectRetry));
                return;
            }

            Dispatch(slot, new(kind, kind == FsmEventKind.ConnectRetryTimerExpires ? NoAnswerText() : ""));
        }

        _owner.AfterStep();
    }

    private static byte[] MakeKeepalive()
    {
        var writer = new BgpWriter(stackalloc byte[BgpConstants.HeaderLength]);
        KeepaliveMessage.Encode(ref writer);
        return writer.Written.ToArray();
    }
}
