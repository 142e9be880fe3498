using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// The tables of the database and how an older one becomes a newer one. <c>PRAGMA user_version</c> is the number of steps that were taken; a step is never changed once it was released,
/// and there is none back. Before the first step is taken on a database that holds something, a copy of it is made beside it.
/// </summary>
/// <remarks>
/// Times are the begin of the step in seconds since 1970, UTC; events are in milliseconds. Rates are kbit/s: with that, most of them are integers of three or four octets. Links and prefixes are
/// numbers of their dictionaries. Tables with a row a link have no row id: the key is the tree. Prefixes are packed (<see cref="PackedRates"/>), one row a step. Events are numbered in the order in which they were written, and no number is used twice: sinks go on from the
/// last one they have.
/// </remarks>
public static class HistorySchema
{
    /// <summary>Marks the file as ours (<c>PRAGMA application_id</c>): "EgHi".</summary>
    public const int ApplicationId = 0x45674869;

    /// <summary>The steps.</summary>
    public static IReadOnlyList<string> Steps { get; } = [First()];

    /// <summary>Version that this program writes.</summary>
    public static int Version => Steps.Count;

    /// <summary>Brings a database to the newest version.</summary>
    /// <param name="connection">The database.</param>
    /// <param name="path">Its file, for the copy.</param>
    /// <param name="steps">The steps; in the program <see cref="Steps"/>.</param>
    /// <returns>The copy that was made; null if none was needed.</returns>
    /// <exception cref="HistoryException">The database is of a newer program, or of another one.</exception>
    public static string? Migrate(SqliteConnection connection, string path, IReadOnlyList<string> steps)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(steps);
        long version = connection.Scalar("PRAGMA user_version");
        if (version > steps.Count)
        {
            throw new HistoryException(
                $"{path} was written by a newer version (format {version}, this one writes {steps.Count}); move it away, or go back to the newer version", HistoryFailure.NewerVersion);
        }

        if (version == 0 && connection.Scalar("SELECT COUNT(*) FROM sqlite_master") > 0)
        {
            throw new HistoryException($"{path} is a database of something else", HistoryFailure.Foreign);
        }

        string? copy = null;
        if (version > 0 && version < steps.Count)
        {
            copy = CopyOf(path, version);
            Copy(connection, copy);
        }

        for (; version < steps.Count; version++)
        {
            connection.InTransaction(() =>
            {
                connection.Execute(steps[(int)version]);
                connection.Execute($"PRAGMA user_version = {(version + 1).ToString(CultureInfo.InvariantCulture)}");
            });
        }

        return copy;
    }

    /// <summary>Copies the database. A copy of the same name, as an upgrade that was taken back leaves behind, goes only when the new one is whole, which a full disk may prevent.</summary>
    private static void Copy(SqliteConnection connection, string copy)
    {
        string partial = copy + ".partial";
        File.Delete(partial);
        try
        {
            using SqliteCommand into = connection.Command("VACUUM INTO $copy", ("$copy", partial));
            into.ExecuteNonQuery();
            File.Move(partial, copy, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>The copy that is made of a database before its format is left behind.</summary>
    /// <param name="path">The database.</param>
    /// <param name="version">Its format.</param>
    public static string CopyOf(string path, long version) => string.Create(CultureInfo.InvariantCulture, $"{path}.v{version}");

    private static string First()
    {
        StringBuilder sql = new();
        sql.Append(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId};");
        sql.Append("""
            CREATE TABLE link(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
            CREATE TABLE prefix(id INTEGER PRIMARY KEY, prefix TEXT NOT NULL UNIQUE, seen INTEGER NOT NULL) STRICT;
            CREATE TABLE row_count(name TEXT PRIMARY KEY, rows INTEGER NOT NULL) WITHOUT ROWID, STRICT;
            CREATE TABLE event(id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind INTEGER NOT NULL, subject TEXT, prefix TEXT, from_link TEXT, to_link TEXT, kbps INTEGER,
                count INTEGER, code TEXT, text TEXT) STRICT;
            CREATE INDEX event_time ON event(time);
            CREATE TABLE month(link INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, label INTEGER NOT NULL, from_counter INTEGER NOT NULL, percentile INTEGER NOT NULL,
                samples INTEGER NOT NULL, measured INTEGER NOT NULL, standing INTEGER NOT NULL, billed INTEGER NOT NULL, native_standing INTEGER NOT NULL, native_billed INTEGER NOT NULL,
                commit_bps INTEGER, price REAL, volume INTEGER NOT NULL, peak INTEGER NOT NULL, native_peak INTEGER NOT NULL, overload INTEGER NOT NULL, native_overload INTEGER NOT NULL,
                PRIMARY KEY(link, start)) WITHOUT ROWID, STRICT;
            CREATE TABLE sink(name TEXT NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(name, stream)) WITHOUT ROWID, STRICT;
            """);
        foreach (HistoryLevel level in HistoryLevel.All)
        {
            sql.Append(CultureInfo.InvariantCulture, $"""
                CREATE TABLE {level.LinkTable}(time INTEGER NOT NULL, link INTEGER NOT NULL, seconds INTEGER NOT NULL, mirror INTEGER NOT NULL, mirror_max INTEGER NOT NULL, counter INTEGER,
                    native INTEGER, planned INTEGER, capacity INTEGER NOT NULL, threshold INTEGER NOT NULL, overload INTEGER NOT NULL, native_overload INTEGER NOT NULL,
                    overrides INTEGER NOT NULL, overrides_away INTEGER NOT NULL, PRIMARY KEY(time, link)) WITHOUT ROWID, STRICT;
                CREATE TABLE {level.PrefixTable}(time INTEGER PRIMARY KEY, seconds INTEGER NOT NULL, rates BLOB NOT NULL) STRICT;

                """);
        }

        return sql.ToString();
    }
}
