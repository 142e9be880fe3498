using System.Globalization;
using EgressAppliance.Host.Http;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace EgressAppliance.Host.History.Store;

/// <summary>A question that cannot be answered as it was put; the message says what to change.</summary>
public sealed class HistoryQuestionException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public HistoryQuestionException()
    {
    }

    /// <summary>Makes one.</summary>
    public HistoryQuestionException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public HistoryQuestionException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// The questions that the history answers, on a connection that the caller opened. Whatever is asked, the answer is bounded: where no step is given, the finest is chosen with which a link has at
/// most 1,500 points and all links together 60,000.
/// </summary>
internal static class HistoryQueries
{
    private const int MostPoints = 1500;
    private const int MostPointsOfAll = 60_000;
    private const int MostPointsGiven = 100_000;

    // Rates are stored in kbit/s.
    private const long Unit = 1000;

    public static HistoryLinksDto Links(SqliteConnection connection, string? link, DateTimeOffset from, DateTimeOffset to, int? step)
    {
        string[] names = LinkNames(connection);
        int id = link is null ? 0 : IndexOf(names, link);
        HistoryLevel level = Level(connection, from, to, step, id > 0 ? 1 : Math.Max(1, names.Length - 1), l => l.LinkTable);
        List<HistoryPointDto>?[] points = new List<HistoryPointDto>?[names.Length];
        using SqliteCommand command = connection.Command(
            $"""
            SELECT time, link, mirror, mirror_max, counter, native, planned, capacity, threshold, overload, native_overload FROM {level.LinkTable}
            WHERE time >= $from AND time < $to {(id > 0 ? "AND link = $link" : "")} ORDER BY time, link
            """,
            ("$from", level.Floor(from.ToUnixTimeSeconds())), ("$to", to.ToUnixTimeSeconds()), ("$link", (long)id));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            long number = raw.sqlite3_column_int64(row.Handle, 1);
            if (number <= 0 || number >= names.Length)
            {
                continue;
            }

            // Half a million columns for a month of 64 links: past what ADO.NET does for each.
            sqlite3_stmt at = row.Handle!;
            (points[number] ??= []).Add(new HistoryPointDto(
                DateTimeOffset.FromUnixTimeSeconds(raw.sqlite3_column_int64(at, 0)), raw.sqlite3_column_int64(at, 2) * Unit, raw.sqlite3_column_int64(at, 3) * Unit, Rate(at, 4), Rate(at, 5),
                Rate(at, 6), raw.sqlite3_column_int64(at, 7) * Unit, raw.sqlite3_column_int64(at, 8) * Unit, raw.sqlite3_column_int(at, 9), raw.sqlite3_column_int(at, 10)));
        }

