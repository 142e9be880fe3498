using EgressAppliance.Cluster.Leases;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>The loop around the core, with a database in memory.</summary>
public class SiteLeaseTests
{
    private static readonly LeaseOptions Options = new() { Site = "s", Box = "x", Term = TimeSpan.FromSeconds(8), Silence = TimeSpan.FromSeconds(4.5) };
    private readonly ManualTimeProvider _time = new();
    private readonly Store _store = new();
    private readonly List<string> _changes = [];

    [Fact]
    public async Task One_of_two_leads_and_the_other_follows_when_it_is_gone()
    {
        await using SiteLease a = Make("a"), b = Make("b");
        a.Report(null, "{}");
        a.Start();
        await UntilAsync(() => a.View.Leads);
        b.Report(null, "{}");
        b.Start();
        await UntilAsync(() => b.View.Exchanges > 2);
        Assert.Equal((true, false, "a", "a"), (a.MayAnnounce, b.MayAnnounce, a.View.Leader, b.View.Leader));
        Assert.Equal((LeaseState.Leading, LeaseState.Standby), (a.State, b.State));
        long token = a.Token;

        // It is cut off: silent within its time, and the other follows within a term and a look.
        _store.Refuse = "a";
        await UntilAsync(() => !a.MayAnnounce);
        Assert.False(b.MayAnnounce);
        Assert.Equal("no answer", a.View.Problem);
        await UntilAsync(() => b.View.Leads);
        Assert.False(a.MayAnnounce);
        Assert.Equal(token + 1, b.Token);
        Assert.Equal(["a leads", "a ends", "b leads"], _changes);

        // Back again it stands by, until the leader cannot do well and it can.
        _store.Refuse = "";
        await UntilAsync(() => a.View is { Problem: null, Leader: "b" });
        b.Report("a BGP session is down", "{}");
        await UntilAsync(() => a.View.Leads);
        Assert.False(b.MayAnnounce);
        Assert.Equal(token + 2, a.Token);
        Assert.Equal("b ends", _changes[3]);

        // Now neither can: it stays as it is.
        a.Report("no collector is heard", "{}");
        long exchanges = a.View.Exchanges;
        await UntilAsync(() => a.View.Exchanges > exchanges + 20);
        Assert.True(a.MayAnnounce);
        Assert.Equal(["a", "b"], a.View.Boxes.Select(x => x.Box).Order());
    }

    [Fact]
    public async Task Database_that_never_answers_does_not_keep_the_end_from_being_told()
    {
        await using SiteLease a = Make("a");
        a.Report(null, "{}");
        a.Start();
        await UntilAsync(() => a.View.Leads);
        _store.Hang = true;
        await UntilAsync(() => _changes.Count == 2);
        Assert.Equal("a ends", _changes[1]);
        Assert.False(a.MayAnnounce);
        Assert.Equal(LeaseState.Yielding, a.State);
        _store.Hang = false;
    }

    [Fact]
    public async Task Resigning_silences_at_once_and_lets_the_other_take_it_when_the_withdrawal_is_confirmed()
    {
        await using SiteLease a = Make("a"), b = Make("b");
        a.Report(null, "{}");
        a.Start();
        await UntilAsync(() => a.View.Leads);
        b.Report(null, "{}");
        b.Start();
        await UntilAsync(() => b.View.Exchanges > 1);
        Task<bool> resigned = a.ResignAsync(withdrawn: false);
        Assert.False(a.MayAnnounce);
        Assert.Equal("a ends", _changes[^1]);
        await UntilAsync(() => resigned.IsCompleted);
        Assert.True(await resigned);
        Assert.Equal((true, Options.Owed), (_store.Row!.Released, _store.Row.Term));
        Task<bool> confirmed = a.ResignAsync(withdrawn: true);
        await UntilAsync(() => confirmed.IsCompleted);
        Assert.True(await confirmed);
        Assert.Equal((true, TimeSpan.Zero), (_store.Row!.Released, _store.Row.Term));
        TimeSpan before = _time.GetUtcNow().TimeOfDay;
        await UntilAsync(() => b.View.Leads);
        Assert.InRange((_time.GetUtcNow().TimeOfDay - before).TotalSeconds, 0, 1.5);
        Assert.Equal("stands back, since it gave the lease back", b.View.Boxes.Single(x => x.Box == "a").Problem);
    }

