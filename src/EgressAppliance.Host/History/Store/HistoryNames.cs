using EgressAppliance.Net;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// The dictionaries of links and prefixes: numbers in place of names, so that rows are small. What is held in memory is bounded; of a prefix the day is noted on which it was last
/// among the largest, so that those that no step names any more can be forgotten.
/// </summary>
internal sealed class HistoryNames : IDisposable
{
    private const int MostLinks = ushort.MaxValue;
    private const int MostInMemory = 200_000;
    private const int SecondsPerDay = 86400;
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, int> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<IpPrefix, int> _prefixes = [];
    private readonly SqliteCommand _see;
    private long _day;

    public HistoryNames(SqliteConnection connection)
    {
        _connection = connection;
        _see = connection.Command("INSERT INTO prefix(prefix, seen) VALUES($prefix, $day) ON CONFLICT(prefix) DO UPDATE SET seen = MAX(seen, $day) RETURNING id", ("$prefix", ""), ("$day", 0L));
    }

    /// <summary>The number of a link, 0 for the empty name.</summary>
    public int Link(string name)
    {
        if (name.Length == 0)
        {
            return 0;
        }

        if (!_links.TryGetValue(name, out int id))
        {
            _connection.Execute("INSERT OR IGNORE INTO link(name) VALUES($name)", ("$name", name));
            id = (int)_connection.Scalar("SELECT id FROM link WHERE name = $name", ("$name", name));
            if (id > MostLinks)
            {
                throw new HistoryException($"more than {MostLinks} links have been configured in the time that is kept", HistoryFailure.Foreign);
            }

            _links[name] = id;
        }

        return id;
    }

    /// <summary>The number of a prefix that is among the largest at a time.</summary>
    public int Prefix(IpPrefix prefix, long time)
    {
        long day = time / SecondsPerDay;
        if (day != _day || _prefixes.Count > MostInMemory)
        {
            _prefixes.Clear();
            _day = day;
        }

        if (!_prefixes.TryGetValue(prefix, out int id))
        {
            _see.Parameters[0].Value = prefix.ToString();
            _see.Parameters[1].Value = day;
            id = (int)(long)_see.ExecuteScalar()!;
            _prefixes[prefix] = id;
        }

        return id;
    }

    /// <summary>Forgets prefixes that were last seen before a time that nothing is kept of.</summary>
    public int Forget(long before) => _connection.Execute("DELETE FROM prefix WHERE seen < $day", ("$day", before / SecondsPerDay));

    /// <summary>What a transaction that was undone had numbered is not numbered.</summary>
    public void Clear()
    {
        _links.Clear();
        _prefixes.Clear();
    }

    public void Dispose() => _see.Dispose();
}
