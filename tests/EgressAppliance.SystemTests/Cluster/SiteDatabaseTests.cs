using System.Diagnostics;
using EgressAppliance.Cluster.Leases;
using EgressAppliance.Cluster.Store;
using EgressAppliance.SystemTests.History;
using EgressAppliance.SystemTests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>The lease and what leaders leave to each other, in a real PostgreSQL that is stopped, killed and frozen.</summary>
public sealed class SiteDatabaseTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly LeaseOptions Options = new() { Site = "lab", Box = "", Term = TimeSpan.FromSeconds(7), Silence = TimeSpan.FromSeconds(4.5) };

    [HistoryFact]
    public async Task One_leads_through_restarts_and_freezes_of_the_server()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using SiteDatabase first = new(server.Connection), second = new(server.Connection);
        await using SiteLease a = Lease("a", first), b = Lease("b", second);
        a.Start();
        b.Start();
        await Until.TrueAsync("one to lead", () => Task.FromResult(a.MayAnnounce != b.MayAnnounce && a.View.Boxes.Count == 2 && b.View.Boxes.Count == 2), Limit, output);
        (SiteLease leader, SiteLease other) = a.MayAnnounce ? (a, b) : (b, a);
        Assert.Equal(leader.View.Leader, other.View.Leader);
        long token = leader.Token;

        // Frozen for longer than the leader's voice: it falls silent by itself, and nobody else leads.
        long frozen = Stopwatch.GetTimestamp();
        server.Server.Signal(PosixSignalNumber.Stop);
        await Shell.RunAsync(["pkill", "-STOP", "-P", $"{server.Server.ProcessId}"]);
        await Until.TrueAsync("the leader to fall silent", () => Task.FromResult(!leader.MayAnnounce), Limit, output, TimeSpan.FromMilliseconds(20));
        output.WriteLine($"silent {Stopwatch.GetElapsedTime(frozen).TotalSeconds:F2} s after the server was frozen");
        Assert.InRange(Stopwatch.GetElapsedTime(frozen).TotalSeconds, 1, Options.Voice.TotalSeconds + 0.5);
        await Task.Delay(TimeSpan.FromSeconds(8));
        Assert.False(a.MayAnnounce || b.MayAnnounce);
        await Shell.RunAsync(["pkill", "-CONT", "-P", $"{server.Server.ProcessId}"]);
        server.Server.Signal(PosixSignalNumber.Continue);
        await Until.TrueAsync("one to lead again", () => Task.FromResult(a.MayAnnounce != b.MayAnnounce), Limit, output);
        Assert.True(Math.Max(a.Token, b.Token) > token);

        // A quick restart: whoever leads goes on or somebody does soon after.
        await server.StopAsync();
        await server.StartAsync();
        await Until.TrueAsync("one to lead after the restart", () => Task.FromResult(a.MayAnnounce != b.MayAnnounce && a.View.Problem is null && b.View.Problem is null), Limit, output);
        Assert.DoesNotContain(PostgresServer.Password, a.View.Problem ?? "", StringComparison.Ordinal);
    }

    [HistoryFact]
    public async Task What_a_former_leader_saves_is_refused()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using SiteDatabase database = new(server.Connection);
        PostgresLeaseStore lease = new(database, "lab");
        SiteStore old = new(database, "lab", "a"), next = new(database, "lab", "b");
        BoxReport a = new("a", Guid.NewGuid(), "", TimeSpan.Zero, "{}"), b = a with { Box = "b", Run = Guid.NewGuid() };
        Assert.Null(await old.LoadAsync(default));
        Assert.False(await old.SaveAsync(1, 1, "inject", "{}", default));

        LeaseReply taken = await lease.TakeAsync(a, null, Options.Term, default);
        Assert.True(taken.Granted);
        Assert.Equal((1, 1, "a", Options.Term), (taken.Row!.Token, taken.Row.Renewals, taken.Row.Holder, taken.Row.Term));
        Assert.False((await lease.TakeAsync(b, null, Options.Term, default)).Granted);
        Assert.True((await lease.RenewAsync(a, 1, default)).Granted);
        Assert.False((await lease.RenewAsync(a with { Run = Guid.NewGuid() }, 1, default)).Granted);
        Assert.False((await lease.TakeAsync(b, taken.Row, Options.Term, default)).Granted);
        Assert.True(await old.SaveAsync(1, 5, "inject", "five", default));
        Assert.True(await old.SaveAsync(1, 6, "inject", "six", default));
        Assert.False(await old.SaveAsync(1, 4, "inject", "four", default));
        Assert.True(await old.AppendAsync(1, [Line(DateTimeOffset.UtcNow, 6, "cycle")], default));

        LeaseRow seen = (await lease.LookAsync(b, default)).Row!;
        Assert.True((await lease.TakeAsync(b, seen, Options.Term, default)).Granted);
        Assert.False((await lease.RenewAsync(a, 1, default)).Granted);
        Assert.False(await old.SaveAsync(1, 7, "inject", "seven", default));
        Assert.False(await old.AppendAsync(1, [Line(DateTimeOffset.UtcNow, 7, "cycle")], default));
        Assert.Equal(new SavedState(1, 6, "six"), await next.LoadAsync(default));
        Assert.True(await next.SaveAsync(2, 1, "observe", "one", default));
        Assert.Equal(new SavedState(2, 1, "one"), await next.LoadAsync(default));
        Assert.Equal("observe", await server.QueryAsync("SELECT mode FROM egress_controller"));
        LeaseReply released = await lease.ReleaseAsync(b, 2, TimeSpan.FromSeconds(2), default);
        Assert.True(released.Granted);
        Assert.Equal((true, TimeSpan.FromSeconds(2)), (released.Row!.Released, released.Row.Term));
        Assert.Equal(["a", "b"], released.Boxes.Select(x => x.Box));
    }

    [HistoryFact]
    public async Task Journal_has_a_partition_a_day_and_old_ones_go_as_a_whole()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using SiteDatabase database = new(server.Connection), another = new(server.Connection);
        PostgresLeaseStore lease = new(database, "lab");
        await lease.TakeAsync(new BoxReport("a", Guid.NewGuid(), "", TimeSpan.Zero, "{}"), null, Options.Term, default);
        DateTimeOffset begin = new(2026, 2, 27, 12, 0, 0, TimeSpan.Zero);
        SiteJournalLine[] lines = [.. Enumerable.Range(0, 5).Select(i => Line(begin.AddDays(i), i, "cycle"))];

        // Two boxes make the same partitions at once; twice the same line is there once.
        SiteStore store = new(database, "lab", "a"), same = new(another, "lab", "a");
        bool[] appended = await Task.WhenAll(store.AppendAsync(1, lines, default), same.AppendAsync(1, lines, default));
        Assert.Equal([true, true], appended);
        Assert.Equal("5", await server.QueryAsync("SELECT count(*) FROM egress_journal"));
        Assert.Equal(5, (await store.ReadJournalAsync(begin, begin.AddDays(9), 100, default)).Count);
        Assert.Equal([1, 2], (await store.ReadJournalAsync(begin.AddDays(1), begin.AddDays(3), 100, default)).Select(l => l.Cycle));
        Assert.Equal("egress_journal_20260228", await server.QueryAsync("SELECT tableoid::regclass FROM egress_journal WHERE cycle = 1"));
        Assert.Equal(3, await store.DropJournalBeforeAsync(new DateOnly(2026, 3, 2), default));
        Assert.Equal([3, 4], (await store.ReadJournalAsync(begin, begin.AddDays(9), 100, default)).Select(l => l.Cycle));
    }

    [HistoryFact]
    public async Task Troubles_are_told_in_words()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using SiteDatabase wrong = new(server.Connection.Replace(PostgresServer.Password, "wrong", StringComparison.Ordinal));
        SiteDatabaseException refused = await Assert.ThrowsAsync<SiteDatabaseException>(() => new SiteStore(wrong, "lab", "a").LoadAsync(default));
        Assert.Contains("cluster.database_file", refused.Message, StringComparison.Ordinal);
        await using SiteDatabase missing = new(server.Connection.Replace("Database=postgres", "Database=none", StringComparison.Ordinal));
        Assert.Contains("create the database", (await Assert.ThrowsAsync<SiteDatabaseException>(() => new SiteStore(missing, "lab", "a").LoadAsync(default))).Message, StringComparison.Ordinal);

        // The second host is the one that answers.
        await using SiteDatabase two = new(server.Connection.Replace("Host=127.0.0.1;", $"Host=127.0.0.1:1,127.0.0.1:{server.Port};", StringComparison.Ordinal));
        Assert.Null(await new SiteStore(two, "lab", "a").LoadAsync(default));

        // Tables of a newer version are left alone.
        await server.QueryAsync("INSERT INTO egress_schema VALUES (99)");
        await using SiteDatabase newer = new(server.Connection);
        Assert.Contains("upgrade this box", (await Assert.ThrowsAsync<SiteDatabaseException>(() => new SiteStore(newer, "lab", "a").LoadAsync(default))).Message, StringComparison.Ordinal);
    }

    private static SiteLease Lease(string box, SiteDatabase database)
    {
        SiteLease lease = new(Options with { Box = box }, new PostgresLeaseStore(database, "lab"), TimeProvider.System, NullLogger<SiteLease>.Instance);
        lease.Report(null, "{}");
        return lease;
    }

    private static SiteJournalLine Line(DateTimeOffset time, long cycle, string kind) => new(time, cycle, kind, "{}");
}
