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
public sealed record SiteJournalLine(DateTimeOffset Time, long Cycle, string Kind, string Line);

/// <summary>
/// What a leader leaves to the next one: its state after each cycle, and a journal of what it decided. Everything is written with the token of its leadership and refused when another has a higher
/// one, so that a leader that was stopped and goes on changes nothing that its successor built upon.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="site">Name of the site.</param>
/// <param name="box">Name of this box.</param>
public sealed class SiteStore(SiteDatabase database, string site, string box)
{
    private const string Save = """
        INSERT INTO egress_controller AS kept(site, token, cycle, mode, state, saved)
        SELECT $1, $2, $3, $4, $5, clock_timestamp() FROM egress_lease WHERE site = $1 AND token = $2
        ON CONFLICT (site) DO UPDATE SET token = excluded.token, cycle = excluded.cycle, mode = excluded.mode, state = excluded.state, saved = excluded.saved
        WHERE (kept.token, kept.cycle) <= (excluded.token, excluded.cycle)
        """;

    private const string Journal = """
        INSERT INTO egress_journal(site, time, token, cycle, box, kind, line)
        SELECT $1, t.time, $2, t.cycle, $3, t.kind, t.line FROM unnest($4, $5, $6, $7) AS t(time, cycle, kind, line), egress_lease l WHERE l.site = $1 AND l.token = $2
        ON CONFLICT DO NOTHING
        """;

    private readonly HashSet<DateOnly> _days = [];

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

        foreach (DateOnly day in lines.Select(l => DateOnly.FromDateTime(l.Time.UtcDateTime)).Distinct().Where(d => !_days.Contains(d)).ToArray())
        {
            await MakePartitionAsync(open, day, cancellationToken).ConfigureAwait(false);
            _days.Add(day);
        }

        await using NpgsqlCommand command = Command(
            open, Journal, site, token, box, lines.Select(l => l.Time.UtcDateTime).ToArray(), lines.Select(l => l.Cycle).ToArray(), lines.Select(l => l.Kind).ToArray(), lines.Select(l => l.Line).ToArray());
        if (await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) > 0)
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
            open, "SELECT time, cycle, kind, line FROM egress_journal WHERE site = $1 AND time >= $2 AND time < $3 ORDER BY time, token, cycle LIMIT $4", site, from.UtcDateTime, until.UtcDateTime, limit);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        List<SiteJournalLine> lines = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            lines.Add(new SiteJournalLine(new DateTimeOffset(reader.GetDateTime(0), TimeSpan.Zero), reader.GetInt64(1), reader.GetString(2), reader.GetString(3)));
        }

        return lines;
    }, cancellationToken);

    /// <summary>Drops the partitions of days before one, as wholes.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="SiteDatabaseException">They cannot be dropped.</exception>
    public Task<int> DropJournalBeforeAsync(DateOnly day, CancellationToken cancellationToken) => RunAsync(async open =>
    {
        List<string> old = [];
        await using (NpgsqlCommand list = Command(
            open, "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'egress_journal'::regclass AND c.relname < $1", PartitionOf(day)))
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

    private static string PartitionOf(DateOnly day) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"egress_journal_{day:yyyyMMdd}");

    private static async Task MakePartitionAsync(NpgsqlConnection open, DateOnly day, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = Command(open, string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"CREATE TABLE IF NOT EXISTS {PartitionOf(day)} PARTITION OF egress_journal FOR VALUES FROM ('{day:yyyy-MM-dd} 00:00+00') TO ('{day.AddDays(1):yyyy-MM-dd} 00:00+00')"));
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState is "42P07" or "42P17" or "23505")
        {
            // Another box made it in the same moment.
        }
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
