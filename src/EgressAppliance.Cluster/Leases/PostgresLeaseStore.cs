using EgressAppliance.Cluster.Store;
using Npgsql;

namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// The lease in PostgreSQL. Each exchange is one transaction of one round trip: the report, the change if one is asked for, and what is there after it. A change names all that it takes for granted, so that
/// of two at once one does nothing.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="site">Name of the site.</param>
/// <remarks>
/// It has a connection of its own, so that nothing else that is asked of the database can hold a renewal up. One that does not answer in time is left to end by itself, and a new one is opened. What was asked
/// by it may still be carried out, minutes later; the holder allows for that.
///
/// Both columns of time are by the clock of the server at that instant (clock_timestamp()), not at the begin of the transaction, which may have waited for a lock.
/// </remarks>
public sealed class PostgresLeaseStore(SiteDatabase database, string site) : ILeaseStore, IAsyncDisposable
{
    /// <summary>Characters of a report that are kept: renewing must not depend on how much there is to tell.</summary>
    private const int MaxProblem = 1000;
    private const int MaxDetails = 1 << 16;

    /// <summary>
    /// Another line of history after a promotion or a recovery (the timeline), and on another cluster. What one server confirmed, the other may not know.
    /// </summary>
    private const string History = "(SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) FROM pg_control_system())";

    // The number goes up by one a report. Whoever reports last has the row: two boxes of one name are told apart by their runs.
    private const string Report = """
        INSERT INTO egress_box AS b(site, box, run, role, ready, problem, details, number, seen) VALUES ($1, $2, $3, $4, $5 = '', $5, $6, 1, clock_timestamp())
        ON CONFLICT (site, box) DO UPDATE SET run = excluded.run, role = excluded.role, ready = excluded.ready, problem = excluded.problem, details = excluded.details, number = b.number + 1, seen = excluded.seen
        """;

    // Where there is none, someone may still have been granted it before it was lost: it begins as held by nobody, and all wait for a term. Tokens go on where the saved state has them. The renewals begin
    // anywhere, or who saw the first row and not its end would take the new one for it.
    private const string Create = $"""
        INSERT INTO egress_lease(site, token, renewals, holder, run, released, term_ms, expires, history)
        VALUES ($1, coalesce((SELECT token FROM egress_controller WHERE site = $1), 0), floor(random() * 1e15)::bigint, '', '00000000-0000-0000-0000-000000000000', false, $2,
          clock_timestamp() + $2 * interval '1 millisecond', {History})
        ON CONFLICT (site) DO NOTHING
        """;

    private const string Renew = $"""
        UPDATE egress_lease SET renewals = renewals + 1, term_ms = $5, expires = clock_timestamp() + $5 * interval '1 millisecond'
        WHERE site = $1 AND holder = $2 AND run = $3 AND token = $4 AND NOT released AND history = {History}
        """;

    // The taker has seen it unchanged for a whole term by its own clock. The server's clock is asked as well, but never for longer than a term: further ahead than that it was set back since.
    private const string Take = $"""
        UPDATE egress_lease SET token = greatest(token, $4) + 1, renewals = renewals + 1, holder = $2, run = $3, released = false, term_ms = $5,
          expires = clock_timestamp() + $5 * interval '1 millisecond', history = {History}
        WHERE site = $1 AND token = $6 AND renewals = $7 AND {History} = $8
          AND (run = $3 OR history <> {History} OR expires <= clock_timestamp() OR expires > clock_timestamp() + term_ms * interval '1 millisecond')
        """;

    private const string Release = $"""
        UPDATE egress_lease SET renewals = renewals + 1, released = true, term_ms = $5, expires = clock_timestamp() + $5 * interval '1 millisecond'
        WHERE site = $1 AND holder = $2 AND run = $3 AND token = $4 AND history = {History}
        """;

    private const string Look = $"""
        SELECT token, renewals, holder, run, released, term_ms, {History}, history <> {History} FROM egress_lease WHERE site = $1
        """;

    // A box that was taken away is not shown for ever.
    private const string Boxes = """
        SELECT box, run, role, problem, details, number, greatest(extract(epoch FROM clock_timestamp() - seen), 0)::float8
        FROM egress_box WHERE site = $1 AND (box = $2 OR seen > clock_timestamp() - interval '1 day') ORDER BY box
        """;

    private Task<NpgsqlConnection>? _opening;
    private Session? _session;
    private bool _missing;

