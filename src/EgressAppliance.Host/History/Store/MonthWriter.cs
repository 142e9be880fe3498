using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// Keeps the table of billing months: whenever a sample of five minutes is over, it is added to its month and the month is written anew. At start, and where the clock was set back by more
/// than a day, the months under way are read back from the five-minute table.
/// </summary>
internal sealed class MonthWriter : IDisposable
{
    private const int Step = 300;
    private const int SecondsPerDay = 86400;

    // Rates are stored in kbit/s.
    private const int BitsPerUnit = 1000;
    private readonly SqliteConnection _connection;
    private readonly HistoryNames _names;
    private readonly RowCounts _counts;
    private readonly IReadOnlyList<LinkTerms> _terms;
    private readonly Dictionary<string, MonthAccount> _accounts = new(StringComparer.Ordinal);
    private readonly SqliteCommand _samples;
    private readonly SqliteCommand _write;

    // Begin of the first sample that is in no month yet; null before the first.
    private long? _next;

    public MonthWriter(SqliteConnection connection, HistoryNames names, RowCounts counts, IReadOnlyList<LinkTerms> terms)
    {
        _connection = connection;
        _names = names;
        _counts = counts;
        _terms = terms;
        _samples = connection.Command(
            $"""
            SELECT time, link, seconds, mirror, counter, native, overload, native_overload FROM {HistoryLevel.FiveMinutes.LinkTable}
            WHERE time >= $begin AND time < $end ORDER BY time
            """,
            ("$begin", 0L), ("$end", 0L));
        _write = connection.Command("INSERT OR REPLACE INTO month VALUES($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)");
        for (int i = 0; i < 19; i++)
        {
            _write.Parameters.AddWithValue($"${i}", 0L);
        }
    }

    /// <summary>Adds the samples that are over at a time.</summary>
    /// <param name="time">A time of the sample under way.</param>
    public void Advance(long time)
    {
        long open = HistoryLevel.FiveMinutes.Floor(time);
        if (_terms.Count == 0 || open == _next)
        {
            return;
        }

        if (_next is null || open < _next - SecondsPerDay)
        {
            Begin(open);
        }

        if (open > _next)
        {
            foreach (MonthAccount changed in Feed(_next.Value, open))
            {
                Write(changed);
            }

            _next = open;
        }
    }

    /// <summary>What was taken in a transaction that was undone is read anew.</summary>
    public void Clear()
    {
        _accounts.Clear();
        _next = null;
    }

    public void Dispose()
    {
        _samples.Dispose();
        _write.Dispose();
    }

    private void Begin(long open)
    {
        _accounts.Clear();
        DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds(open);
        DateTimeOffset earliest = time;
        foreach (LinkTerms terms in _terms)
        {
            MonthAccount account = new(terms, time);
            _accounts[terms.Link] = account;
            earliest = account.Start < earliest ? account.Start : earliest;
        }

        // The months before are as they were left, and those that began before now begin with nothing.
        _next = earliest.ToUnixTimeSeconds();
    }

    private HashSet<MonthAccount> Feed(long begin, long end)
    {
        Dictionary<long, string> links = _terms.ToDictionary(t => (long)_names.Link(t.Link), t => t.Link);
        HashSet<MonthAccount> changed = [];
        _samples.Parameters[0].Value = begin;
        _samples.Parameters[1].Value = end;
        List<MonthAccount> over = [];
        using (SqliteDataReader row = _samples.ExecuteReader())
        {
            while (row.Read())
            {
                DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(0));
                if (!links.TryGetValue(row.GetInt64(1), out string? link) || !_accounts.TryGetValue(link, out MonthAccount? account) || time < account.Start)
                {
                    continue;
                }

                if (time >= account.End)
                {
                    over.Add(account);
                    account = _accounts[link] = new MonthAccount(_terms.First(t => t.Link == link), time);
                }

                account.Add(new MonthSample(
                    time, row.GetInt64(2), row.GetInt64(3) * BitsPerUnit, row.Nullable(4) * BitsPerUnit, row.Nullable(5) * BitsPerUnit, row.GetInt64(6), row.GetInt64(7)));
                changed.Add(account);
            }
        }

        changed.UnionWith(over.Where(o => o.Start.ToUnixTimeSeconds() + Step <= end));
        return changed;
    }

    private void Write(MonthAccount account)
    {
        LinkMonth month = account.Describe();
        long link = _names.Link(month.Link);
        (long start, long end) = (month.Start.ToUnixTimeSeconds(), month.End.ToUnixTimeSeconds());

        // Months of another billing day or zone that the configuration had before.
        int before = (int)_connection.Scalar("SELECT COUNT(*) FROM month WHERE link = $link AND start = $start", ("$link", link), ("$start", start));
        int dropped = _connection.Execute(
            "DELETE FROM month WHERE link = $link AND start != $start AND start < $end AND \"end\" > $start", ("$link", link), ("$start", start), ("$end", end));
        object[] values =
        [
            link, start, end, (long)month.Label, month.FromCounter ? 1L : 0L, (long)month.Percentile, (long)month.Samples, (long)month.Measured, month.StandingBps, month.PercentileBps,
            month.NativeStandingBps, month.NativePercentileBps, (object?)month.CommitBps ?? DBNull.Value, (object?)month.PricePerMbit ?? DBNull.Value, month.VolumeBytes, month.PeakBps,
            month.NativePeakBps, month.OverloadSeconds, month.NativeOverloadSeconds,
        ];
        for (int i = 0; i < values.Length; i++)
        {
            _write.Parameters[i].Value = values[i];
        }

        _write.ExecuteNonQuery();
        _counts.Note("month", 1 - before - dropped);
    }
}
