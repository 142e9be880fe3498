using System.Globalization;
using System.Text;
using System.Text.Json;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Reports;

/// <summary>What is exported.</summary>
public enum ExportTable
{
    /// <summary>Samples of links.</summary>
    Links,

    /// <summary>Rates of the largest prefixes.</summary>
    Prefixes,

    /// <summary>All events.</summary>
    Events,

    /// <summary>Verdicts, plans and modes.</summary>
    Decisions,

    /// <summary>Overrides announced, withdrawn, lost and refused.</summary>
    Overrides,

    /// <summary>Billing months.</summary>
    Months,
}

/// <summary>How it is written.</summary>
public enum ExportFormat
{
    /// <summary>CSV (RFC 4180) with a header.</summary>
    Csv,

    /// <summary>A JSON array with an object a row.</summary>
    Json,
}

/// <summary>
/// Writes a table as text, row by row, however long it is. It is read in pieces of some hours, each as of one moment, so that a long export does not keep the appliance's log from being folded
/// into the database.
/// </summary>
/// <param name="path">The database.</param>
/// <param name="writer">Where the text goes.</param>
/// <param name="format">How.</param>
public sealed class HistoryExport(string path, TextWriter writer, ExportFormat format)
{
    private const long Unit = 1000;
    private const int StepsAtOnce = 720;
    private static readonly string[] LinkColumns =
    [
        "time", "link", "seconds", "mirror_bps", "mirror_max_bps", "counter_bps", "native_bps", "planned_bps", "capacity_bps", "threshold_bps", "overload_seconds", "native_overload_seconds",
        "overrides", "overrides_away",
    ];

    private static readonly string[] PrefixColumns = ["time", "prefix", "link", "bps"];
    private static readonly string[] EventColumns = ["time", "kind", "subject", "prefix", "from_link", "to_link", "bps", "count", "code", "text"];
    private static readonly string[] MonthColumns =
    [
        "link", "month", "start", "end", "basis", "percentile", "samples", "measured", "p95_bps", "standing_bps", "native_p95_bps", "commit_bps", "price_per_mbit", "volume_bytes", "peak_bps",
        "native_peak_bps", "overload_seconds", "native_overload_seconds",
    ];

    private string[] _columns = [];

    /// <summary>Rows written.</summary>
    public long Rows { get; private set; }

    /// <summary>Writes a table.</summary>
    /// <param name="table">Which.</param>
    /// <param name="level">Resolution of links and prefixes.</param>
    /// <param name="from">Begin; null: of what is kept.</param>
    /// <param name="to">End; null: of what is kept.</param>
    /// <param name="progress">Told the part done, 0–1.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    /// <exception cref="SqliteException">The same.</exception>
    public void Write(ExportTable table, HistoryLevel level, DateTimeOffset? from, DateTimeOffset? to, Action<double> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(level);
        ArgumentNullException.ThrowIfNull(progress);
        _columns = table switch
        {
            ExportTable.Links => LinkColumns,
            ExportTable.Prefixes => PrefixColumns,
            ExportTable.Months => MonthColumns,
            _ => EventColumns,
        };
        writer.Write(format == ExportFormat.Csv ? string.Join(',', _columns) + "\r\n" : "[");
        if (table == ExportTable.Months)
        {
            Months(from, to);
        }
        else
        {
            Steps(table, level, from, to, progress, cancellationToken);
        }

        writer.Write(format == ExportFormat.Json ? "\n]\n" : "");
    }

