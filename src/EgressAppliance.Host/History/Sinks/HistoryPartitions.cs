using System.Globalization;
using Npgsql;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>
/// The partitions of the history's tables in PostgreSQL, a month of UTC each, such as <c>egress_event_202611</c>. Several boxes make and drop the same ones: an advisory lock has them do it one after another.
/// </summary>
/// <param name="tables">The tables, and how long their rows are kept.</param>
/// <param name="time">The clock.</param>
internal sealed class HistoryPartitions(IReadOnlyList<(string Table, TimeSpan Kept)> tables, TimeProvider time)
{
    // Any number that nobody else is likely to lock with.
    private const long Lock = 0x65677265_73730002;
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private DateOnly _trimmed;

    /// <summary>Makes the tables.</summary>
    /// <param name="open">A connection.</param>
    /// <param name="sql">What makes them where they are not there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SinkException">They are there, of a version without partitions.</exception>
    public async Task PrepareAsync(NpgsqlConnection open, string sql, CancellationToken cancellationToken)
    {
        // Another box may have dropped partitions, or somebody the tables.
        _made.Clear();
        await LockedAsync(open, async () =>
        {
            await ExecuteAsync(open, sql, cancellationToken);
            foreach ((string table, _) in tables)
            {
                // relkind p: a partitioned table.
                if (await ScalarAsync(open, $"SELECT relkind::text FROM pg_class WHERE oid = '{table}'::regclass", cancellationToken) is not "p")
                {
                    throw new SinkException($"the table {table} is of a version without partitions: rename it, and it is made anew");
                }
            }
        }, cancellationToken);
    }

    /// <summary>Makes the partitions that rows of these times go into.</summary>
    public async Task MakeAsync(NpgsqlConnection open, string table, IEnumerable<DateTimeOffset> times, CancellationToken cancellationToken)
    {
        DateOnly[] months = [.. times.Select(Month).Distinct().Where(m => !_made.Contains(Name(table, m)))];
        if (months.Length == 0)
        {
            return;
        }

        await LockedAsync(open, async () =>
        {
            foreach (DateOnly month in months)
            {
                await ExecuteAsync(open, string.Create(
                    CultureInfo.InvariantCulture,
                    $"CREATE TABLE IF NOT EXISTS {Name(table, month)} PARTITION OF {table} FOR VALUES FROM ('{month:yyyy-MM-dd} 00:00+00') TO ('{month.AddMonths(1):yyyy-MM-dd} 00:00+00')"), cancellationToken);
            }
        }, cancellationToken);
        _made.UnionWith(months.Select(m => Name(table, m)));
    }

    /// <summary>Once a day, drops the partitions of which every row is older than what is kept.</summary>
    public async Task TrimAsync(NpgsqlConnection open, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateOnly today = DateOnly.FromDateTime(now.UtcDateTime);
        if (today == _trimmed)
        {
            return;
        }

        await LockedAsync(open, async () =>
        {
            foreach ((string table, TimeSpan kept) in tables)
            {
                // All of the month before that of the oldest row that is kept, and what is older: the names sort by time.
                string oldest = Name(table, Month(now - kept));
                string? old = await ScalarAsync(
                    open, $"SELECT string_agg(c.relname, ',') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{table}'::regclass AND c.relname < '{oldest}'", cancellationToken);
                foreach (string partition in (old ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
                {
                    await ExecuteAsync(open, $"DROP TABLE \"{partition.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", cancellationToken);
                    _made.Remove(partition);
                }
            }
        }, cancellationToken);
        _trimmed = today;
    }

    private static DateOnly Month(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1);

    private static string Name(string table, DateOnly month) => string.Create(CultureInfo.InvariantCulture, $"{table}_{month:yyyyMM}");

    private static async Task LockedAsync(NpgsqlConnection open, Func<Task> work, CancellationToken cancellationToken)
    {
        await using NpgsqlTransaction transaction = await open.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(open, $"SELECT pg_advisory_xact_lock({Lock})", cancellationToken);
        await work();
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection open, string sql, CancellationToken cancellationToken) => await ScalarAsync(open, sql, cancellationToken);

    private static async Task<string?> ScalarAsync(NpgsqlConnection open, string sql, CancellationToken cancellationToken)
    {
        // Names of our own tables only, and of partitions as the server names them.
#pragma warning disable CA2100
        await using NpgsqlCommand command = new(sql, open);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }
}
