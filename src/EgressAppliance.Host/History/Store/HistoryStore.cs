using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>How far a sink has come in a stream.</summary>
/// <param name="Sink">The sink.</param>
/// <param name="Stream">The stream.</param>
/// <param name="Position">The last row it has: a minute, or the number of an event.</param>
public sealed record SinkPosition(string Sink, string Stream, long Position);

/// <summary>How many rows the tables have, and how large they are, as of the last transaction.</summary>
/// <param name="FileBytes">Size of the file and its log.</param>
/// <param name="UsedBytes">Octets of the file that hold something.</param>
/// <param name="Added">Rows added since start, by table.</param>
/// <param name="Trimmed">Rows deleted since start because the size was reached.</param>
public sealed record StoreFigures(long FileBytes, long UsedBytes, IReadOnlyDictionary<string, long> Added, long Trimmed);

/// <summary>
/// The database as its writer sees it. Whatever is handed over at a time is written in one transaction: minutes, the roll-ups of the steps they fall into, events, months, and the deletion of
/// what is too old or too much. So a crash at any moment leaves the database as it was before or after a tick, roll-ups and all.
/// </summary>
/// <remarks>
/// The steps under way are rolled up anew with every tick, from the finer level: there is no state of a roll-up that could be lost or fall out of step, and what is shown of the hour that has
/// just begun is there at once. It costs some three thousand rows read and two hundred written a minute. One thread at a time.
/// </remarks>
public sealed class HistoryStore : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly string _path;
    private readonly HistoryNames _names;
    private readonly RowCounts _counts;
    private readonly LinkWriter _links;
    private readonly PrefixWriter _prefixes;
    private readonly MonthWriter _months;
    private readonly HistoryTrim _trim;
    private readonly SqliteCommand _event;

    private HistoryStore(SqliteConnection connection, HistoryOptions options)
    {
        _connection = connection;
        _path = options.Path;
        _names = new HistoryNames(connection);
        _counts = new RowCounts(connection);
        _links = new LinkWriter(connection, _names, _counts);
        _prefixes = new PrefixWriter(connection, _names, _counts, options.TopPrefixes);
        _months = new MonthWriter(connection, _names, _counts, options.Terms);
        _trim = new HistoryTrim(connection, options, _counts, _names);
        _event = connection.Command(
            "INSERT INTO event(time, kind, subject, prefix, from_link, to_link, kbps, count, code, text) VALUES($time, $kind, $subject, $prefix, $from, $to, $kbps, $count, $code, $text)",
            ("$time", 0L), ("$kind", 0L), ("$subject", null), ("$prefix", null), ("$from", null), ("$to", null), ("$kbps", null), ("$count", null), ("$code", null), ("$text", null));
    }

    /// <summary>Opens or makes the database.</summary>
    /// <param name="options">What governs it.</param>
    /// <param name="now">Now.</param>
    /// <param name="opening">How it was found.</param>
    /// <exception cref="HistoryException">The database is of a newer program or of another one.</exception>
    /// <exception cref="SqliteException">The disk does not let it be opened.</exception>
    /// <exception cref="IOException">The same.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static HistoryStore Open(HistoryOptions options, DateTimeOffset now, out HistoryOpening opening)
    {
        ArgumentNullException.ThrowIfNull(options);
        SqliteConnection connection = HistoryDatabase.OpenForWriting(options.Path, now, out opening);
        try
        {
            HistoryStore store = new(connection, options);
            if (opening.Repair is not null)
            {
                store.CountAnew();
            }

            return store;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Writes everything in one transaction, or nothing.</summary>
    /// <param name="ticks">Minutes.</param>
    /// <param name="events">Events, in order.</param>
    /// <param name="positions">How far sinks have come.</param>
    /// <exception cref="SqliteException">The disk is full or failed; nothing was written.</exception>
    public void Write(IReadOnlyList<HistoryTick> ticks, IReadOnlyList<HistoryEvent> events, IReadOnlyList<SinkPosition> positions)
    {
        ArgumentNullException.ThrowIfNull(ticks);
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(positions);
        bool committed = false;
        try
        {
            _connection.InTransaction(() =>
            {
                WriteTicks(ticks);
                foreach (HistoryEvent one in events)
                {
                    Write(one);
                }

                _counts.Note("event", events.Count);
                foreach (SinkPosition position in positions)
                {
                    _connection.Execute(
                        "INSERT OR REPLACE INTO sink VALUES($name, $stream, $position)", ("$name", position.Sink), ("$stream", position.Stream), ("$position", position.Position));
                }

                _counts.Write();
            });
            committed = true;
        }
        finally
        {
            _counts.Done(committed);
            if (!committed)
            {
                _names.Clear();
                _months.Clear();
            }
        }

        _trim.Shrink();
    }

    /// <summary>Sizes and counts.</summary>
    public StoreFigures Figures() => new(Size(_path), _trim.UsedBytes, _counts.Added, _trim.Trimmed);

    /// <summary>Octets of a database and its log.</summary>
    public static long Size(string path)
    {
        FileInfo file = new(path);
        FileInfo log = new(path + "-wal");
        return (file.Exists ? file.Length : 0) + (log.Exists ? log.Length : 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _event.Dispose();
        _months.Dispose();
        _prefixes.Dispose();
        _links.Dispose();
        _names.Dispose();
        _connection.Dispose();
    }

    private void WriteTicks(IReadOnlyList<HistoryTick> ticks)
    {
        if (ticks.Count == 0)
        {
            return;
        }

        long latest = 0;
        foreach (HistoryTick tick in ticks)
        {
            long time = HistoryLevel.Minute.Floor(tick.Minute.ToUnixTimeSeconds());
            _links.Add(time, tick.Links);
            _prefixes.Add(time, Math.Clamp(tick.Seconds, 1, 60), tick.Prefixes);
            latest = time;
        }

        for (int i = 1; i < HistoryLevel.All.Count; i++)
        {
            (HistoryLevel from, HistoryLevel to) = (HistoryLevel.All[i - 1], HistoryLevel.All[i]);
            foreach (long step in ticks.Select(t => to.Floor(t.Minute.ToUnixTimeSeconds())).Distinct())
            {
                _links.RollUp(to, step);
                _prefixes.RollUp(from, to, step);
            }
        }

        _months.Advance(latest);
        _trim.ByAge(latest);
        _trim.BySize();
    }

    private void Write(HistoryEvent one)
    {
        object?[] values =
        [
            one.Time.ToUnixTimeMilliseconds(), (long)one.Kind, Given(one.Subject), Given(one.Prefix), Given(one.From), Given(one.To), one.Bps is { } bps ? LinkWriter.Kbps(bps) : null, one.Count,
            Given(one.Code), Given(one.Text),
        ];
        for (int i = 0; i < values.Length; i++)
        {
            _event.Parameters[i].Value = values[i] ?? DBNull.Value;
        }

        _event.ExecuteNonQuery();
    }

    private static string? Given(string text) => text.Length == 0 ? null : text;

    private void CountAnew() => _connection.InTransaction(() =>
    {
        _connection.Execute("DELETE FROM row_count");
        foreach (string table in HistoryLevel.All.SelectMany(l => new[] { l.LinkTable, l.PrefixTable }).Append("event").Append("month"))
        {
            _connection.Execute($"INSERT INTO row_count SELECT '{table}', COUNT(*) FROM {table}");
        }
    });
}
