using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Cluster.Leases;
using EgressAppliance.Cluster.Store;
using EgressAppliance.SystemTests.History;
using EgressAppliance.SystemTests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>The lease on a real PostgreSQL that is killed, frozen, locked, promoted, and whose row is tampered with.</summary>
public sealed class SiteLeaseTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(20);
    private static readonly LeaseOptions Options = new() { Site = "lab", Box = "", Term = TimeSpan.FromSeconds(4), Silence = TimeSpan.FromSeconds(1.5), Renew = TimeSpan.FromSeconds(0.5) };

    [HistoryFact]
    public async Task One_leads_through_restarts_freezes_and_locks()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using Pair pair = new(server.Connection, Options);
        (SiteLease leader, SiteLease other) = await pair.LeaderAsync(output);
        long token = leader.Token;

        // Frozen for longer than the leader may speak: it falls silent by itself, and nobody else leads.
        long frozen = Stopwatch.GetTimestamp();
        server.SignalAll(PosixSignalNumber.Stop);
        await Until.TrueAsync("the leader to fall silent", () => Task.FromResult(!leader.MayAnnounce), Limit, output, Often);
        output.WriteLine($"silent {Stopwatch.GetElapsedTime(frozen).TotalSeconds:F2} s after the server was frozen");
        // What is beyond is the time that this test takes to look, on a machine that does other things as well.
        Assert.InRange(Stopwatch.GetElapsedTime(frozen), TimeSpan.FromSeconds(0.2), Options.Voice + TimeSpan.FromSeconds(1));
        Assert.Equal(LeaseState.Yielding, leader.State);
        await Task.Delay(TimeSpan.FromSeconds(8) - Stopwatch.GetElapsedTime(frozen));
        Assert.False(leader.MayAnnounce || other.MayAnnounce);
        Assert.False(leader.View.Leads || other.View.Leads);
        Assert.Equal("no answer in time", other.View.Problem);
        server.SignalAll(PosixSignalNumber.Continue);
        long thawed = Stopwatch.GetTimestamp();
        (leader, other) = await pair.LeaderAsync(output);
        output.WriteLine($"{Stopwatch.GetElapsedTime(thawed).TotalSeconds:F2} s after it went on one leads");
        Assert.True(leader.Token > token);

        // A quick restart of the server.
        token = leader.Token;
        await server.StopAsync();
        await server.StartAsync();
        (leader, other) = await pair.LeaderAsync(output);
        Assert.True(leader.Token >= token);

        // Somebody holds the row locked: requests end by themselves, and do not pile up at the server.
        Task locked = server.QueryAsync("BEGIN; SELECT * FROM egress_lease FOR UPDATE; SELECT pg_sleep(4); COMMIT");
        await Until.TrueAsync("the leader to fall silent", () => Task.FromResult(!leader.MayAnnounce), Limit, output, Often);
        int most = 0;
        while (!locked.IsCompleted)
        {
            most = Math.Max(most, int.Parse(await server.QueryAsync("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'egress-appliance'"), CultureInfo.InvariantCulture));
            Assert.False(leader.MayAnnounce && other.MayAnnounce);
        }

        await locked;
        output.WriteLine($"{most} connections at most");
        Assert.InRange(most, 1, 16);
        await pair.LeaderAsync(output);
        Assert.Equal(0, pair.Doubles);
    }

    [HistoryFact]
    public async Task Resigning_hands_over_and_a_clock_that_was_set_does_not_matter()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using Pair pair = new(server.Connection, Options);
        await FreeAsync(server);
        (SiteLease leader, SiteLease other) = await pair.LeaderAsync(output);

        // Withdrawn: the other leads as soon as it looks.
        long begun = Stopwatch.GetTimestamp();
        Assert.True(await leader.ResignAsync(withdrawn: true));
        Assert.False(leader.MayAnnounce);
        await Until.TrueAsync("the other to lead", () => Task.FromResult(other.MayAnnounce), Limit, output, Often);
        output.WriteLine($"handed over {Stopwatch.GetElapsedTime(begun).TotalSeconds:F2} s after it was withdrawn");
        Assert.InRange(Stopwatch.GetElapsedTime(begun).TotalSeconds, 0, 1.5);

        // Not withdrawn: only after what is owed.
        await Until.TrueAsync("the other to see it", () => Task.FromResult(leader.View.Leader == other.View.Leader), Limit, output, Often);
        begun = Stopwatch.GetTimestamp();
        Assert.True(await other.ResignAsync(withdrawn: false));
        await Until.TrueAsync("the first to lead", () => Task.FromResult(leader.MayAnnounce), Limit, output, Often);
        output.WriteLine($"handed over {Stopwatch.GetElapsedTime(begun).TotalSeconds:F2} s after it was resigned");
        Assert.InRange(Stopwatch.GetElapsedTime(begun), Options.Owed, Options.Owed + TimeSpan.FromSeconds(1.5));

        // The server's clock was far ahead when the row was written, or jumps ahead after it: no earlier and not much later.
        foreach (string expires in new[] { "clock_timestamp() + interval '1 day'", "clock_timestamp() - interval '1 day'" })
        {
            (leader, other) = await pair.LeaderAsync(output);
            string set = $"UPDATE egress_lease SET expires = {expires}";
            long token = leader.Token;
            await server.QueryAsync(set);
            await Task.Delay(Options.Term / 2);
            Assert.Equal((true, token, false), (leader.MayAnnounce, leader.Token, other.MayAnnounce));
            pair.Cut(leader);
            begun = Stopwatch.GetTimestamp();
            await server.QueryAsync(set);
            await Until.TrueAsync("the other to lead", () => Task.FromResult(other.MayAnnounce), Limit, output, Often);
            output.WriteLine($"expires {expires}: {Stopwatch.GetElapsedTime(begun).TotalSeconds:F2} s after the last renewal, or somewhat more, the other leads");
            Assert.InRange(Stopwatch.GetElapsedTime(begun), Options.Term - Options.Renew, Options.Term + TimeSpan.FromSeconds(1.5));
            pair.Heal(leader);
        }

        Assert.Equal(0, pair.Doubles);
    }

    [HistoryFact]
    public async Task Server_that_was_promoted_without_the_latest_take_over_makes_no_second_leader()
    {
        await using PostgresServer primary = await PostgresServer.StartAsync(output);
        await using PostgresServer replica = await primary.StartReplicaAsync();

        // Neither the first host, which takes connections and says nothing, nor the replica keeps anyone from the primary.
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        string hosts = primary.Connection.Replace(
            "Host=127.0.0.1;", $"Host=127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port},127.0.0.1:{replica.Port},127.0.0.1:{primary.Port};", StringComparison.Ordinal);
        LeaseOptions longer = Options with { Term = TimeSpan.FromSeconds(7) };
        await using Pair pair = new(hosts, longer);
        await FreeAsync(primary);
        (SiteLease first, SiteLease second) = await pair.LeaderAsync(output);
        Assert.True(await first.ResignAsync(withdrawn: false));

        // The replica hears nothing more, and so not that the second takes over; and then the primary dies.
        await replica.QueryAsync("ALTER SYSTEM SET primary_conninfo = ''");
        await replica.QueryAsync("SELECT pg_reload_conf()");
        await Until.TrueAsync("the replica to be cut off", async () => await replica.QueryAsync("SELECT count(*) FROM pg_stat_wal_receiver") == "0", Limit, output, Often);
        await Until.TrueAsync("the second to lead", () => Task.FromResult(second.MayAnnounce), Limit, output, Often);
        long token = second.Token;
        await primary.StopAsync();
        long died = Stopwatch.GetTimestamp();
        await replica.PromoteAsync();
        Assert.True(second.MayAnnounce);
        output.WriteLine($"promoted {Stopwatch.GetElapsedTime(died).TotalSeconds:F2} s after the primary died: {await replica.QueryAsync("SELECT token, holder, released FROM egress_lease")}, and the second may announce");
        Assert.Equal($"{token - 1}", await replica.QueryAsync("SELECT token FROM egress_lease"));

        // By the row that the new primary has the lease is free; whoever knows better, or does not know, waits for a term.
        (SiteLease leader, _) = await pair.LeaderAsync(output);
        output.WriteLine($"{Stopwatch.GetElapsedTime(died).TotalSeconds:F2} s after the primary died one leads");
        Assert.True(Stopwatch.GetElapsedTime(died) > longer.Term - longer.Renew);
        Assert.True(leader.Token > token);
        Assert.Equal(0, pair.Doubles);
    }

    [HistoryFact]
    public async Task Commit_that_no_standby_confirms_is_no_grant()
    {
        await using PostgresServer server = await PostgresServer.StartAsync(output);
        await using SiteDatabase database = new(server.Connection);
        await using PostgresLeaseStore store = new(database, "lab");
        BoxReport own = new("a", Guid.NewGuid(), false, "", "{}");
        await store.ExchangeAsync(new LeaseRequest(LeaseAsk.Look, own, 0, null, Options.Term), default);
        LeaseRow seen = (await store.ExchangeAsync(new LeaseRequest(LeaseAsk.Look, own, 0, null, Options.Term), default)).Row!;
        await server.QueryAsync("UPDATE egress_lease SET expires = clock_timestamp()");
        await server.QueryAsync("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        await server.QueryAsync("SELECT pg_reload_conf()");
        await Until.TrueAsync("the setting to be in force", async () => await server.QueryAsync("SHOW synchronous_standby_names") == "nobody", Limit, output);
        Task<LeaseReply> take = store.ExchangeAsync(new LeaseRequest(LeaseAsk.Take, own, 0, seen, Options.Term), default);
        await Until.TrueAsync("the commit to wait", async () => await server.QueryAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1", Limit, output, Often);

        // An administrator ends the wait: the server says done, with a warning.
        await server.QueryAsync("SET synchronous_commit = off; SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        SiteDatabaseException refused = await Assert.ThrowsAsync<SiteDatabaseException>(() => take);
        Assert.Contains("no standby confirms", refused.Message, StringComparison.Ordinal);
        Assert.Equal("1", await server.QueryAsync("SELECT token FROM egress_lease"));
    }

    /// <summary>Spares a test the wait for a term that a new row begins with.</summary>
    private Task FreeAsync(PostgresServer server) => Until.TrueAsync(
        "the row", async () => await server.QueryAsync("WITH u AS (UPDATE egress_lease SET released = true, term_ms = 0, renewals = renewals + 1 RETURNING 1) SELECT count(*) FROM u") == "1", Limit, output, Often);

    /// <summary>Two boxes, watched a hundred times a second: never may both announce.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private readonly SiteDatabase[] _databases;
        private readonly Gate[] _stores;
        private readonly SiteLease[] _leases;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _watching;

        public Pair(string connection, LeaseOptions options)
        {
            _databases = [new SiteDatabase(connection), new SiteDatabase(connection)];
            _stores = [.. _databases.Select(d => new Gate(new PostgresLeaseStore(d, options.Site)))];
            _leases = [.. _stores.Select((s, i) => new SiteLease(options with { Box = $"{(char)('a' + i)}" }, s, TimeProvider.System, NullLogger<SiteLease>.Instance))];
            foreach (SiteLease lease in _leases)
            {
                lease.Report(null, "{}");
                lease.Start();
            }

            _watching = Task.Run(WatchAsync);
        }

        /// <summary>Looks at which more than one might have announced.</summary>
        public int Doubles { get; private set; }

        /// <summary>Waits until one leads, the other knows it, and both see each other.</summary>
        public async Task<(SiteLease Leader, SiteLease Other)> LeaderAsync(ITestOutputHelper output)
        {
            await Until.ValueAsync(
                "one to lead, and both to know", () => Task.FromResult(string.Join("; ", _leases.Select(l => $"{l.View.Leader} {l.View.Token} {l.View.Leads} {l.View.Problem} {l.View.Boxes.Count(b => b.Fresh)}"))),
                _ => _leases.Count(l => l.MayAnnounce && l.View.Leads) == 1 && _leases.All(l => l.View is { Problem: null } v && v.Token == _leases.Single(x => x.View.Leads).Token && v.Boxes.Count(b => b.Fresh) == _leases.Length),
                Limit, output, Often);
            SiteLease leader = _leases.Single(l => l.MayAnnounce);
            return (leader, _leases.Single(l => l != leader));
        }

        public void Cut(SiteLease lease) => _stores[Array.IndexOf(_leases, lease)].IsCut = true;

        public void Heal(SiteLease lease) => _stores[Array.IndexOf(_leases, lease)].IsCut = false;

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _watching;
            foreach (IAsyncDisposable part in _leases.Concat<IAsyncDisposable>(_stores).Concat(_databases))
            {
                await part.DisposeAsync();
            }

            _stop.Dispose();
        }

        private async Task WatchAsync()
        {
            while (!_stop.IsCancellationRequested)
            {
                // The one asked later may have begun since the first was asked; so the first is asked again.
                for (int i = 0; i < _leases.Length; i++)
                {
                    Doubles += _leases.Any(l => l != _leases[i] && _leases[i].MayAnnounce && l.MayAnnounce && _leases[i].MayAnnounce) ? 1 : 0;
                }

                await Task.Delay(10);
            }
        }
    }

    /// <summary>A box's way to the database.</summary>
    private sealed class Gate(PostgresLeaseStore store) : ILeaseStore, IAsyncDisposable
    {
        public bool IsCut { get; set; }

        public Task<LeaseReply> ExchangeAsync(LeaseRequest request, CancellationToken cancellationToken) =>
            IsCut ? Task.FromException<LeaseReply>(new IOException("cut")) : store.ExchangeAsync(request, cancellationToken);

        public ValueTask DisposeAsync() => store.DisposeAsync();
    }
}