    /// <inheritdoc/>
    public async Task<LeaseReply> ExchangeAsync(LeaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Session session = await OpenAsync(cancellationToken).ConfigureAwait(false);
        Task<LeaseReply> exchange = RunAsync(session, request);
        try
        {
            return await exchange.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _session = null;
            _ = EndAsync(session, exchange);
            throw e is OperationCanceledException ? e : SiteDatabase.Wrap(e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.Connection.DisposeAsync().ConfigureAwait(false);
        }

        if (_opening is { } opening)
        {
            _opening = null;
            _ = AbandonAsync(opening);
        }
    }

    private async Task<Session> OpenAsync(CancellationToken cancellationToken)
    {
        if (_session is { } session)
        {
            return session;
        }

        // Opening may take longer than one exchange, where the first of several hosts does not answer: the next exchange goes on with it.
        Task<NpgsqlConnection> opening = _opening ??= database.OpenOwnAsync();
        try
        {
            _session = new Session(await opening.WaitAsync(cancellationToken).ConfigureAwait(false));
            _opening = null;
            return _session;
        }
        catch (Exception e) when (opening.IsCompleted)
        {
            _opening = opening.IsCompletedSuccessfully ? opening : null;
            throw e is OperationCanceledException ? e : SiteDatabase.Wrap(e);
        }
    }

    private async Task<LeaseReply> RunAsync(Session session, LeaseRequest request)
    {
        BoxReport own = request.Own;
        long term = (long)Math.Ceiling(request.Term.TotalMilliseconds);
        await using NpgsqlBatch batch = new(session.Connection);
        Add(Report, site, own.Box, own.Run, own.Leads ? "leader" : "standby", Clean(own.Problem, MaxProblem), own.Details.Length > MaxDetails ? """{"omitted":"too long"}""" : Clean(own.Details, MaxDetails));
        if (_missing)
        {
            Add(Create, site, term);
        }

        NpgsqlBatchCommand? change = request.Ask switch
        {
            LeaseAsk.Renew => Add(Renew, site, own.Box, own.Run, request.Token, term),
            LeaseAsk.Release => Add(Release, site, own.Box, own.Run, request.Token, term),
            LeaseAsk.Take when request.Seen is { } seen => Add(Take, site, own.Box, own.Run, request.Token, term, seen.Token, seen.Renewals, seen.History),
            _ => null,
        };
        Add(Look, site);
        Add(Boxes, site, own.Box);
        LeaseRow? row = null;
        List<BoxReport> boxes = [];
        session.Warning = null;
        await using (NpgsqlDataReader reader = await batch.ExecuteReaderAsync().ConfigureAwait(false))
        {
            if (await reader.ReadAsync().ConfigureAwait(false))
            {
                row = new LeaseRow(
                    reader.GetInt64(0), reader.GetInt64(1), reader.GetString(2), reader.GetGuid(3), reader.GetBoolean(4), TimeSpan.FromMilliseconds(reader.GetInt64(5)), reader.GetString(6), reader.GetBoolean(7));
            }

            await reader.NextResultAsync().ConfigureAwait(false);
            while (await reader.ReadAsync().ConfigureAwait(false))
            {
                boxes.Add(new BoxReport(reader.GetString(0), reader.GetGuid(1), reader.GetString(2) == "leader", reader.GetString(3), reader.GetString(4))
                {
                    Number = reader.GetInt64(5),
                    Age = TimeSpan.FromSeconds(reader.GetDouble(6)),
                });
            }

            // To the end: only then is the transaction committed.
            while (await reader.NextResultAsync().ConfigureAwait(false))
            {
            }
        }

        // "The transaction has already committed locally, but might not have been replicated to the standby": it is told as a warning, and is no confirmation.
        if (session.Warning is { } warning)
        {
            throw new SiteDatabaseException($"what was asked may not be durable, no standby confirms: {warning}");
        }

        _missing = row is null;
        return new LeaseReply(row, change?.RecordsAffected == 1, boxes);

        NpgsqlBatchCommand Add(string sql, params object[] values)
        {
            NpgsqlBatchCommand command = new(sql);
            foreach (object value in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            batch.BatchCommands.Add(command);
            return command;
        }
    }

    /// <summary>Waits in the background until what was given up has ended, and closes its connection.</summary>
    private static async Task EndAsync(Session session, Task exchange)
    {
        await exchange.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await SiteDatabase.CloseAsync(session.Connection).ConfigureAwait(false);
    }

    private static async Task AbandonAsync(Task<NpgsqlConnection> opening)
    {
        await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opening.IsCompletedSuccessfully)
        {
            await SiteDatabase.CloseAsync(await opening.ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <summary>What the server can store: it knows no character 0, and no half of a pair. A report that it refuses would cost the renewal.</summary>
    private static string Clean(string text, int most)
    {
        if (text.Length > most)
        {
            text = text[..most];
        }

        return text.Contains('\0', StringComparison.Ordinal) || text.Any(char.IsSurrogate)
            ? string.Concat(text.EnumerateRunes().Where(r => r.Value != 0).Select(r => r.ToString()))
            : text;
    }

    /// <summary>A connection, and whether the server said on it that it confirmed more than it knows.</summary>
    private sealed class Session
    {
        public Session(NpgsqlConnection connection)
        {
            Connection = connection;

            // By the name of the server's function, since the text is in the server's language.
            connection.Notice += (_, e) => Warning = e.Notice.Routine is "SyncRepWaitForLSN" ? e.Notice.MessageText : Warning;
        }

        public NpgsqlConnection Connection { get; }

        public string? Warning { get; set; }
    }
}