        return new HistoryLinksDto(
            level.Seconds, from, to,
            [.. points.Select((p, i) => (Points: p, Name: names[i])).Where(p => p.Points is not null).OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => new HistoryLinkDto(p.Name, p.Points!))]);
    }

    public static HistoryPrefixesDto Prefixes(SqliteConnection connection, string? prefix, string? link, DateTimeOffset from, DateTimeOffset to, int top, int? step)
    {
        string[] names = LinkNames(connection);
        int linkId = link is null ? 0 : IndexOf(names, link);
        long prefixId = prefix is null ? 0 : connection.ScalarOrNull("SELECT id FROM prefix WHERE prefix = $prefix", ("$prefix", prefix)) ?? -1;
        HistoryLevel level = Level(connection, from, to, step, 1, l => l.PrefixTable);
        (string, object?)[] range = [("$from", level.Floor(from.ToUnixTimeSeconds())), ("$to", to.ToUnixTimeSeconds())];
        Dictionary<long, long> sums = [];
        long seconds = 0;
        using (SqliteCommand command = connection.Command($"SELECT seconds, rates FROM {level.PrefixTable} WHERE time >= $from AND time < $to ORDER BY time", range))
        using (SqliteDataReader row = command.ExecuteReader())
        {
            while (row.Read())
            {
                PackedRates.AddTo(row.GetFieldValue<byte[]>(1), row.GetInt64(0), sums);
                seconds += row.GetInt64(0);
            }
        }

        Dictionary<long, List<HistoryRateDto>> series = [];
        KeyValuePair<long, long>[] largest =
        [
            .. sums.Where(s => (prefixId == 0 || s.Key >> 16 == prefixId) && (linkId == 0 || (s.Key & 0xffff) == linkId)).OrderByDescending(s => s.Value).ThenBy(s => s.Key).Take(top),
        ];
        foreach ((long key, _) in largest)
        {
            series[key] = [];
        }

        using (SqliteCommand command = connection.Command($"SELECT time, rates FROM {level.PrefixTable} WHERE time >= $from AND time < $to ORDER BY time", range))
        using (SqliteDataReader row = command.ExecuteReader())
        {
            while (series.Count > 0 && row.Read())
            {
                DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(0));
                Collect(row.GetFieldValue<byte[]>(1), time, series);
            }
        }

        return new HistoryPrefixesDto(
            level.Seconds, from, to,
            [
                .. largest.Select(l => new HistoryPrefixDto(
                    PrefixName(connection, l.Key >> 16), (l.Key & 0xffff) is > 0 and long n && n < names.Length ? names[n] : null, l.Value * Unit / Math.Max(1, seconds), series[l.Key])),
            ]);
    }

    public static HistoryEventsDto Events(SqliteConnection connection, IReadOnlyCollection<EventKind> kinds, DateTimeOffset from, DateTimeOffset to, int limit, (long Time, long Id)? cursor)
    {
        string filter = kinds.Count == 0 ? "" : $"AND kind IN ({string.Join(", ", kinds.Select(k => ((int)k).ToString(CultureInfo.InvariantCulture)))})";
        using SqliteCommand command = connection.Command(
            $"""
            SELECT id, time, kind, subject, prefix, from_link, to_link, kbps, count, code, text FROM event
            WHERE time >= $from AND time < $to AND (time, id) < ($time, $id) {filter} ORDER BY time DESC, id DESC LIMIT $limit
            """,
            ("$from", from.ToUnixTimeMilliseconds()), ("$to", to.ToUnixTimeMilliseconds()), ("$time", cursor?.Time ?? long.MaxValue), ("$id", cursor?.Id ?? long.MaxValue),
            ("$limit", (long)limit + 1));
        List<HistoryEventDto> events = [];
        (long Time, long Id) last = default;
        bool more = false;
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            if (events.Count == limit)
            {
                more = true;
                break;
            }

            last = (row.GetInt64(1), row.GetInt64(0));
            events.Add(new HistoryEventDto(
                DateTimeOffset.FromUnixTimeMilliseconds(last.Time), EventKinds.Name((EventKind)row.GetInt32(2)), OrNull(row, 3), OrNull(row, 4), OrNull(row, 5), OrNull(row, 6),
                row.Nullable(7) * Unit, row.Nullable(8), OrNull(row, 9), OrNull(row, 10)));
        }

        return new HistoryEventsDto(events, more ? string.Create(CultureInfo.InvariantCulture, $"{last.Time}-{last.Id}") : null);
    }

    public static IReadOnlyList<LinkMonth> Months(SqliteConnection connection, string? link, DateTimeOffset from, DateTimeOffset to, int most)
    {
        using SqliteCommand command = connection.Command(
            """
            SELECT name, start, "end", label, from_counter, percentile, samples, measured, standing, billed, native_standing, native_billed, commit_bps, price, volume, peak, native_peak, overload,
                native_overload
            FROM month JOIN link ON link.id = month.link WHERE start >= $from AND start < $to AND ($link IS NULL OR name = $link) ORDER BY label DESC, name LIMIT $most
            """,
            ("$from", from.ToUnixTimeSeconds()), ("$to", to.ToUnixTimeSeconds()), ("$link", link), ("$most", (long)most));
        List<LinkMonth> months = [];
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            months.Add(new LinkMonth(row.GetString(0), DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(1)), DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(2)), row.GetInt32(3))
            {
                FromCounter = row.GetInt64(4) != 0,
                Percentile = row.GetInt32(5),
                Samples = row.GetInt32(6),
                Measured = row.GetInt32(7),
                StandingBps = row.GetInt64(8),
                PercentileBps = row.GetInt64(9),
                NativeStandingBps = row.GetInt64(10),
                NativePercentileBps = row.GetInt64(11),
                CommitBps = row.Nullable(12),
                PricePerMbit = row.IsDBNull(13) ? null : row.GetDouble(13),
                VolumeBytes = row.GetInt64(14),
                PeakBps = row.GetInt64(15),
                NativePeakBps = row.GetInt64(16),
                OverloadSeconds = row.GetInt64(17),
                NativeOverloadSeconds = row.GetInt64(18),
            });
        }

        return months;
    }

    public static IReadOnlyList<HistoryTableDto> Tables(SqliteConnection connection)
    {
        List<HistoryTableDto> tables = [];
        foreach ((string table, string column, bool milliseconds) in HistoryLevel.All.SelectMany(l => new[] { (l.LinkTable, "time", false), (l.PrefixTable, "time", false) })
            .Append(("event", "time", true)).Append(("month", "start", false)))
        {
            tables.Add(new HistoryTableDto(
                table, connection.Scalar("SELECT rows FROM row_count WHERE name = $name", ("$name", table)),
                Moment(connection.ScalarOrNull($"SELECT MIN({column}) FROM {table}"), milliseconds), Moment(connection.ScalarOrNull($"SELECT MAX({column}) FROM {table}"), milliseconds)));
        }

        return tables;
    }

    /// <summary>The names of the links by their numbers; the first is empty.</summary>
    public static string[] LinkNames(SqliteConnection connection)
    {
        string[] names = new string[connection.Scalar("SELECT MAX(id) FROM link") + 1];
        Array.Fill(names, "");
        using SqliteCommand command = connection.Command("SELECT id, name FROM link");
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            names[row.GetInt64(0)] = row.GetString(1);
        }

        return names;
    }

    public static string PrefixName(SqliteConnection connection, long id)
    {
        using SqliteCommand command = connection.Command("SELECT prefix FROM prefix WHERE id = $id", ("$id", id));
        return command.ExecuteScalar() as string ?? "?";
    }

    private static void Collect(ReadOnlySpan<byte> packed, DateTimeOffset time, Dictionary<long, List<HistoryRateDto>> series)
    {
        int prefix = 0;
        while (PackedRates.TryNext(ref packed, ref prefix, out PackedRate rate))
        {
            if (series.TryGetValue(rate.Key, out List<HistoryRateDto>? points))
            {
                points.Add(new HistoryRateDto(time, rate.Kbps * Unit));
            }
        }
    }

    private static int IndexOf(string[] names, string link) => Array.IndexOf(names, link) is > 0 and int id
        ? id
        : throw new HistoryQuestionException($"The history knows no link '{link}'. Links: {string.Join(", ", names.Where(n => n.Length > 0))}.");

    private static HistoryLevel Level(SqliteConnection connection, DateTimeOffset from, DateTimeOffset to, int? step, int series, Func<HistoryLevel, string> table)
    {
        long seconds = (long)(to - from).TotalSeconds;
        if (step is { } given)
        {
            HistoryLevel level = HistoryLevel.All.First(l => l.Seconds == given);
            return seconds / given * series <= MostPointsGiven
                ? level
                : throw new HistoryQuestionException($"That is {seconds / given} steps of {series} links; ask for a shorter time, a longer step or one link: {MostPointsGiven} points at most.");
        }

        long begin = from.ToUnixTimeSeconds();
        long?[] oldest = [.. HistoryLevel.All.Select(l => connection.ScalarOrNull($"SELECT MIN(time) FROM {table(l)}"))];
        for (int i = 0; i < HistoryLevel.All.Count; i++)
        {
            // A finer one that does not reach back to the begin gives way to a coarser one that reaches further.
            long points = seconds / HistoryLevel.All[i].Seconds;
            bool reaches = oldest[i] is { } first && (first <= begin || !oldest.Skip(i + 1).Any(o => o < HistoryLevel.Day.Floor(first)));
            if (points <= MostPoints && points * series <= MostPointsOfAll && (reaches || oldest.All(o => o is null)))
            {
                return HistoryLevel.All[i];
            }
        }

        return HistoryLevel.Day;
    }

    private static long? Rate(sqlite3_stmt row, int column) =>
        raw.sqlite3_column_type(row, column) == raw.SQLITE_NULL ? null : raw.sqlite3_column_int64(row, column) * Unit;

    private static string? OrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset? Moment(long? time, bool milliseconds) =>
        time is not { } t ? null : milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(t) : DateTimeOffset.FromUnixTimeSeconds(t);
}
