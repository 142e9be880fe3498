using EgressAppliance.Cluster.Store;
using Npgsql;

namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// The lease in PostgreSQL. Each exchange is one transaction of one round trip: the report, the change if one is asked for, and what is there after it. A change names all that it takes for granted, so that
/// of two at once one does nothing.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="site">Name of the site.</param>
public sealed class PostgresLeaseStore(SiteDatabase database, string site) : ILeaseStore
{
    private const string Report = """
        INSERT INTO egress_box(site, box, run, problem, details, seen) VALUES ($1, $2, $3, $4, $5, clock_timestamp())
        ON CONFLICT (site, box) DO UPDATE SET run = excluded.run, problem = excluded.problem, details = excluded.details, seen = excluded.seen
        """;

    private const string Look = """
        SELECT token, renewals, holder, run, released, term_ms FROM egress_lease WHERE site = $1
        """;

    private const string Boxes = """
        SELECT box, run, problem, extract(epoch FROM clock_timestamp() - seen)::float8, details FROM egress_box WHERE site = $1 AND seen > clock_timestamp() - interval '1 day' ORDER BY box
        """;

    private const string Renew = """
        UPDATE egress_lease SET renewals = renewals + 1, seen = clock_timestamp() WHERE site = $1 AND holder = $2 AND run = $3 AND token = $4 AND NOT released
        """;

    private const string Take = """
        INSERT INTO egress_lease AS held(site, token, renewals, holder, run, released, term_ms, seen) VALUES ($1, 1, 1, $2, $3, false, $6, clock_timestamp())
        ON CONFLICT (site) DO UPDATE SET token = held.token + 1, renewals = held.renewals + 1, holder = excluded.holder, run = excluded.run, released = false,
          term_ms = excluded.term_ms, seen = excluded.seen
        WHERE held.token = $4 AND held.renewals = $5
        """;

    private const string Release = """
        UPDATE egress_lease SET renewals = renewals + 1, released = true, term_ms = $5, seen = clock_timestamp() WHERE site = $1 AND holder = $2 AND run = $3 AND token = $4 AND NOT released
        """;

    /// <inheritdoc/>
    public Task<LeaseReply> LookAsync(BoxReport own, CancellationToken cancellationToken) => ExchangeAsync(own, null, cancellationToken);

    /// <inheritdoc/>
    public Task<LeaseReply> RenewAsync(BoxReport own, long token, CancellationToken cancellationToken) =>
        ExchangeAsync(own, Command(Renew, site, own.Box, own.Run, token), cancellationToken);

    /// <inheritdoc/>
    public Task<LeaseReply> TakeAsync(BoxReport own, LeaseRow? seen, TimeSpan term, CancellationToken cancellationToken) =>
        ExchangeAsync(own, Command(Take, site, own.Box, own.Run, seen?.Token ?? 0, seen?.Renewals ?? 0, (long)term.TotalMilliseconds), cancellationToken);

    /// <inheritdoc/>
    public Task<LeaseReply> ReleaseAsync(BoxReport own, long token, TimeSpan owed, CancellationToken cancellationToken) =>
        ExchangeAsync(own, Command(Release, site, own.Box, own.Run, token, (long)owed.TotalMilliseconds), cancellationToken);

    private async Task<LeaseReply> ExchangeAsync(BoxReport own, NpgsqlBatchCommand? change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(own);
        try
        {
            await using NpgsqlConnection open = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using NpgsqlBatch batch = new(open);
            batch.BatchCommands.Add(Command(Report, site, own.Box, own.Run, own.Problem, own.Details));
            if (change is not null)
            {
                batch.BatchCommands.Add(change);
            }

            batch.BatchCommands.Add(Command(Look, site));
            batch.BatchCommands.Add(Command(Boxes, site));
            LeaseRow? row = null;
            List<BoxReport> boxes = [];
            await using (NpgsqlDataReader reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
            {
                if (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    row = new LeaseRow(reader.GetInt64(0), reader.GetInt64(1), reader.GetString(2), reader.GetGuid(3), reader.GetBoolean(4), TimeSpan.FromMilliseconds(reader.GetInt64(5)));
                }

                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    boxes.Add(new BoxReport(reader.GetString(0), reader.GetGuid(1), reader.GetString(2), TimeSpan.FromSeconds(reader.GetDouble(3)), reader.GetString(4)));
                }

                // To the end: only then is the transaction committed.
                while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
                {
                }
            }

            return new LeaseReply(row, change?.RecordsAffected == 1, boxes);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException)
        {
            throw SiteDatabase.Wrap(e);
        }
    }

    private static NpgsqlBatchCommand Command(string sql, params object[] values)
    {
        NpgsqlBatchCommand command = new(sql);
        foreach (object value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
