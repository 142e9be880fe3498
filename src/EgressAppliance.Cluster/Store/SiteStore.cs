using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace EgressAppliance.Cluster.Store;

/// <summary>The state that the leader of a site left.</summary>
/// <param name="Token">The leadership that it is of.</param>
/// <param name="Cycle">Number of the cycle or command after which it was saved.</param>
/// <param name="State">The state.</param>
public sealed record SavedState(long Token, long Cycle, string State);

/// <summary>A line of the site's journal.</summary>
/// <param name="Time">When.</param>
/// <param name="Cycle">Number of the outcome.</param>
/// <param name="Kind">What it tells of, such as <c>cycle</c>.</param>
/// <param name="Line">JSON.</param>
public sealed record SiteJournalLine(DateTimeOffset Time, long Cycle, string Kind, string Line)
{
    /// <summary>When read: the leadership that wrote it.</summary>
    public long Token { get; init; }

    /// <summary>When read: the box that wrote it.</summary>
    public string Box { get; init; } = "";
}

/// <summary>
/// What a leader leaves to the next one: its state after each cycle, and a journal of what it decided. Everything is written with the token of its leadership and refused when another has a higher
/// one, so that a leader that was stopped and goes on changes nothing that its successor built upon.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="site">Name of the site.</param>
/// <param name="box">Name of this box.</param>
public sealed class SiteStore(SiteDatabase database, string site, string box) : IStopStore
{
    // FOR SHARE: nobody takes the lease while this is written, so that a new leader reads either what is written here or that nothing more will be.
    private const string Save = """
        INSERT INTO egress_controller AS kept(site, token, cycle, mode, state, saved)
        SELECT site, token, $3, $4, $5, clock_timestamp() FROM egress_lease WHERE site = $1 AND token = $2 FOR SHARE
        ON CONFLICT (site) DO UPDATE SET token = excluded.token, cycle = excluded.cycle, mode = excluded.mode, state = excluded.state, saved = excluded.saved
        WHERE (kept.token, kept.cycle) <= (excluded.token, excluded.cycle)
        """;

    private const string Journal = """
        INSERT INTO egress_journal(site, time, token, cycle, box, kind, line)
        SELECT l.site, t.time, l.token, t.cycle, $3, t.kind, t.line FROM unnest($4, $5, $6, $7) AS t(time, cycle, kind, line), egress_lease l WHERE l.site = $1 AND l.token = $2 FOR SHARE OF l
        ON CONFLICT DO NOTHING
        """;

    private readonly ConcurrentDictionary<DateOnly, bool> _days = new();

    /// <summary>Saves the state of a leader.</summary>
    /// <returns>False if the leadership is over: another has taken it.</returns>
    /// <exception cref="SiteDatabaseException">It is not known whether it was saved.</exception>
    public Task<bool> SaveAsync(long token, long cycle, string mode, string state, CancellationToken cancellationToken) => RunAsync(async open =>
    {
        await using NpgsqlCommand command = Command(open, Save, site, token, cycle, mode, state);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 1;
    }, cancellationToken);

    /// <summary>The state that the latest leader left; null: there was none.</summary>
    /// <exception cref="SiteDatabaseException">It cannot be read.</exception>
    public Task<SavedState?> LoadAsync(CancellationToken cancellationToken) => RunAsync(async open =>
    {
        await using NpgsqlCommand command = Command(open, "SELECT token, cycle, state FROM egress_controller WHERE site = $1", site);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? new SavedState(reader.GetInt64(0), reader.GetInt64(1), reader.GetString(2)) : null;
    }, cancellationToken);

    /// <summary>Appends to the journal.</summary>
    /// <returns>False if the leadership is over, and nothing was written.</returns>
    /// <exception cref="SiteDatabaseException">It is not known whether it was written. Written twice it is there once.</exception>
    public Task<bool> AppendAsync(long token, IReadOnlyList<SiteJournalLine> lines, CancellationToken cancellationToken) => RunAsync(async open =>
    {
        if (lines.Count == 0)
        {
            return true;
        }

        await MakePartitionsAsync(open, lines, cancellationToken).ConfigureAwait(false);
        int written;
        try
        {
            written = await InsertAsync(open, token, lines, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation)
        {
            // A partition that was there is gone.
            _days.Clear();
            await MakePartitionsAsync(open, lines, cancellationToken).ConfigureAwait(false);
            written = await InsertAsync(open, token, lines, cancellationToken).ConfigureAwait(false);
        }

        if (written > 0)
        {
            return true;
        }

        // Nothing new: they were there already, or the leadership is over.
        await using NpgsqlCommand check = Command(open, "SELECT 1 FROM egress_lease WHERE site = $1 AND token = $2", site, token);
        return await check.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not null;
    }, cancellationToken);

    /// <summary>The journal of a time, oldest first.</summary>
    /// <exception cref="SiteDatabaseException">It cannot be read.</exception>
    public Task<IReadOnlyList<SiteJournalLine>> ReadJournalAsync(DateTimeOffset from, DateTimeOffset until, int limit, CancellationToken cancellationToken) => RunAsync<IReadOnlyList<SiteJournalLine>>(async open =>
    {
        await using NpgsqlCommand command = Command(
            open, "SELECT time, cycle, kind, line, token, box FROM egress_journal WHERE site = $1 AND time >= $2 AND time < $3 ORDER BY time, token, cycle, kind LIMIT $4", site, from.UtcDateTime, until.UtcDateTime, limit);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        List<SiteJournalLine> lines = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            lines.Add(new SiteJournalLine(new DateTimeOffset(reader.GetDateTime(0), TimeSpan.Zero), reader.GetInt64(1), reader.GetString(2), reader.GetString(3))
            {
                Token = reader.GetInt64(4),
                Box = reader.GetString(5),
            });
        }

        return lines;
    }, cancellationToken);

