using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// Keeps the database within its time and its size. Each call deletes a bounded number of rows, so that no transaction grows large: what is left goes with the next ticks.
/// </summary>
/// <remarks>
/// When the size is reached, the finest resolution loses its oldest steps first, those of links and prefixes in step, since the coarser ones still tell of that time; a coarser one follows
/// once the finer one is down to two days of steps. SQLite uses the freed pages again; the file shrinks only if it is beyond its limit, as after the limit was lowered.
/// </remarks>
internal sealed class HistoryTrim(SqliteConnection connection, HistoryOptions options, RowCounts counts, HistoryNames names)
{
    // Steps that one statement deletes: with 64 links some seven megabytes of log.
    private const int StepsAtOnce = 2000;
    private const int MostRounds = 8;
    private const int PagesAtOnce = 4096;

    // Room for the log, and for what comes before the next trim.
    private const double Full = 0.96;
    private const double Enough = 0.94;
    private static readonly int[] KeptSteps = [2880, 60];
    private readonly long _pageBytes = connection.Scalar("PRAGMA page_size");
    private long _forgotDay;

    /// <summary>Rows deleted since start because the size was reached.</summary>
    public long Trimmed { get; private set; }

    /// <summary>Octets of the file that are in use.</summary>
    public long UsedBytes => (connection.Scalar("PRAGMA page_count") - connection.Scalar("PRAGMA freelist_count")) * _pageBytes;

    /// <summary>Deletes what is too old.</summary>
    public void ByAge(long now)
    {
        foreach (HistoryLevel level in HistoryLevel.All)
        {
            long before = now - (long)options.Retention.Of(level).TotalSeconds;
            DeleteSteps(level.LinkTable, level, before, StepsAtOnce);
            DeleteSteps(level.PrefixTable, level, before, StepsAtOnce);
        }

        counts.Note("event", -connection.Execute(
            "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE time < $before ORDER BY time LIMIT 10000)", ("$before", (now - (long)options.Retention.Events.TotalSeconds) * 1000)));
        counts.Note("month", -connection.Execute("DELETE FROM month WHERE \"end\" < $before", ("$before", now - (long)options.Retention.Day.TotalSeconds)));
        if (now / 86400 != _forgotDay)
        {
            _forgotDay = now / 86400;
            long longest = HistoryLevel.All.Max(l => (long)options.Retention.Of(l).TotalSeconds);
            names.Forget(now - longest - (2 * 86400));
        }
    }

    /// <summary>Deletes the oldest while the database is larger than it may be.</summary>
    public void BySize()
    {
        if (UsedBytes <= options.MaxBytes * Full)
        {
            return;
        }

        for (int round = 0; round < MostRounds && UsedBytes > options.MaxBytes * Enough; round++)
        {
            int deleted = DeleteOldest();
            Trimmed += deleted;
            if (deleted == 0)
            {
                break;
            }
        }
    }

    /// <summary>Gives free pages back to the disk if the file is larger than it may be; outside of a transaction.</summary>
    public void Shrink()
    {
        if (connection.Scalar("PRAGMA page_count") * _pageBytes > options.MaxBytes && connection.Scalar("PRAGMA freelist_count") > 0)
        {
            using SqliteCommand vacuum = connection.Command($"PRAGMA incremental_vacuum({PagesAtOnce})");
            using SqliteDataReader row = vacuum.ExecuteReader();
            while (row.Read())
            {
                // A page at a time.
            }
        }
    }

    private int DeleteOldest()
    {
        foreach (int kept in KeptSteps)
        {
            foreach (HistoryLevel level in HistoryLevel.All)
            {
                (long Oldest, long Newest) links = Span(level.LinkTable);
                (long Oldest, long Newest) prefixes = Span(level.PrefixTable);
                long newest = Math.Max(links.Newest, prefixes.Newest);
                long oldest = Math.Min(links.Oldest, prefixes.Oldest);
                long steps = (newest - oldest) / level.Seconds;
                if (steps <= kept)
                {
                    continue;
                }

                int most = (int)Math.Clamp(steps / 20, 1, StepsAtOnce);
                long until = oldest + ((long)most * level.Seconds);
                int deleted = DeleteSteps(level.LinkTable, level, until, most) + DeleteSteps(level.PrefixTable, level, until, most);
                if (deleted > 0)
                {
                    return deleted;
                }
            }
        }

        int events = connection.Execute("DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT (SELECT COUNT(*) / 10 FROM event))");
        counts.Note("event", -events);
        return events;
    }

    private (long Oldest, long Newest) Span(string table) => (
        connection.ScalarOrNull($"SELECT MIN(time) FROM {table}") ?? long.MaxValue, connection.ScalarOrNull($"SELECT MAX(time) FROM {table}") ?? 0);

    private int DeleteSteps(string table, HistoryLevel level, long before, int most)
    {
        if (connection.ScalarOrNull($"SELECT MIN(time) FROM {table}") is not { } oldest || oldest >= before)
        {
            return 0;
        }

        int rows = connection.Execute($"DELETE FROM {table} WHERE time < $before", ("$before", Math.Min(before, oldest + ((long)most * level.Seconds))));
        counts.Note(table, -rows);
        return rows;
    }
}
