using EgressAppliance.Cluster.Leases;

namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>Single rules of the lease, by a clock that is set by hand.</summary>
public class LeaseHolderTests
{
    private static readonly Guid Mine = new("11111111-1111-1111-1111-111111111111");
    private static readonly Guid Other = new("22222222-2222-2222-2222-222222222222");
    private static readonly LeaseOptions Options = new() { Site = "s", Box = "a", Term = TimeSpan.FromSeconds(8), Silence = TimeSpan.FromSeconds(4) };
    private readonly HandClock _clock = new();
    private readonly LeaseHolder _holder;

    public LeaseHolderTests() => _holder = new LeaseHolder(Options, Mine, _clock);

    [Fact]
    public void Grant_counts_from_before_the_question()
    {
        Lead(replyAfter: 1.5);
        Assert.True(_holder.Leads);
        Assert.Equal(Options.Voice - TimeSpan.FromSeconds(1.5), _holder.Term.Remaining);
        _clock.Pass(Options.Voice.TotalSeconds - 1.5 - 0.001);
        Assert.True(_holder.Term.MayAnnounce);
        _clock.Pass(0.001);
        Assert.False(_holder.Term.MayAnnounce);
    }

    [Fact]
    public void Process_that_was_stopped_finds_out_at_the_first_question()
    {
        Lead();
        _clock.Pass(600);
        Assert.False(_holder.Term.MayAnnounce);
        Assert.True(_holder.Lapse());
        Assert.False(_holder.Leads);
        Assert.False(_holder.Lapse());
    }

    [Fact]
    public void Reply_that_comes_after_the_end_of_its_grant_makes_no_leader()
    {
        Watched();
        LeaseRequest take = _holder.Next("", "{}");
        Assert.Equal(LeaseAsk.Take, take.Ask);
        long asked = _clock.GetTimestamp();
        _clock.Pass(600);
        _holder.Replied(take, asked, Reply(Row(2, 1, Mine), granted: true));
        Assert.False(_holder.Leads);
        Assert.False(_holder.Term.MayAnnounce);

        // Its own lease it need not wait for.
        Assert.Equal(LeaseAsk.Take, _holder.Next("", "{}").Ask);
    }

    [Fact]
    public void Grant_that_was_asked_for_before_resigning_is_void()
    {
        Lead();
        _clock.Pass(1);
        LeaseRequest renew = _holder.Next("", "{}");
        long asked = _clock.GetTimestamp();
        _holder.Resign(withdrawn: false);
        _holder.Replied(renew, asked, Reply(Row(2, 2, Mine), granted: true));
        Assert.False(_holder.Term.MayAnnounce);
        LeaseRequest release = _holder.Next("", "{}");
        Assert.Equal((LeaseAsk.Release, Options.Owed), (release.Ask, release.Term));
        Assert.Equal(LeaseState.Yielding, _holder.State);
        _clock.Pass(Options.Owed.TotalSeconds);
        Assert.Equal(LeaseState.Standby, _holder.State);
    }

    [Fact]
    public void Withdrawal_that_is_confirmed_later_shortens_the_wait_of_others()
    {
        Lead();
        _holder.Resign(withdrawn: false);
        Exchange(Row(2, 2, Mine, released: true, term: Options.Owed), granted: true);
        _holder.Resign(withdrawn: true);
        LeaseRequest again = _holder.Next("", "{}");
        Assert.Equal((LeaseAsk.Release, TimeSpan.Zero, 2L), (again.Ask, again.Term, again.Token));
        Assert.Equal(LeaseState.Standby, _holder.State);
    }

    [Theory]
    [InlineData(false, false, 8.08)] // held: a term, by a clock that may go slow
    [InlineData(true, false, 4.2925)] // given back: what is owed
    [InlineData(true, true, 8.08)] // given back, says a server that may not know of another since
    public void Lease_of_another_is_taken_after_it_was_seen_unchanged(bool released, bool moved, double seconds)
    {
        LeaseRow row = Row(1, 7, Other, released, released ? Options.Owed : Options.Term) with { Moved = moved };
        Exchange(row);
        _clock.Pass(seconds - 0.001);
        Assert.Equal(LeaseAsk.Look, _holder.Next("", "{}").Ask);
        _clock.Pass(0.001);
        LeaseRequest take = _holder.Next("", "{}");
        Assert.Equal((LeaseAsk.Take, row), (take.Ask, take.Seen));
    }

    [Fact]
    public void Each_change_of_the_row_begins_the_wait_anew()
    {
        Exchange(Row(1, 7, Other));
        _clock.Pass(8);
        Exchange(Row(1, 8, Other));
        _clock.Pass(8);
        Exchange(Row(1, 8, Other) with { History = "another server" });
        _clock.Pass(8);
        Assert.Equal(LeaseAsk.Look, _holder.Next("", "{}").Ask);
        _clock.Pass(0.08);
        Assert.Equal(LeaseAsk.Take, _holder.Next("", "{}").Ask);
    }

    [Fact]
    public void Longer_term_of_another_counts()
    {
        Exchange(Row(1, 7, Other, term: TimeSpan.FromSeconds(20)));
        _clock.Pass(20.19);
        Assert.Equal(LeaseAsk.Look, _holder.Next("", "{}").Ask);
        _clock.Pass(0.02);
        Assert.Equal(LeaseAsk.Take, _holder.Next("", "{}").Ask);
    }