    /// <summary>Drops the partitions of days before one, as wholes, and with them what other sites of the same database wrote on them.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="SiteDatabaseException">They cannot be dropped.</exception>
    public Task<int> DropJournalBeforeAsync(DateOnly day, CancellationToken cancellationToken) => RunAsync(async open =>
    {
        List<string> old = [];
        await using (NpgsqlCommand list = Command(
            open, "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'egress_journal'::regclass AND c.relname ~ '^egress_journal_[0-9]{8}$' AND c.relname < $1", PartitionOf(day)))
        await using (NpgsqlDataReader reader = await list.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                old.Add(reader.GetString(0));
            }
        }

        foreach (string partition in old)
        {
            await using NpgsqlCommand drop = Command(open, $"DROP TABLE IF EXISTS \"{partition.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
            await drop.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        return old.Count;
    }, cancellationToken);

    /// <inheritdoc/>
    public Task LeaveStopAsync(Guid id, CancellationToken cancellationToken) => RunAsync(async open =>
    {
        await using NpgsqlCommand command = Command(
            open, "INSERT INTO egress_stop(site, box, id, asked) VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT (site, box) DO UPDATE SET id = excluded.id, asked = excluded.asked", site, box, id);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SiteStop>> ReadStopsAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<SiteStop>>(async open =>
    {
        await using NpgsqlCommand command = Command(open, "SELECT id, box FROM egress_stop WHERE site = $1 ORDER BY asked", site);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        List<SiteStop> stops = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            stops.Add(new SiteStop(reader.GetGuid(0), reader.GetString(1)));
        }

        return stops;
    }, cancellationToken);

    /// <inheritdoc/>
    public Task DropStopsAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) => RunAsync(async open =>
    {
        await using NpgsqlCommand command = Command(open, "DELETE FROM egress_stop WHERE site = $1 AND id = ANY($2)", site, ids.ToArray());
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    private static string PartitionOf(DateOnly day) => string.Create(CultureInfo.InvariantCulture, $"egress_journal_{day:yyyyMMdd}");

    /// <summary>Makes the partitions of some lines, and those of the days after them: at midnight, when all write, they are there.</summary>
    private async Task MakePartitionsAsync(NpgsqlConnection open, IReadOnlyList<SiteJournalLine> lines, CancellationToken cancellationToken)
    {
        foreach (DateOnly day in lines.Select(l => DateOnly.FromDateTime(l.Time.UtcDateTime)).Distinct().SelectMany(d => new[] { d, d.AddDays(1) }).Distinct().Where(d => !_days.ContainsKey(d)).ToArray())
        {
            await MakePartitionAsync(open, day, cancellationToken).ConfigureAwait(false);
            _days[day] = true;
        }
    }

    private static async Task MakePartitionAsync(NpgsqlConnection open, DateOnly day, CancellationToken cancellationToken)
    {
        // Made apart and then attached: that waits for nobody who reads the journal, which making it as a partition would.
        string name = PartitionOf(day);
        string[] statements =
        [
            $"SELECT pg_advisory_xact_lock({SiteSchema.PartitionLock})",
            $"CREATE TABLE IF NOT EXISTS {name}(LIKE egress_journal INCLUDING ALL)",
            string.Create(CultureInfo.InvariantCulture, $"ALTER TABLE egress_journal ATTACH PARTITION {name} FOR VALUES FROM ('{day:yyyy-MM-dd} 00:00+00') TO ('{day.AddDays(1):yyyy-MM-dd} 00:00+00')"),
        ];
        await using NpgsqlTransaction transaction = await open.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(statements[0]).ConfigureAwait(false);
        await using (NpgsqlCommand there = Command(open, "SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'egress_journal'::regclass AND c.relname = $1", name))
        {
            if (await there.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not null)
            {
                return;
            }
        }

        await ExecuteAsync(statements[1]).ConfigureAwait(false);
        await ExecuteAsync(statements[2]).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

        async Task ExecuteAsync(string sql)
        {
            await using NpgsqlCommand command = Command(open, sql);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<int> InsertAsync(NpgsqlConnection open, long token, IReadOnlyList<SiteJournalLine> lines, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = Command(
            open, Journal, site, token, box, lines.Select(l => l.Time.UtcDateTime).ToArray(), lines.Select(l => l.Cycle).ToArray(), lines.Select(l => l.Kind).ToArray(), lines.Select(l => l.Line).ToArray());
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using NpgsqlConnection open = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
            return await work(open).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException)
        {
            throw SiteDatabase.Wrap(e);
        }
    }

    private static NpgsqlCommand Command(NpgsqlConnection open, string sql, params object[] values)
    {
        // Texts of this class; what comes from outside is a parameter, or the name of a table that the server gave.
#pragma warning disable CA2100
        NpgsqlCommand command = new(sql, open);
#pragma warning restore CA2100
        foreach (object value in values)
        {
            command.Parameters.Add(value is DateTime[] times ? new NpgsqlParameter { Value = times, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz } : new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
