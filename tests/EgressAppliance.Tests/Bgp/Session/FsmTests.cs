using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>The state machine as a table: state, event → state, actions, NOTIFICATION.</summary>
public sealed class FsmTests
{
    private const FsmActions Closing = FsmActions.StopTimers | FsmActions.CloseConnection | FsmActions.StartIdleHold;
    private const FsmActions Notifying = Closing | FsmActions.SendNotification;
    private static readonly FsmConfig Active = new(Passive: false, HoldTime: 9, TimeSpan.FromSeconds(2));

    public static TheoryData<SessionState, FsmEventKind, SessionState, FsmActions, string> Table()
    {
        const FsmActions Connecting = FsmActions.StopTimers | FsmActions.Connect | FsmActions.StartConnectRetry;
        const FsmActions Opening = FsmActions.StopTimers | FsmActions.SendOpen | FsmActions.StartHold;
        var table = new TheoryData<SessionState, FsmEventKind, SessionState, FsmActions, string>
        {
            { SessionState.Idle, FsmEventKind.Start, SessionState.Connect, Connecting, "" },
            { SessionState.Idle, FsmEventKind.IdleHoldTimerExpires, SessionState.Connect, Connecting, "" },
            { SessionState.Idle, FsmEventKind.Stop, SessionState.Idle, FsmActions.StopTimers, "" },
            { SessionState.Idle, FsmEventKind.TcpFails, SessionState.Idle, FsmActions.None, "" },
            { SessionState.Idle, FsmEventKind.Update, SessionState.Idle, FsmActions.None, "" },
            { SessionState.Connect, FsmEventKind.TcpConnected, SessionState.OpenSent, Opening, "" },
            { SessionState.Connect, FsmEventKind.TcpFails, SessionState.Active, FsmActions.StopTimers | FsmActions.CloseConnection | FsmActions.StartConnectRetry, "" },
            { SessionState.Connect, FsmEventKind.ConnectRetryTimerExpires, SessionState.Connect, Connecting | FsmActions.CloseConnection, "" },
            { SessionState.Connect, FsmEventKind.Stop, SessionState.Idle, FsmActions.StopTimers | FsmActions.CloseConnection, "" },
            { SessionState.Connect, FsmEventKind.Keepalive, SessionState.Idle, Closing, "" },
            { SessionState.Active, FsmEventKind.ConnectRetryTimerExpires, SessionState.Connect, Connecting, "" },
            { SessionState.Active, FsmEventKind.TcpConnected, SessionState.OpenSent, Opening, "" },
            { SessionState.Active, FsmEventKind.TcpFails, SessionState.Idle, Closing, "" },
            { SessionState.OpenSent, FsmEventKind.TcpFails, SessionState.Active, FsmActions.StopTimers | FsmActions.CloseConnection | FsmActions.StartConnectRetry, "" },
            { SessionState.Active, FsmEventKind.Stop, SessionState.Idle, FsmActions.StopTimers | FsmActions.CloseConnection, "" },
            {
                SessionState.OpenSent, FsmEventKind.Open, SessionState.OpenConfirm,
                FsmActions.StopTimers | FsmActions.SendKeepalive | FsmActions.StartHold | FsmActions.StartKeepalive, ""
            },
            { SessionState.OpenSent, FsmEventKind.Keepalive, SessionState.Idle, Notifying, "5/1" },
            { SessionState.OpenSent, FsmEventKind.Update, SessionState.Idle, Notifying, "5/1" },
            { SessionState.OpenSent, FsmEventKind.RouteRefresh, SessionState.Idle, Notifying, "5/1" },
            { SessionState.OpenConfirm, FsmEventKind.Keepalive, SessionState.Established, FsmActions.StartHold | FsmActions.SessionUp, "" },
            { SessionState.OpenConfirm, FsmEventKind.KeepaliveTimerExpires, SessionState.OpenConfirm, FsmActions.SendKeepalive | FsmActions.StartKeepalive, "" },
            { SessionState.OpenConfirm, FsmEventKind.Open, SessionState.Idle, Notifying, "5/2" },
            { SessionState.OpenConfirm, FsmEventKind.Update, SessionState.Idle, Notifying, "5/2" },
            { SessionState.Established, FsmEventKind.Keepalive, SessionState.Established, FsmActions.StartHold, "" },
            { SessionState.Established, FsmEventKind.Update, SessionState.Established, FsmActions.StartHold | FsmActions.DeliverUpdate, "" },
            { SessionState.Established, FsmEventKind.RouteRefresh, SessionState.Established, FsmActions.StartHold | FsmActions.DeliverRefresh, "" },
            { SessionState.Established, FsmEventKind.KeepaliveTimerExpires, SessionState.Established, FsmActions.SendKeepalive | FsmActions.StartKeepalive, "" },
            { SessionState.Established, FsmEventKind.Open, SessionState.Idle, Notifying | FsmActions.SessionDown, "5/3" },
        };
        foreach (SessionState state in new[] { SessionState.OpenSent, SessionState.OpenConfirm, SessionState.Established })
        {
            FsmActions down = state == SessionState.Established ? FsmActions.SessionDown : FsmActions.None;
            table.Add(state, FsmEventKind.HoldTimerExpires, SessionState.Idle, Notifying | down, "4/0");
            table.Add(state, FsmEventKind.SendHoldTimerExpires, SessionState.Idle, Notifying | down, "8/0");
            table.Add(state, FsmEventKind.CollisionLost, SessionState.Idle, Notifying | down, "6/7");
            table.Add(state, FsmEventKind.MessageError, SessionState.Idle, Notifying | down, "3/1");
            table.Add(state, FsmEventKind.Cease, SessionState.Idle, Notifying | down, "3/1");
            table.Add(state, FsmEventKind.Notification, SessionState.Idle, Closing | down, "");
            if (state != SessionState.OpenSent)
            {
                table.Add(state, FsmEventKind.TcpFails, SessionState.Idle, Closing | down, "");
            }

            table.Add(state, FsmEventKind.ConnectRetryTimerExpires, SessionState.Idle, Notifying | down, "5/0");
            table.Add(state, FsmEventKind.Stop, SessionState.Idle, FsmActions.StopTimers | FsmActions.CloseConnection | FsmActions.SendNotification | down, "3/1");
            table.Add(state, FsmEventKind.Start, state, FsmActions.None, "");
            table.Add(state, FsmEventKind.TcpConnected, state, FsmActions.None, "");
        }

        return table;
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Step_leads_to_state_actions_and_notification(
        SessionState state, FsmEventKind kind, SessionState next, FsmActions actions, string notification)
    {
        var e = new FsmEvent(kind, "why") { HoldTime = 90, Message = new(3, 1) };

        FsmTransition step = Fsm.Step(Active, new(state, HoldTime: 9), e);

        Assert.Equal(next, step.Next.State);
        Assert.Equal(actions, step.Actions);
        Assert.Equal(notification, step.Notification is { } sent ? $"{sent.Code}/{sent.Subcode}" : "");
        Assert.True(step.Next.State == state || step.Reason.Length > 0, "a change of state needs a reason");
    }

    [Fact]
    public void Passive_machine_waits_and_never_connects()
    {
        FsmConfig passive = Active with { Passive = true };

        FsmTransition start = Fsm.Step(passive, Fsm.Initial, new(FsmEventKind.Start));

        Assert.Equal(SessionState.Active, start.Next.State);
        Assert.False(start.Actions.HasFlag(FsmActions.Connect));
        Assert.Equal(SessionState.Active, Fsm.Step(passive, start.Next, new(FsmEventKind.ConnectRetryTimerExpires)).Next.State);
    }

    [Theory]
    [InlineData(9, 90, 9)]
    [InlineData(90, 9, 9)]
    [InlineData(9, 0, 0)]
    [InlineData(0, 90, 0)]
    public void Hold_time_is_the_lower_of_the_two(ushort ours, ushort theirs, ushort agreed) =>
        Assert.Equal(agreed, Fsm.Step(Active with { HoldTime = ours }, new(SessionState.OpenSent), new(FsmEventKind.Open) { HoldTime = theirs }).Next.HoldTime);

    [Fact]
    public void Waits_double_with_each_failure_and_end_at_a_minute()
    {
        var waits = new List<double>();
        FsmState state = Fsm.Initial;
        for (int i = 0; i < 7; i++)
        {
            state = Fsm.Step(Active, state with { State = SessionState.Active }, new(FsmEventKind.ConnectRetryTimerExpires)).Next;
            FsmTransition failed = Fsm.Step(Active, state, new(FsmEventKind.TcpFails, "refused"));
            waits.Add(failed.Delay.TotalSeconds);
            state = failed.Next;
        }

        Assert.Equal([2, 4, 8, 16, 32, 60, 60], waits);
    }

    [Fact]
    public void Waits_begin_small_again_once_a_session_proved_stable()
    {
        FsmState state = new(SessionState.Established, HoldTime: 9, Attempts: 6);
        Assert.Equal(60, Fsm.Step(Active, state, new(FsmEventKind.TcpFails, "reset")).Delay.TotalSeconds);
        for (int i = 0; i < 3; i++)
        {
            state = Fsm.Step(Active, state, new(FsmEventKind.Keepalive)).Next;
        }

        Assert.Equal(2, Fsm.Step(Active, state, new(FsmEventKind.TcpFails, "reset")).Delay.TotalSeconds);
    }

    [Fact]
    public void Router_over_its_prefix_limit_is_left_alone_for_the_longest_wait() =>
        Assert.Equal(
            FsmConfig.MaxDelay,
            Fsm.Step(Active, new(SessionState.Established), new(FsmEventKind.Cease, "too many") { Message = NotificationMessage.Cease(CeaseSubcode.MaxPrefix) }).Delay);

    [Theory]
    [InlineData(SessionState.OpenSent, FsmEventKind.Keepalive, 4)]
    [InlineData(SessionState.OpenSent, FsmEventKind.RouteRefresh, 5)]
    [InlineData(SessionState.OpenConfirm, FsmEventKind.Update, 2)]
    [InlineData(SessionState.Established, FsmEventKind.Open, 1)]
    public void Unexpected_message_is_named_in_the_data(SessionState state, FsmEventKind kind, byte type) =>
        Assert.Equal([type], Fsm.Step(Active, new(state), new(kind)).Notification!.Data.ToArray());

    [Fact]
    public void Every_state_answers_every_event()
    {
        foreach (SessionState state in Enum.GetValues<SessionState>())
        {
            foreach (FsmEventKind kind in Enum.GetValues<FsmEventKind>())
            {
                FsmTransition step = Fsm.Step(Active, new(state), new(kind, "why") { Message = new(6, 2) });
                bool waits = (step.Actions & (FsmActions.StartConnectRetry | FsmActions.StartIdleHold)) != 0;
                Assert.Equal(waits, step.Delay > TimeSpan.Zero);
                Assert.Equal(step.Actions.HasFlag(FsmActions.SendNotification), step.Notification is not null);
                Assert.Equal(state == SessionState.Established && step.Next.State != state, step.Actions.HasFlag(FsmActions.SessionDown));
            }
        }
    }
}