    private void Steps(ExportTable table, HistoryLevel level, DateTimeOffset? from, DateTimeOffset? to, Action<double> progress, CancellationToken cancellationToken)
    {
        string name = table switch
        {
            ExportTable.Links => level.LinkTable,
            ExportTable.Prefixes => level.PrefixTable,
            _ => "event",
        };
        long unit = name == "event" ? Unit : 1;
        (long begin, long end) = Span(name, unit, from, to);

        // Events are few: a piece of theirs is a month.
        long piece = name == "event" ? 30 * 86400 : (long)StepsAtOnce * level.Seconds;
        for (long at = begin; at < end; at += piece)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long until = Math.Min(at + piece, end);
            using SqliteConnection connection = HistoryDatabase.OpenForReading(path);
            connection.Execute("BEGIN");
            switch (table)
            {
                case ExportTable.Links:
                    Links(connection, name, at, until);
                    break;
                case ExportTable.Prefixes:
                    Prefixes(connection, name, at, until);
                    break;
                default:
                    Events(connection, table, at, until);
                    break;
            }

            connection.Execute("ROLLBACK");
            progress((double)(until - begin) / (end - begin));
        }
    }

    private (long Begin, long End) Span(string table, long unit, DateTimeOffset? from, DateTimeOffset? to)
    {
        using SqliteConnection connection = HistoryDatabase.OpenForReading(path);
        long oldest = connection.Scalar($"SELECT MIN(time) FROM {table}") / unit;
        long newest = connection.ScalarOrNull($"SELECT MAX(time) FROM {table}") is { } last ? (last / unit) + 1 : 0;
        return (Math.Max(oldest, from?.ToUnixTimeSeconds() ?? oldest), Math.Min(newest, to?.ToUnixTimeSeconds() ?? newest));
    }

    private void Links(SqliteConnection connection, string table, long from, long to)
    {
        string[] names = HistoryQueries.LinkNames(connection);
        using SqliteCommand command = connection.Command(
            $"""
            SELECT time, link, seconds, mirror, mirror_max, counter, native, planned, capacity, threshold, overload, native_overload, overrides, overrides_away FROM {table}
            WHERE time >= $from AND time < $to ORDER BY time, link
            """,
            ("$from", from), ("$to", to));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            Row(
                Time(row.GetInt64(0)), Name(names, row.GetInt32(1)), row.GetInt64(2), row.GetInt64(3) * Unit, row.GetInt64(4) * Unit, row.Nullable(5) * Unit, row.Nullable(6) * Unit,
                row.Nullable(7) * Unit, row.GetInt64(8) * Unit, row.GetInt64(9) * Unit, row.GetInt64(10), row.GetInt64(11), row.GetInt64(12), row.GetInt64(13));
        }
    }

    private void Prefixes(SqliteConnection connection, string table, long from, long to)
    {
        string[] names = HistoryQueries.LinkNames(connection);
        Dictionary<int, string> prefixes = [];
        using SqliteCommand command = connection.Command($"SELECT time, rates FROM {table} WHERE time >= $from AND time < $to ORDER BY time", ("$from", from), ("$to", to));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            string time = Time(row.GetInt64(0));
            ReadOnlySpan<byte> packed = row.GetFieldValue<byte[]>(1);
            int number = 0;
            while (PackedRates.TryNext(ref packed, ref number, out PackedRate rate))
            {
                if (!prefixes.TryGetValue(rate.Prefix, out string? prefix))
                {
                    prefixes[rate.Prefix] = prefix = HistoryQueries.PrefixName(connection, rate.Prefix);
                }

                Row(time, prefix, Name(names, rate.Link), rate.Kbps * Unit);
            }
        }
    }

    private void Events(SqliteConnection connection, ExportTable table, long from, long to)
    {
        // The names of the tables are those of the groups.
        string? kinds = table == ExportTable.Events ? null : table == ExportTable.Decisions ? "decisions" : "overrides";
        _ = EventKinds.TryParse(kinds, out IReadOnlyList<EventKind> wanted, out _);
        HashSet<EventKind> filter = [.. wanted];
        using SqliteCommand command = connection.Command(
            "SELECT time, kind, subject, prefix, from_link, to_link, kbps, count, code, text FROM event WHERE time >= $from AND time < $to ORDER BY time, id", ("$from", from * Unit),
            ("$to", to * Unit));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            EventKind kind = (EventKind)row.GetInt32(1);
            if (filter.Count == 0 || filter.Contains(kind))
            {
                Row(
                    DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture), EventKinds.Name(kind),
                    OrNull(row, 2), OrNull(row, 3), OrNull(row, 4), OrNull(row, 5), row.Nullable(6) * Unit, row.Nullable(7), OrNull(row, 8), OrNull(row, 9));
            }
        }
    }

    private void Months(DateTimeOffset? from, DateTimeOffset? to)
    {
        using SqliteConnection connection = HistoryDatabase.OpenForReading(path);
        foreach (LinkMonth m in HistoryQueries.Months(connection, null, from ?? DateTimeOffset.UnixEpoch, to ?? DateTimeOffset.MaxValue, int.MaxValue))
        {
            Row(
                m.Link, $"{m.Label / 100:D4}-{m.Label % 100:D2}", Time(m.Start.ToUnixTimeSeconds()), Time(m.End.ToUnixTimeSeconds()), m.FromCounter ? "counter" : "mirror", (long)m.Percentile,
                (long)m.Samples, (long)m.Measured, m.PercentileBps, m.StandingBps, m.NativePercentileBps, m.CommitBps, m.PricePerMbit, m.VolumeBytes, m.PeakBps, m.NativePeakBps,
                m.OverloadSeconds, m.NativeOverloadSeconds);
        }
    }

    private void Row(params ReadOnlySpan<object?> values)
    {
        if (format == ExportFormat.Json)
        {
            writer.Write(Rows == 0 ? "\n" : ",\n");
            writer.Write(Object(values));
        }
        else
        {
            for (int i = 0; i < values.Length; i++)
            {
                writer.Write(i == 0 ? "" : ",");
                writer.Write(CsvField.Write(values[i]));
            }

            writer.Write("\r\n");
        }

        Rows++;
    }

    private string Object(ReadOnlySpan<object?> values)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes))
        {
            json.WriteStartObject();
            for (int i = 0; i < values.Length; i++)
            {
                json.WritePropertyName(_columns[i]);
                switch (values[i])
                {
                    case null:
                        json.WriteNullValue();
                        break;
                    case long number:
                        json.WriteNumberValue(number);
                        break;
                    case double number:
                        json.WriteNumberValue(number);
                        break;
                    default:
                        json.WriteStringValue((string)values[i]!);
                        break;
                }
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static string Name(string[] names, int id) => id < names.Length ? names[id] : "";

    private static string? OrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static string Time(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
