using EgressAppliance.Host.History.Store;
using EgressAppliance.Net;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>
/// Reads from the local history what a sink does not have yet. The history is the sink's queue: bounded by its retention, on disk, and the same for an outage of a minute and one of a week.
/// </summary>
/// <param name="path">The database.</param>
/// <param name="sink">Name of the sink.</param>
public sealed class SinkFeed(string path, string sink)
{
    /// <summary>Stream of minutes: the position is the begin of the last one, in seconds.</summary>
    public const string Minutes = "minutes";

    /// <summary>Stream of events: the position is the number of the last one.</summary>
    public const string Events = "events";

    // With 64 links and 1,000 prefixes 30,000 rows.
    private const int MinutesAtOnce = 30;
    private const int EventsAtOnce = 5000;
    private const long Unit = 1000;
    private static readonly TimeSpan FirstReach = TimeSpan.FromDays(1);
    private long? _minute;
    private long? _event;

    /// <summary>How much older the sink's last minute is than the newest that it could have; null before the first look.</summary>
    public double? LagSeconds { get; private set; }

    /// <summary>The next rows; none if it has all. What was read is read again until <see cref="Taken"/>.</summary>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    /// <exception cref="SqliteException">The same.</exception>
    public (SinkBatch Batch, IReadOnlyList<SinkPosition> Positions) Next()
    {
        using SqliteConnection connection = HistoryDatabase.OpenForReading(path, pooled: true);
        connection.Execute("BEGIN");
        try
        {
            return Read(connection);
        }
        finally
        {
            connection.Execute("ROLLBACK");
        }
    }

    /// <summary>The sink has taken what was read.</summary>
    public void Taken(IReadOnlyList<SinkPosition> positions)
    {
        ArgumentNullException.ThrowIfNull(positions);
        foreach (SinkPosition position in positions)
        {
            if (position.Stream == Minutes)
            {
                _minute = position.Position;
            }
            else
            {
                _event = position.Position;
            }
        }
    }

    private (SinkBatch Batch, IReadOnlyList<SinkPosition> Positions) Read(SqliteConnection connection)
    {
        // The newest minute may grow still, by its other part after a restart.
        long newest = Math.Max(
            connection.Scalar($"SELECT MAX(time) FROM {HistoryLevel.Minute.LinkTable}"), connection.Scalar($"SELECT MAX(time) FROM {HistoryLevel.Minute.PrefixTable}"));
        long reach = newest - (long)FirstReach.TotalSeconds;
        _minute ??= Position(connection, Minutes) ?? reach;
        _event ??= Position(connection, Events) ?? (connection.ScalarOrNull("SELECT MIN(id) FROM event WHERE time >= $time", ("$time", reach * 1000)) - 1) ?? 0;

        // What is not kept any more, and times that nothing was measured in, are skipped at once.
        long next = Math.Min(After(connection, HistoryLevel.Minute.LinkTable, _minute.Value, newest), After(connection, HistoryLevel.Minute.PrefixTable, _minute.Value, newest));
        long after = Math.Max(_minute.Value, next - HistoryLevel.Minute.Seconds);
        long until = Math.Min(newest, after + ((MinutesAtOnce + 1L) * HistoryLevel.Minute.Seconds));
        LagSeconds = Math.Max(0, newest - HistoryLevel.Minute.Seconds - _minute.Value);
        List<(DateTimeOffset, LinkSample)> links = [];
        List<(DateTimeOffset, PrefixSample)> prefixes = [];
        List<SinkPosition> positions = [];
        if (until > after + HistoryLevel.Minute.Seconds)
        {
            string[] names = HistoryQueries.LinkNames(connection);
            ReadLinks(connection, after, until, names, links);
            ReadPrefixes(connection, after, until, names, prefixes);
            positions.Add(new SinkPosition(sink, Minutes, until - HistoryLevel.Minute.Seconds));
        }

        List<(long, HistoryEvent)> events = ReadEvents(connection, _event.Value);
        if (events.Count > 0)
        {
            positions.Add(new SinkPosition(sink, Events, events[^1].Item1));
        }

        return (new SinkBatch(links, prefixes, events), positions);
    }

    private static long After(SqliteConnection connection, string table, long minute, long otherwise) =>
        connection.ScalarOrNull($"SELECT MIN(time) FROM {table} WHERE time > $minute", ("$minute", minute)) ?? otherwise;

    private long? Position(SqliteConnection connection, string stream) =>
        connection.ScalarOrNull("SELECT position FROM sink WHERE name = $name AND stream = $stream", ("$name", sink), ("$stream", stream));

    private static void ReadLinks(SqliteConnection connection, long after, long until, string[] names, List<(DateTimeOffset, LinkSample)> links)
    {
        using SqliteCommand command = connection.Command(
            $"""
            SELECT time, link, seconds, mirror, mirror_max, counter, native, planned, capacity, threshold, overload, native_overload, overrides, overrides_away
            FROM {HistoryLevel.Minute.LinkTable} WHERE time > $after AND time < $until ORDER BY time, link
            """,
            ("$after", after), ("$until", until));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            links.Add((DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(0)), new LinkSample(
                names[row.GetInt32(1)], row.GetInt32(2), row.GetInt64(3) * Unit, row.GetInt64(4) * Unit, row.Nullable(5) * Unit, row.Nullable(6) * Unit, row.Nullable(7) * Unit,
                row.GetInt64(8) * Unit, row.GetInt64(9) * Unit, row.GetInt32(10), row.GetInt32(11), row.GetInt32(12), row.GetInt32(13))));
        }
    }

    private static void ReadPrefixes(SqliteConnection connection, long after, long until, string[] names, List<(DateTimeOffset, PrefixSample)> prefixes)
    {
        Dictionary<int, IpPrefix> known = [];
        using SqliteCommand command = connection.Command(
            $"SELECT time, rates FROM {HistoryLevel.Minute.PrefixTable} WHERE time > $after AND time < $until ORDER BY time", ("$after", after), ("$until", until));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(0));
            ReadOnlySpan<byte> packed = row.GetFieldValue<byte[]>(1);
            int number = 0;
            while (PackedRates.TryNext(ref packed, ref number, out PackedRate rate))
            {
                if (!known.TryGetValue(rate.Prefix, out IpPrefix prefix))
                {
                    _ = IpPrefix.TryParse(HistoryQueries.PrefixName(connection, rate.Prefix), out prefix);
                    known[rate.Prefix] = prefix;
                }

                if (!prefix.IsDefault)
                {
                    prefixes.Add((time, new PrefixSample(prefix, rate.Link < names.Length ? names[rate.Link] : "", rate.Kbps * Unit)));
                }
            }
        }
    }

    private static List<(long, HistoryEvent)> ReadEvents(SqliteConnection connection, long after)
    {
        List<(long, HistoryEvent)> events = [];
        using SqliteCommand command = connection.Command(
            "SELECT id, time, kind, subject, prefix, from_link, to_link, kbps, count, code, text FROM event WHERE id > $after ORDER BY id LIMIT $most", ("$after", after),
            ("$most", (long)EventsAtOnce));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            events.Add((row.GetInt64(0), new HistoryEvent(DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)), (EventKind)row.GetInt32(2))
            {
                Subject = row.Text(3),
                Prefix = row.Text(4),
                From = row.Text(5),
                To = row.Text(6),
                Bps = row.Nullable(7) * Unit,
                Count = row.Nullable(8),
                Code = row.Text(9),
                Text = row.Text(10),
            }));
        }

        return events;
    }
}
