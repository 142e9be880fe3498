using System.Globalization;
using Npgsql;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>A table of the history in PostgreSQL.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kept">How long rows are kept.</param>
/// <param name="Columns">What stands between the parentheses of CREATE TABLE; there is a column <c>time</c>.</param>
/// <param name="SegmentBy">Columns whose values a batch of compressed rows has in common, where <see cref="TimescaleDb"/> compresses.</param>
/// <param name="OrderBy">Columns by which such a batch is sorted.</param>
internal sealed record HistoryTable(string Name, TimeSpan Kept, string Columns, string SegmentBy, string OrderBy);

/// <summary>
/// The partitions of the history's tables in PostgreSQL, a month of UTC each, such as <c>egress_event_202611</c>. Several boxes make and drop the same ones: an advisory lock has them do it one after another.
/// Where the database has TimescaleDB, tables that are made are left to it: see <see cref="TimescaleDb"/>.
/// </summary>
/// <param name="tables">The tables.</param>
/// <param name="time">The clock.</param>
internal sealed class HistoryPartitions(IReadOnlyList<HistoryTable> tables, TimeProvider time)
{
    // Any number that nobody else is likely to lock with.
    private const long Lock = 0x65677265_73730002;
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private readonly HashSet<string> _hypertables = new(StringComparer.Ordinal);
    private TimescaleDb? _timescale;
    private DateOnly _trimmed;

    /// <summary>Makes the tables that are not there.</summary>
    /// <param name="open">A connection.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SinkException">One is there, of a version without partitions.</exception>
    public async Task PrepareAsync(NpgsqlConnection open, CancellationToken cancellationToken)
    {
        // Another box may have dropped partitions, or somebody the tables.
        _made.Clear();
        _hypertables.Clear();
        await LockedAsync(open, async () =>
        {
            _timescale = await TimescaleDb.FindAsync(open, cancellationToken);
            foreach (HistoryTable table in tables)
            {
                if (await MakeTableAsync(open, table, cancellationToken))
                {
                    _hypertables.Add(table.Name);
                }
            }
        }, cancellationToken);
    }

    /// <summary>Makes the partitions that rows of these times go into.</summary>
    public async Task MakeAsync(NpgsqlConnection open, string table, IEnumerable<DateTimeOffset> times, CancellationToken cancellationToken)
    {
        if (_hypertables.Contains(table))
        {
            return;
        }

        DateOnly[] months = [.. times.Select(Month).Distinct().Where(m => !_made.Contains(Name(table, m)))];
        if (months.Length == 0)
        {
            return;
        }

        await LockedAsync(open, async () =>
        {
            foreach (DateOnly month in months)
            {
                await open.TextAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"CREATE TABLE IF NOT EXISTS {Name(table, month)} PARTITION OF {table} FOR VALUES FROM ('{month:yyyy-MM-dd} 00:00+00') TO ('{month.AddMonths(1):yyyy-MM-dd} 00:00+00')"), cancellationToken);
            }
        }, cancellationToken);
        _made.UnionWith(months.Select(m => Name(table, m)));
    }

    /// <summary>Prepares a transaction for rows that may be there already.</summary>
    public async Task BeginAsync(NpgsqlConnection open, CancellationToken cancellationToken)
    {
        if (_hypertables.Count > 0)
        {
            await TimescaleDb.LiftLimitAsync(open, cancellationToken);
        }
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
            foreach (HistoryTable table in tables)
            {
                if (_hypertables.Contains(table.Name))
                {
                    await _timescale!.TrimAsync(open, table.Name, now - table.Kept, cancellationToken);
                    continue;
                }

                // All of the month before that of the oldest row that is kept, and what is older: the names sort by time.
                string oldest = Name(table.Name, Month(now - table.Kept));
                string? old = await open.TextAsync(
                    $"SELECT string_agg(c.relname, ',') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{table.Name}'::regclass AND c.relname < '{oldest}'", cancellationToken);
                foreach (string partition in (old ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
                {
                    await open.TextAsync($"DROP TABLE \"{partition.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", cancellationToken);
                    _made.Remove(partition);
                }
            }
        }, cancellationToken);
        _trimmed = today;
    }

    /// <summary>Makes a table if it is not there.</summary>
    /// <returns>Whether it is a hypertable; else it has partitions of its own.</returns>
    private async Task<bool> MakeTableAsync(NpgsqlConnection open, HistoryTable table, CancellationToken cancellationToken)
    {
        switch (await open.TextAsync($"SELECT relkind::text FROM pg_class WHERE oid = to_regclass('{table.Name}')", cancellationToken))
        {
            case null:
                await open.TextAsync($"CREATE TABLE {table.Name}({table.Columns}){(_timescale is null ? " PARTITION BY RANGE (time)" : "")}", cancellationToken);
                if (_timescale is null)
                {
                    return false;
                }

                await _timescale.MakeAsync(open, table, cancellationToken);
                return true;

            // A partitioned table, which stays one where TimescaleDB came later.
            case "p":
                return false;

            default:
                if (_timescale is not null && await TimescaleDb.HoldsAsync(open, table.Name, cancellationToken))
                {
                    return true;
                }

                throw new SinkException($"the table {table.Name} is of a version without partitions: rename it, and it is made anew");
        }
    }

    private static DateOnly Month(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1);

    private static string Name(string table, DateOnly month) => string.Create(CultureInfo.InvariantCulture, $"{table}_{month:yyyyMM}");

    private static async Task LockedAsync(NpgsqlConnection open, Func<Task> work, CancellationToken cancellationToken)
    {
        await using NpgsqlTransaction transaction = await open.BeginTransactionAsync(cancellationToken);
        await open.TextAsync($"SELECT pg_advisory_xact_lock({Lock})::text", cancellationToken);
        await work();
        await transaction.CommitAsync(cancellationToken);
    }
}
