using EgressAppliance.Cluster.Leases;
using EgressAppliance.Cluster.Store;
using EgressAppliance.SystemTests.History;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>What leaders leave to each other, in a real PostgreSQL; and what is told when it cannot be had.</summary>
public sealed class SiteDatabaseTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Term = TimeSpan.FromSeconds(3);
    private static readonly BoxReport A = new("a", Guid.NewGuid(), false, "", "{}");
    private static readonly BoxReport B = new("b", Guid.NewGuid(), false, "", "{}");

    [HistoryFact]
    public async Task What_a_former_leader_saves_is_refused()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using SiteDatabase database = new(server.Connection);
        await using PostgresLeaseStore lease = new(database, "lab");
        SiteStore old = new(database, "lab", "a"), next = new(database, "lab", "b");
        Assert.Null(await old.LoadAsync(default));
        Assert.False(await old.SaveAsync(1, 1, "inject", "{}", default));

        // A row that is not there is made, and whoever had it before may have been granted it until now.
        Assert.Null((await AskAsync(lease, LeaseAsk.Look, A)).Row);
        LeaseRow made = (await AskAsync(lease, LeaseAsk.Look, A)).Row!;
        Assert.Equal((0, "", false, Term, false), (made.Token, made.Holder, made.Released, made.Term, made.Moved));
        Assert.Matches("^[0-9]+/00000001$", made.History);
        Assert.False((await AskAsync(lease, LeaseAsk.Take, A, 0, made)).Granted);
        await server.QueryAsync("UPDATE egress_lease SET expires = clock_timestamp()");

        LeaseReply taken = await AskAsync(lease, LeaseAsk.Take, A, 0, made);
        Assert.True(taken.Granted);
        Assert.Equal((1, made.Renewals + 1, "a", Term), (taken.Row!.Token, taken.Row.Renewals, taken.Row.Holder, taken.Row.Term));
        Assert.False((await AskAsync(lease, LeaseAsk.Take, B, 0, made)).Granted);
        Assert.True((await AskAsync(lease, LeaseAsk.Renew, A, 1)).Granted);
        Assert.False((await AskAsync(lease, LeaseAsk.Renew, A with { Run = Guid.NewGuid() }, 1)).Granted);
        Assert.False((await AskAsync(lease, LeaseAsk.Take, B, 1, taken.Row)).Granted);
        Assert.True(await old.SaveAsync(1, 5, "inject", "five", default));
        Assert.True(await old.SaveAsync(1, 6, "inject", "six", default));
        Assert.False(await old.SaveAsync(1, 4, "inject", "four", default));
        Assert.True(await old.AppendAsync(1, [Line(DateTimeOffset.UtcNow, 6)], default));

        // Not before the server's clock says so as well; and a token that was seen higher is exceeded.
        LeaseRow seen = (await AskAsync(lease, LeaseAsk.Look, B)).Row!;
        Assert.False((await AskAsync(lease, LeaseAsk.Take, B, 1, seen)).Granted);
        await server.QueryAsync("UPDATE egress_lease SET expires = clock_timestamp()");
        Assert.Equal(8, (await AskAsync(lease, LeaseAsk.Take, B, 7, seen)).Row!.Token);
        Assert.False((await AskAsync(lease, LeaseAsk.Renew, A, 1)).Granted);
        Assert.False((await AskAsync(lease, LeaseAsk.Release, A, 1)).Granted);
        Assert.False(await old.SaveAsync(1, 7, "inject", "seven", default));
        Assert.False(await old.AppendAsync(1, [Line(DateTimeOffset.UtcNow, 7)], default));
        Assert.Equal(new SavedState(1, 6, "six"), await next.LoadAsync(default));
        Assert.True(await next.SaveAsync(8, 1, "observe", "one", default));
        Assert.Equal(new SavedState(8, 1, "one"), await next.LoadAsync(default));
        Assert.Equal("observe", await server.QueryAsync("SELECT mode FROM egress_controller"));

        LeaseReply released = await AskAsync(lease, LeaseAsk.Release, B, 8);
        Assert.True(released.Granted);
        Assert.Equal((true, Term), (released.Row!.Released, released.Row.Term));
        Assert.False((await AskAsync(lease, LeaseAsk.Renew, B, 8)).Granted);
        Assert.Equal(["a", "b"], released.Boxes.Select(x => x.Box));

        // What would be refused as text costs no exchange.
        LeaseReply told = await AskAsync(lease, LeaseAsk.Look, B with { Problem = "a\0b\ud800c", Details = new string('x', 100_000) });
        Assert.Equal(("ab\ufffdc", """{"omitted":"too long"}"""), (told.Boxes[1].Problem, told.Boxes[1].Details));

        // Tokens go on where the row is lost.
        await server.QueryAsync("DELETE FROM egress_lease");
        Assert.Null((await AskAsync(lease, LeaseAsk.Renew, B, 8)).Row);
        Assert.Equal(8, (await AskAsync(lease, LeaseAsk.Look, B)).Row!.Token);
    }

    [HistoryFact]
    public async Task Journal_has_a_partition_a_day_and_old_ones_go_as_a_whole()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using SiteDatabase database = new(server.Connection), another = new(server.Connection);
        await using PostgresLeaseStore lease = new(database, "lab");
        await AskAsync(lease, LeaseAsk.Look, A);
        await AskAsync(lease, LeaseAsk.Look, A);
        await server.QueryAsync("UPDATE egress_lease SET token = 1");
        DateTimeOffset begin = new(2026, 2, 27, 12, 0, 0, TimeSpan.Zero);
        SiteJournalLine[] lines = [.. Enumerable.Range(0, 5).Select(i => Line(begin.AddDays(i), i))];

        // Two boxes make the same partitions at once; twice the same line is there once.
        SiteStore store = new(database, "lab", "a"), same = new(another, "lab", "a");
        bool[] appended = await Task.WhenAll(store.AppendAsync(1, lines, default), same.AppendAsync(1, lines, default));
        Assert.Equal([true, true], appended);
        Assert.Equal("5", await server.QueryAsync("SELECT count(*) FROM egress_journal"));
        IReadOnlyList<SiteJournalLine> all = await store.ReadJournalAsync(begin, begin.AddDays(9), 100, default);
        Assert.Equal((5, 1, "a"), (all.Count, all[0].Token, all[0].Box));
        Assert.Equal([1, 2], (await store.ReadJournalAsync(begin.AddDays(1), begin.AddDays(3), 100, default)).Select(l => l.Cycle));
        Assert.Equal("egress_journal_20260228", await server.QueryAsync("SELECT tableoid::regclass FROM egress_journal WHERE cycle = 1"));
        Assert.Equal(3, await store.DropJournalBeforeAsync(new DateOnly(2026, 3, 2), default));
        Assert.Equal([3, 4], (await store.ReadJournalAsync(begin, begin.AddDays(9), 100, default)).Select(l => l.Cycle));

        // The day after the latest is there before it begins; one that was taken away is made anew.
        Assert.Equal("egress_journal_20260302,egress_journal_20260303,egress_journal_20260304", await server.QueryAsync("SELECT string_agg(inhrelid::regclass::text, ',' ORDER BY 1) FROM pg_inherits WHERE inhparent = 'egress_journal'::regclass"));
        Assert.True(await store.AppendAsync(1, [Line(begin, 9)], default));
        Assert.Equal([9, 3, 4], (await store.ReadJournalAsync(begin, begin.AddDays(9), 100, default)).Select(l => l.Cycle));
    }

    [HistoryFact]
    public async Task Troubles_are_told_in_words()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        Assert.Contains("cluster.database_file", await TroubleAsync(server.Connection.Replace(PostgresServer.Password, "wrong", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("create the database", await TroubleAsync(server.Connection.Replace("Database=postgres", "Database=none", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("refused", await TroubleAsync(server.Connection.Replace($"Port={server.Port}", "Port=1", StringComparison.Ordinal)), StringComparison.Ordinal);

        // Eight boxes make the tables at once.
        SiteDatabase[] many = [.. Enumerable.Range(0, 8).Select(_ => new SiteDatabase(server.Connection))];
        await Task.WhenAll(many.Select(d => new SiteStore(d, "lab", "a").LoadAsync(default)));
        Assert.Equal("1,2", await server.QueryAsync("SELECT string_agg(version::text, ',' ORDER BY version) FROM egress_schema"));
        foreach (SiteDatabase one in many)
        {
            await one.DisposeAsync();
        }

        // A user without the right to make tables.
        await server.QueryAsync("CREATE DATABASE other");
        await server.QueryAsync("CREATE USER guest PASSWORD 'x'");
        string guest = server.Connection.Replace("Database=postgres;Username=postgres", "Database=other;Username=guest", StringComparison.Ordinal).Replace(PostgresServer.Password, "x", StringComparison.Ordinal);
        Assert.Contains("grant the user CREATE", await TroubleAsync(guest), StringComparison.Ordinal);

        // With it, and no other right, all works.
        await server.QueryAsync("GRANT ALL ON DATABASE other TO guest; ALTER DATABASE other OWNER TO guest");
        await using (SiteDatabase own = new(guest))
        {
            await using PostgresLeaseStore lease = new(own, "lab");
            await AskAsync(lease, LeaseAsk.Look, A);
            Assert.Matches("^[0-9]+/00000001$", (await AskAsync(lease, LeaseAsk.Look, A)).Row!.History);
            Assert.True(await new SiteStore(own, "lab", "a").AppendAsync(0, [Line(DateTimeOffset.UtcNow, 1)], default));
        }

        // TLS: the right authority and name, another name, another authority; and none.
        string authority = await server.MakeTlsAsync();
        await server.StopAsync();
        await server.StartAsync();
        string named = server.Connection.Replace("Host=127.0.0.1", "Host=localhost", StringComparison.Ordinal) + $";SSL Mode=VerifyFull;Root Certificate={authority}";
        await using (SiteDatabase verified = new(named))
        {
            Assert.Null(await new SiteStore(verified, "lab", "a").LoadAsync(default));
            await using PostgresLeaseStore lease = new(verified, "lab");
            Assert.Null((await AskAsync(lease, LeaseAsk.Look, A)).Row);
            Assert.NotNull((await AskAsync(lease, LeaseAsk.Look, A)).Row);
            Assert.Equal("t", await server.QueryAsync("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'egress-appliance'"));
        }

        Assert.Contains("TLS fails", await TroubleAsync(named.Replace("Host=localhost", "Host=127.0.0.1", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("TLS fails", await TroubleAsync(server.Connection.Replace("Host=127.0.0.1", "Host=localhost", StringComparison.Ordinal) + ";SSL Mode=VerifyFull"), StringComparison.Ordinal);

        // Tables of a newer version are left alone.
        await server.QueryAsync("INSERT INTO egress_schema VALUES (99)");
        Assert.Contains("upgrade this box", await TroubleAsync(server.Connection), StringComparison.Ordinal);
        ArgumentException none = Assert.Throws<ArgumentException>(() => new SiteDatabase("Password=hunter2;nonsense"));
        Assert.DoesNotContain("hunter2", none.Message, StringComparison.Ordinal);
    }

    [HistoryFact]
    public async Task Orders_wait_one_a_box_in_tables_of_whatever_version()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using (SiteDatabase first = new(server.Connection))
        {
            Assert.Empty(await new SiteStore(first, "lab", "a").ReadStopsAsync(default));
        }

        // As the version before left it.
        await server.QueryAsync("DROP TABLE egress_stop; DELETE FROM egress_schema WHERE version = 2");
        await using SiteDatabase database = new(server.Connection);
        SiteStore a = new(database, "lab", "a"), b = new(database, "lab", "b"), elsewhere = new(database, "other", "a");
        Guid[] ids = [.. Enumerable.Range(0, 4).Select(_ => Guid.NewGuid())];
        await a.LeaveStopAsync(ids[0], default);
        await a.LeaveStopAsync(ids[1], default);
        await b.LeaveStopAsync(ids[2], default);
        await b.LeaveStopAsync(ids[2], default);
        await elsewhere.LeaveStopAsync(ids[3], default);
        Assert.Equal([new SiteStop(ids[1], "a"), new SiteStop(ids[2], "b")], await b.ReadStopsAsync(default));
        await a.DropStopsAsync([ids[0], ids[1], ids[3]], default);
        Assert.Equal([new SiteStop(ids[2], "b")], await a.ReadStopsAsync(default));
        Assert.Equal([new SiteStop(ids[3], "a")], await elsewhere.ReadStopsAsync(default));
        Assert.Equal("1,2", await server.QueryAsync("SELECT string_agg(version::text, ',' ORDER BY version) FROM egress_schema"));
    }

    private async Task<string> TroubleAsync(string connection)
    {
        await using SiteDatabase database = new(connection);
        await using PostgresLeaseStore lease = new(database, "lab");
        string read = (await Assert.ThrowsAsync<SiteDatabaseException>(() => new SiteStore(database, "lab", "a").LoadAsync(default))).Message;
        string asked = (await Assert.ThrowsAsync<SiteDatabaseException>(() => AskAsync(lease, LeaseAsk.Look, A))).Message;
        Assert.Equal(read, asked);
        Assert.DoesNotContain(PostgresServer.Password, read, StringComparison.Ordinal);
        output.WriteLine(read);
        return read;
    }

    private static Task<LeaseReply> AskAsync(PostgresLeaseStore lease, LeaseAsk ask, BoxReport own, long token = 0, LeaseRow? seen = null) =>
        lease.ExchangeAsync(new LeaseRequest(ask, own, token, seen, Term), default);

    private static SiteJournalLine Line(DateTimeOffset time, long cycle) => new(time, cycle, "cycle", "{}");
}
