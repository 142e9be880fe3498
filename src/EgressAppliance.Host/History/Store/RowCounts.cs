using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>How many rows each table has. Counting tens of millions takes seconds, so the numbers are kept beside the tables, in the same transactions.</summary>
internal sealed class RowCounts(SqliteConnection connection)
{
    private readonly Dictionary<string, long> _changes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _added = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _addedBefore = new(StringComparer.Ordinal);

    /// <summary>Rows added since start, by table; after <see cref="Done"/>.</summary>
    public IReadOnlyDictionary<string, long> Added => new Dictionary<string, long>(_addedBefore);

    /// <summary>Notes rows that were added, or (negative) deleted.</summary>
    public void Note(string table, long rows)
    {
        if (rows != 0)
        {
            _changes[table] = _changes.GetValueOrDefault(table) + rows;
            if (rows > 0)
            {
                _added[table] = _added.GetValueOrDefault(table) + rows;
            }
        }
    }

    /// <summary>Writes what was noted; within the transaction.</summary>
    public void Write()
    {
        foreach ((string table, long rows) in _changes)
        {
            connection.Execute(
                "INSERT INTO row_count(name, rows) VALUES($name, $rows) ON CONFLICT(name) DO UPDATE SET rows = rows + $rows", ("$name", table), ("$rows", rows));
        }
    }

    /// <summary>The transaction was committed (true) or undone.</summary>
    public void Done(bool committed)
    {
        foreach ((string table, long rows) in _added)
        {
            if (committed)
            {
                _addedBefore[table] = _addedBefore.GetValueOrDefault(table) + rows;
            }
        }

        _changes.Clear();
        _added.Clear();
    }
}
