using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>Writes the rates of the largest prefixes, packed, and rolls them up.</summary>
internal sealed class PrefixWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly HistoryNames _names;
    private readonly RowCounts _counts;
    private readonly int _most;
    private readonly Dictionary<long, long> _sums = [];
    private readonly Dictionary<HistoryLevel, (SqliteCommand Read, SqliteCommand Write)> _commands = [];

    public PrefixWriter(SqliteConnection connection, HistoryNames names, RowCounts counts, int most)
    {
        _connection = connection;
        _names = names;
        _counts = counts;
        _most = most;
        foreach (HistoryLevel level in HistoryLevel.All)
        {
            _commands[level] = (
                connection.Command($"SELECT seconds, rates FROM {level.PrefixTable} WHERE time >= $begin AND time < $end", ("$begin", 0L), ("$end", 0L)),
                connection.Command(
                    $"INSERT INTO {level.PrefixTable} VALUES($time, $seconds, $rates) ON CONFLICT(time) DO UPDATE SET seconds = excluded.seconds, rates = excluded.rates",
                    ("$time", 0L), ("$seconds", 0L), ("$rates", Array.Empty<byte>())));
        }
    }

    /// <summary>Adds a minute.</summary>
    /// <param name="time">Its begin.</param>
    /// <param name="seconds">Seconds of it that were measured.</param>
    /// <param name="prefixes">The largest prefixes.</param>
    public void Add(long time, int seconds, IReadOnlyList<PrefixSample> prefixes)
    {
        if (_most == 0)
        {
            return;
        }

        // The part of the minute before a restart, if there is one, goes together with this one.
        _sums.Clear();
        long total = Collect(HistoryLevel.Minute, time, time + HistoryLevel.Minute.Seconds);
        if (total + seconds > HistoryLevel.Minute.Seconds)
        {
            return;
        }

        foreach (PrefixSample prefix in prefixes)
        {
            long key = new PackedRate(_names.Prefix(prefix.Prefix, time), _names.Link(prefix.Link), 0).Key;
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_sums, key, out _) += LinkWriter.Kbps(prefix.Bps) * seconds;
        }

        Write(HistoryLevel.Minute, time, total + seconds, isNew: total == 0);
    }

    /// <summary>Makes a step of a coarser level anew from the finer one. A prefix counts as nothing where it was not among the largest.</summary>
    public void RollUp(HistoryLevel from, HistoryLevel to, long time)
    {
        _sums.Clear();
        long seconds = Collect(from, time, time + to.Seconds);
        if (seconds > 0)
        {
            bool isNew = _connection.Scalar($"SELECT COUNT(*) FROM {to.PrefixTable} WHERE time = $time", ("$time", time)) == 0;
            Write(to, time, seconds, isNew);
        }
    }

    public void Dispose()
    {
        foreach ((SqliteCommand read, SqliteCommand write) in _commands.Values)
        {
            read.Dispose();
            write.Dispose();
        }
    }

    private long Collect(HistoryLevel level, long begin, long end)
    {
        SqliteCommand read = _commands[level].Read;
        read.Parameters[0].Value = begin;
        read.Parameters[1].Value = end;
        long total = 0;
        using SqliteDataReader row = read.ExecuteReader();
        while (row.Read())
        {
            long seconds = row.GetInt64(0);
            PackedRates.AddTo(row.GetFieldValue<byte[]>(1), seconds, _sums);
            total += seconds;
        }

        return total;
    }

    private void Write(HistoryLevel level, long time, long seconds, bool isNew)
    {
        SqliteCommand write = _commands[level].Write;
        write.Parameters[0].Value = time;
        write.Parameters[1].Value = seconds;
        write.Parameters[2].Value = PackedRates.Pack(PackedRates.Largest(_sums, seconds, _most));
        write.ExecuteNonQuery();
        _counts.Note(level.PrefixTable, isNew ? 1 : 0);
    }
}
