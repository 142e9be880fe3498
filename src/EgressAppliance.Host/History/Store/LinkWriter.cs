using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>Writes the samples of links and rolls them up.</summary>
internal sealed class LinkWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly HistoryNames _names;
    private readonly RowCounts _counts;
    private readonly SqliteCommand _add;
    private readonly SqliteCommand _count;
    private readonly Dictionary<HistoryLevel, SqliteCommand> _rollUp = [];

    public LinkWriter(SqliteConnection connection, HistoryNames names, RowCounts counts)
    {
        _connection = connection;
        _names = names;
        _counts = counts;

        // A minute in which the appliance was started anew has two parts, which make one. More than a minute in a minute means that the clock was set back: the first is kept.
        _add = Prepare($"""
            INSERT INTO {HistoryLevel.Minute.LinkTable} VALUES($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT(time, link) DO UPDATE SET
                mirror = {Joined("mirror")}, mirror_max = MAX(mirror_max, excluded.mirror_max), counter = {Joined("counter")}, native = {Joined("native")}, planned = {Joined("planned")},
                capacity = MAX(capacity, excluded.capacity), threshold = MAX(threshold, excluded.threshold), overload = overload + excluded.overload,
                native_overload = native_overload + excluded.native_overload, overrides = MAX(overrides, excluded.overrides), overrides_away = MAX(overrides_away, excluded.overrides_away),
                seconds = seconds + excluded.seconds
            WHERE seconds + excluded.seconds <= 60
            """, 14);
        _count = Prepare($"SELECT COUNT(*) FROM {HistoryLevel.Minute.LinkTable} WHERE time = $0", 1);
        for (int i = 1; i < HistoryLevel.All.Count; i++)
        {
            (HistoryLevel from, HistoryLevel to) = (HistoryLevel.All[i - 1], HistoryLevel.All[i]);
            _rollUp[to] = Prepare($"""
                INSERT OR REPLACE INTO {to.LinkTable}
                SELECT $0, link, SUM(seconds), {Mean("mirror")}, MAX(mirror_max), {Mean("counter")}, {Mean("native")}, {Mean("planned")}, MAX(capacity), MAX(threshold),
                    SUM(overload), SUM(native_overload), MAX(overrides), MAX(overrides_away)
                FROM {from.LinkTable} WHERE time >= $0 AND time < $1 GROUP BY link
                """, 2);
        }
    }

    /// <summary>Adds a minute.</summary>
    /// <param name="time">Its begin.</param>
    /// <param name="links">The links.</param>
    public void Add(long time, IReadOnlyList<LinkSample> links)
    {
        long before = Count(time);
        foreach (LinkSample link in links)
        {
            Bind(
                time, (long)_names.Link(link.Link), (long)Math.Clamp(link.Seconds, 1, 60), Kbps(link.MirrorBps), Kbps(link.MirrorMaxBps), Kbps(link.CounterBps), Kbps(link.NativeBps),
                Kbps(link.PlannedBps), Kbps(link.CapacityBps), Kbps(link.ThresholdBps), (long)link.OverloadSeconds, (long)link.NativeOverloadSeconds, (long)link.Overrides,
                (long)link.OverridesAway);
            _add.ExecuteNonQuery();
        }

        _counts.Note(HistoryLevel.Minute.LinkTable, Count(time) - before);
    }

    /// <summary>Makes a step of a coarser level anew from the finer one.</summary>
    public void RollUp(HistoryLevel to, long time)
    {
        string existing = $"SELECT COUNT(*) FROM {to.LinkTable} WHERE time = $time";
        long before = _connection.Scalar(existing, ("$time", time));
        SqliteCommand command = _rollUp[to];
        command.Parameters[0].Value = time;
        command.Parameters[1].Value = time + to.Seconds;
        command.ExecuteNonQuery();
        _counts.Note(to.LinkTable, _connection.Scalar(existing, ("$time", time)) - before);
    }

    public void Dispose()
    {
        _add.Dispose();
        _count.Dispose();
        foreach (SqliteCommand command in _rollUp.Values)
        {
            command.Dispose();
        }
    }

    /// <summary>A rate as it is stored, kbit/s.</summary>
    internal static long Kbps(long bps) => (Math.Max(0, bps) + 500) / 1000;

    private static object Kbps(long? bps) => bps is { } value ? Kbps(value) : DBNull.Value;

    private static string Mean(string column) =>
        $"(SUM({column} * seconds) + SUM(CASE WHEN {column} IS NOT NULL THEN seconds END) / 2) / SUM(CASE WHEN {column} IS NOT NULL THEN seconds END)";

    private static string Joined(string column) =>
        $"CASE WHEN {column} IS NULL THEN excluded.{column} WHEN excluded.{column} IS NULL THEN {column} "
        + $"ELSE ({column} * seconds + excluded.{column} * excluded.seconds) / (seconds + excluded.seconds) END";

    private long Count(long time)
    {
        _count.Parameters[0].Value = time;
        return (long)_count.ExecuteScalar()!;
    }

    private void Bind(params ReadOnlySpan<object> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            _add.Parameters[i].Value = values[i];
        }
    }

    private SqliteCommand Prepare(string sql, int parameters)
    {
        SqliteCommand command = _connection.Command(sql);
        for (int i = 0; i < parameters; i++)
        {
            command.Parameters.AddWithValue($"${i}", 0L);
        }

        command.Prepare();
        return command;
    }
}
