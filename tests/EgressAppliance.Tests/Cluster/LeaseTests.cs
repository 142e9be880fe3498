using System.Globalization;
using EgressAppliance.Cluster.Leases;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Cluster;

public class LeaseTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Thousands of histories; <c>EGRESS_SEQUENCES</c> says how many.</summary>
    [Fact]
    public void Never_have_two_controllers_routes_and_mostly_one_has()
    {
        int histories = int.TryParse(Environment.GetEnvironmentVariable("EGRESS_SEQUENCES"), CultureInfo.InvariantCulture, out int given) ? given : 400;
        double led = 0;
        long tokens = 0;
        for (int seed = 0; seed < histories; seed++)
        {
            LeaseModel model = new(seed);
            Assert.Null(model.Run(120) is { } wrong ? $"seed {seed}: {wrong}" : null);
            led += model.Led / 120;
            tokens += model.Tokens;
        }

        // Misfortunes are far more frequent here than anywhere: still someone leads most of the time, and leaders change often.
        Assert.InRange(led / histories, 0.4, 1);
        Assert.InRange((double)tokens / histories, 2, 60);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(LeaseModel.Hold - 1, false)]
    [InlineData(LeaseModel.Hold + LeaseModel.Unacknowledged, true)]
    public void Wrong_holders_are_found(double silence, bool fromReply)
    {
        // The model must be able to find fault: holders that forget the silence of the router, and that count from the reply.
        Assert.Contains(Enumerable.Range(0, 3000), seed => new LeaseModel(seed, silence: silence, fromReply: fromReply).Run(120) is not null);
    }

    [Fact]
    public void Term_counts_from_the_question_and_the_latest_one_counts()
    {
        ManualTimeProvider time = new();
        LeaseTerm term = new(Options(), time);
        Assert.False(term.MayAnnounce);
        long first = time.GetTimestamp();
        time.Advance(Second);
        long second = time.GetTimestamp();
        term.Granted(second);
        term.Granted(first);
        Assert.Equal(Options().Voice, term.Remaining);
        time.Advance(Options().Voice - TimeSpan.FromMilliseconds(1));
        Assert.True(term.MayAnnounce);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(term.MayAnnounce);
        Assert.Equal(TimeSpan.Zero, term.Remaining);
        term.Granted(time.GetTimestamp());
        Assert.True(term.MayAnnounce);
        term.Revoke();
        Assert.False(term.MayAnnounce);
    }

    [Fact]
    public void Watch_waits_a_term_of_its_own_clock_after_the_latest_change()
    {
        ManualTimeProvider time = new();
        LeaseWatch watch = new(Options(), time);
        Guid other = Guid.NewGuid(), own = Guid.NewGuid();
        Assert.False(watch.IsFree(own));
        watch.Note(null);
        Assert.True(watch.IsFree(own));
        watch.Note(new LeaseRow(1, 1, "x", other, false, Options().Term));
        time.Advance(Options().Term);
        Assert.False(watch.IsFree(own));
        watch.Note(new LeaseRow(1, 1, "x", other, false, Options().Term));
        time.Advance(Second);
        Assert.True(watch.IsFree(own));
        watch.Note(new LeaseRow(1, 2, "x", other, false, Options().Term));
        Assert.False(watch.IsFree(own));

        // One that was given back owes its silence, and its own is free at once.
        watch.Note(new LeaseRow(1, 3, "x", other, true, 2 * Second));
        time.Advance(1.9 * Second);
        Assert.False(watch.IsFree(own));
        time.Advance(0.2 * Second);
        Assert.True(watch.IsFree(own));
        watch.Note(new LeaseRow(2, 4, "y", own, false, Options().Term));
        Assert.True(watch.IsFree(own));

        // A holder with a longer term is given that.
        watch.Note(new LeaseRow(3, 5, "x", other, false, 20 * Second));
        time.Advance(15 * Second);
        Assert.False(watch.IsFree(own));
    }

    [Fact]
    public void Term_that_has_no_room_for_the_silence_is_refused()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new SiteLease(Options() with { Term = 6 * Second }, new Store(), TimeProvider.System, NullLogger<SiteLease>.Instance));
        Assert.Contains("6.6 s are the least", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_of_two_leads_and_the_other_follows_when_it_is_gone()
    {
        ManualTimeProvider time = new();
        Store store = new();
        List<string> changes = [];
        await using SiteLease a = Make("a"), b = Make("b");
        a.Report(null, "{}");
        a.Start();
        await UntilAsync(() => a.View.Leads);
        b.Report(null, "{}");
        b.Start();
        await UntilAsync(() => b.View.Exchanges > 2);
        Assert.Equal((true, false, "a", "a"), (a.MayAnnounce, b.MayAnnounce, a.View.Leader, b.View.Leader));
        long token = a.Token;

        // It is cut off: silent within its voice, and the other follows within a term and a look.
        store.Refuse = "a";
        await UntilAsync(() => !a.MayAnnounce);
        Assert.False(b.MayAnnounce);
        await UntilAsync(() => b.View.Leads);
        Assert.False(a.MayAnnounce);
        Assert.Equal(token + 1, b.Token);
        Assert.Equal(["a leads", "a ends", "b leads"], changes);

        // Back again it stands by, until the leader cannot do well and it can.
        store.Refuse = "";
        await UntilAsync(() => a.View is { Problem: null, Leader: "b" });
        b.Report("a BGP session is down", "{}");
        await UntilAsync(() => a.View.Leads);
        Assert.False(b.MayAnnounce);
        Assert.Equal(token + 2, a.Token);
        Assert.Equal("b ends", changes[3]);

        // Now neither can: it stays as it is.
        a.Report("no collector is heard", "{}");
        int exchanges = (int)a.View.Exchanges;
        await UntilAsync(() => a.View.Exchanges > exchanges + 20);
        Assert.True(a.MayAnnounce);

        SiteLease Make(string box) => new(Options() with { Box = box }, store, time, NullLogger<SiteLease>.Instance)
        {
            Changed = leads => changes.Add($"{box} {(leads ? "leads" : "ends")}"),
        };

        async Task UntilAsync(Func<bool> condition)
        {
            for (int i = 0; !condition(); i++)
            {
                Assert.True(i < 3000, "it does not come true: " + string.Join(", ", changes));
                time.Advance(TimeSpan.FromMilliseconds(50));
                await Task.Delay(2);
            }
        }
    }

    [Fact]
    public async Task Lease_is_given_back_in_order_and_taken_after_the_silence()
    {
        ManualTimeProvider time = new();
        Store store = new();
        SiteLease a = new(Options() with { Box = "a" }, store, time, NullLogger<SiteLease>.Instance);
        a.Report(null, "{}");
        a.Start();
        while (!a.View.Leads)
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(2);
        }

        await a.DisposeAsync();
        Assert.False(a.MayAnnounce);
        Assert.Equal((true, Options().Silence), (store.Row!.Released, store.Row.Term));
    }

    private static LeaseOptions Options() => new() { Site = "s", Box = "x", Term = 7 * Second, Silence = 4.5 * Second };

    /// <summary>A database in memory.</summary>
    private sealed class Store : ILeaseStore
    {
        private readonly Dictionary<string, BoxReport> _boxes = [];
        private readonly Lock _gate = new();

        public LeaseRow? Row { get; private set; }

        /// <summary>The box that does not reach it.</summary>
        public string Refuse { get; set; } = "";

        public Task<LeaseReply> LookAsync(BoxReport own, CancellationToken cancellationToken) => Answer(own, row => (row, false));

        public Task<LeaseReply> RenewAsync(BoxReport own, long token, CancellationToken cancellationToken) => Answer(
            own, row => row is { Released: false } && row.Token == token && row.Run == own.Run ? (row with { Renewals = row.Renewals + 1 }, true) : (row, false));

        public Task<LeaseReply> TakeAsync(BoxReport own, LeaseRow? seen, TimeSpan term, CancellationToken cancellationToken) => Answer(
            own, row => row?.Token == seen?.Token && row?.Renewals == seen?.Renewals ? (new LeaseRow((row?.Token ?? 0) + 1, (row?.Renewals ?? 0) + 1, own.Box, own.Run, false, term), true) : (row, false));

        public Task<LeaseReply> ReleaseAsync(BoxReport own, long token, TimeSpan owed, CancellationToken cancellationToken) => Answer(
            own, row => row is { Released: false } && row.Token == token && row.Run == own.Run ? (row with { Renewals = row.Renewals + 1, Released = true, Term = owed }, true) : (row, false));

        private Task<LeaseReply> Answer(BoxReport own, Func<LeaseRow?, (LeaseRow?, bool)> change)
        {
            if (own.Box == Refuse)
            {
                return Task.FromException<LeaseReply>(new IOException("no answer"));
            }

            lock (_gate)
            {
                _boxes[own.Box] = own;
                (Row, bool granted) = change(Row);
                return Task.FromResult(new LeaseReply(Row, granted, [.. _boxes.Values]));
            }
        }
    }
}