    [Fact]
    public void Token_that_is_lower_than_one_seen_before_is_doubted_and_exceeded()
    {
        Exchange(Row(9, 7, Other));
        Exchange(Row(3, 1, Other, released: true, term: TimeSpan.Zero));
        Assert.Equal(LeaseAsk.Look, _holder.Next("", "{}").Ask);
        _clock.Pass(8.1);
        LeaseRequest take = _holder.Next("", "{}");
        Assert.Equal((LeaseAsk.Take, 9L), (take.Ask, take.Token));
    }

    [Fact]
    public void Leader_that_cannot_decide_gives_way_to_a_box_that_can_and_only_to_one()
    {
        Lead();
        Assert.Equal(LeaseAsk.Renew, _holder.Next("no session", "{}").Ask);
        _clock.Pass(2.5);
        Exchange(Row(2, 2, Mine), granted: true, boxes: [Report("b", "no session either", 1)], problem: "no session");
        Exchange(Row(2, 3, Mine), granted: true, boxes: [Report("b", "no session either", 2)], problem: "no session");
        _clock.Pass(2.5);
        Assert.Equal(LeaseAsk.Renew, _holder.Next("no session", "{}").Ask);

        // Seen twice, so it lives, and it could.
        Exchange(Row(2, 4, Mine), granted: true, boxes: [Report("b", "", 3)], problem: "no session");
        LeaseRequest release = _holder.Next("no session", "{}");
        Assert.Equal((LeaseAsk.Release, Options.Owed), (release.Ask, release.Term));
        Assert.False(_holder.Leads);
        Assert.False(_holder.Term.MayAnnounce);
    }

    [Fact]
    public void Report_that_never_changes_is_not_that_of_a_living_box()
    {
        Lead(boxes: [Report("b", "", 5)]);
        _holder.Next("no session", "{}");
        _clock.Pass(2.5);
        Exchange(Row(2, 2, Mine), granted: true, boxes: [Report("b", "", 5)], problem: "no session");
        Assert.Equal(LeaseAsk.Renew, _holder.Next("no session", "{}").Ask);
        Assert.False(_holder.Boxes.Single(b => b.Box == "b").Fresh);
    }

    [Fact]
    public void Box_that_cannot_decide_takes_a_lease_that_nobody_wants_after_three_terms()
    {
        Exchange(Row(1, 7, Other));
        _clock.Pass(8.1);
        Assert.Equal(LeaseAsk.Look, _holder.Next("no session", "{}").Ask);
        _clock.Pass(23.9);
        Assert.Equal(LeaseAsk.Look, _holder.Next("no session", "{}").Ask);
        _clock.Pass(0.2);
        Assert.Equal(LeaseAsk.Take, _holder.Next("no session", "{}").Ask);
    }

    [Fact]
    public void Request_of_a_run_that_was_carried_out_late_is_given_back_where_the_box_does_not_want_to_lead()
    {
        Exchange(Row(5, 1, Mine));
        LeaseRequest request = _holder.Next("no session", "{}");
        Assert.Equal((LeaseAsk.Release, 5L), (request.Ask, request.Token));
    }

    [Fact]
    public void Renewal_that_is_refused_ends_the_leadership()
    {
        Lead();
        Exchange(Row(3, 1, Other), granted: false);
        Assert.False(_holder.Leads);
        Assert.False(_holder.Term.MayAnnounce);
    }

    [Fact]
    public void Next_look_is_at_the_very_end_of_the_wait()
    {
        Exchange(Row(1, 7, Other));
        _clock.Pass(7.5);
        long asked = _clock.GetTimestamp();
        Assert.Equal(TimeSpan.FromSeconds(0.58), _holder.Pause(asked, answered: true));
        Assert.Equal(TimeSpan.FromSeconds(0.25), _holder.Pause(asked, answered: false));
    }

    [Fact]
    public void Term_that_is_too_short_is_refused_with_the_keys_and_the_remedy()
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => (Options with { Term = TimeSpan.FromSeconds(6) }).Validate());
        Assert.Contains("cluster.lease 6s is too short", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("set cluster.lease to 6.4s or more, or lower routers[].bgp.hold_time", refusal.Message, StringComparison.Ordinal);
        (Options with { Term = TimeSpan.FromSeconds(6.4) }).Validate();
    }

    private static LeaseRow Row(long token, long renewals, Guid run, bool released = false, TimeSpan? term = null) =>
        new(token, renewals, run == Mine ? "a" : "b", run, released, term ?? Options.Term, "server");

    private static BoxReport Report(string box, string problem, long number) => new(box, Other, false, problem, "{}") { Number = number };

    private static LeaseReply Reply(LeaseRow row, bool granted = false, IReadOnlyList<BoxReport>? boxes = null) => new(row, granted, boxes ?? []);

    private void Exchange(LeaseRow row, bool granted = false, IReadOnlyList<BoxReport>? boxes = null, string problem = "") =>
        _holder.Replied(_holder.Next(problem, "{}"), _clock.GetTimestamp(), Reply(row, granted, boxes));

    private void Watched()
    {
        Exchange(Row(1, 7, Other));
        _clock.Pass(10);
    }

    private void Lead(double replyAfter = 0, IReadOnlyList<BoxReport>? boxes = null)
    {
        Watched();
        LeaseRequest take = _holder.Next("", "{}");
        long asked = _clock.GetTimestamp();
        _clock.Pass(replyAfter);
        _holder.Replied(take, asked, Reply(Row(2, 1, Mine), granted: true, boxes));
        Assert.Equal((true, 2L), (_holder.Leads, _holder.Token));
    }

    private sealed class HandClock : TimeProvider
    {
        private long _now = 1_000_000_000;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Pass(double seconds) => _now += (long)Math.Round(seconds * TimeSpan.TicksPerSecond);
    }
}