    [Theory]
    [InlineData(null, 4.75)]
    [InlineData(1.0, 1.25)]
    [InlineData(100.0, 4.75)]
    public async Task Lease_is_given_back_at_the_end_with_what_is_owed(double? owed, double told)
    {
        SiteLease a = Make("a");
        a.Owed = owed is { } seconds ? () => TimeSpan.FromSeconds(seconds) : null;
        a.Report(null, "{}");
        a.Start();
        await UntilAsync(() => a.View.Leads);
        await a.DisposeAsync();
        Assert.False(a.MayAnnounce);
        Assert.Equal((true, TimeSpan.FromSeconds(told)), (_store.Row!.Released, _store.Row.Term));
    }

    [Fact]
    public async Task Listener_that_throws_does_no_harm()
    {
        await using SiteLease a = Make("a");
        a.Changed = _ => throw new InvalidOperationException("a bug");
        a.Report(null, "{}");
        a.Start();
        await UntilAsync(() => a.View.Leads && a.View.Exchanges > 12);
        Assert.True(a.MayAnnounce);
    }

    private SiteLease Make(string box) => new(Options with { Box = box }, _store, _time, NullLogger<SiteLease>.Instance)
    {
        Changed = leads => _changes.Add($"{box} {(leads ? "leads" : "ends")}"),
    };

    private async Task UntilAsync(Func<bool> condition)
    {
        for (int i = 0; !condition(); i++)
        {
            Assert.True(i < 3000, "it does not come true: " + string.Join(", ", _changes));
            _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(2);
        }
    }

    /// <summary>A database in memory.</summary>
    private sealed class Store : ILeaseStore
    {
        private readonly Dictionary<string, BoxReport> _boxes = [];
        private readonly Lock _gate = new();

        public LeaseRow? Row { get; private set; } = new(0, 0, "", Guid.Empty, false, Options.Term, "server");

        /// <summary>The box that does not reach it.</summary>
        public string Refuse { get; set; } = "";

        /// <summary>It takes requests, and never answers.</summary>
        public bool Hang { get; set; }

        public Task<LeaseReply> ExchangeAsync(LeaseRequest request, CancellationToken cancellationToken)
        {
            if (Hang)
            {
                return new TaskCompletionSource<LeaseReply>().Task;
            }

            if (request.Own.Box == Refuse)
            {
                return Task.FromException<LeaseReply>(new IOException("no answer"));
            }

            lock (_gate)
            {
                BoxReport own = request.Own;
                _boxes[own.Box] = own with { Number = _boxes.TryGetValue(own.Box, out BoxReport? before) ? before.Number + 1 : 1 };
                LeaseRow row = Row!;
                LeaseRow? changed = request.Ask switch
                {
                    LeaseAsk.Renew when row.Token == request.Token && row.Run == own.Run && !row.Released => row,
                    LeaseAsk.Release when row.Token == request.Token && row.Run == own.Run => row with { Released = true, Term = request.Term },
                    LeaseAsk.Take when (row.Token, row.Renewals) == (request.Seen!.Token, request.Seen.Renewals) => new LeaseRow(row.Token + 1, 0, own.Box, own.Run, false, request.Term, "server"),
                    _ => null,
                };
                Row = (changed ?? row) with { Renewals = changed is null ? row.Renewals : row.Renewals + 1 };
                return Task.FromResult(new LeaseReply(Row, changed is not null, [.. _boxes.Values]));
            }
        }
    }
}
