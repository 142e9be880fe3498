using System.Globalization;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>What became of a damaged database.</summary>
/// <param name="Damage">What SQLite said of it.</param>
/// <param name="Aside">Where it is now.</param>
/// <param name="Salvaged">Rows that could be read and are in the new database.</param>
/// <param name="Complete">Every table could be read to its end; false: some rows are missing.</param>
public sealed record RepairResult(string Damage, string Aside, long Salvaged, bool Complete);

/// <summary>
/// Checks the database when it is opened, and makes a new one of a damaged one: the damaged file is moved aside with a time stamp, and of every table what can be read, from its begin
/// forwards up to the damage and from its end backwards down to it, goes to a new file that takes the place of the old one when it is whole.
/// </summary>
public static class HistoryRepair
{
    private const int RowsPerTransaction = 20_000;

    // Damaged files that are kept, each as large as the history.
    private const int MostAside = 2;

    private static readonly string[] Companions = ["-wal", "-shm"];

    /// <summary>Runs SQLite's quick check: some ten seconds for a gigabyte, depending on the disk.</summary>
    /// <param name="path">An existing database.</param>
    /// <returns>Null if it is whole; else what is wrong, its first finding.</returns>
    public static string? Check(string path)
    {
        try
        {
            using SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 10 }.ToString());
            connection.Open();
            using SqliteCommand check = connection.Command("PRAGMA quick_check(1)");
            string answer = check.ExecuteScalar() as string ?? "no answer";
            return answer == "ok" ? null : answer.ReplaceLineEndings(" ");
        }
        catch (SqliteException e) when (HistoryDatabase.IsDamage(e))
        {
            return e.Message;
        }
    }

    /// <summary>Moves the database aside and makes a new one of what can be read.</summary>
    /// <param name="path">The damaged database; nobody has it open.</param>
    /// <param name="damage">What is wrong with it.</param>
    /// <param name="now">Now, for the name.</param>
    public static RepairResult Repair(string path, string damage, DateTimeOffset now)
    {
        string aside = MoveAside(path, "damaged", now, MostAside);
        string next = path + ".new";
        Delete(next);
        long rows = 0;
        bool complete = true;
        using (SqliteConnection target = HistoryDatabase.Create(next))
        {
            HistorySchema.Migrate(target, next, HistorySchema.Steps);
            try
            {
                using SqliteConnection source = new(new SqliteConnectionStringBuilder { DataSource = aside, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
                source.Open();

                // The format is not looked at: a table that is not there gives nothing.
                foreach (string table in Tables(target))
                {
                    rows += Salvage(source, target, table, ref complete);
                }
            }
            catch (SqliteException)
            {
                // Not even the header can be read, or the disk is full: what there is so far is the new history.
                complete = false;
            }

            target.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        Move(next, path);
        return new RepairResult(damage, aside, rows, complete);
    }

    private static List<string> Tables(SqliteConnection connection)
    {
        List<string> names = [];
        using SqliteCommand command = connection.Command("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            names.Add(row.GetString(0));
        }

        return names;
    }

    private static long Salvage(SqliteConnection source, SqliteConnection target, string table, ref bool complete)
    {
        string key = KeyOf(target, table);
        (long forwards, bool whole) = Copy(source, target, table, $"ORDER BY {key}");
        if (whole)
        {
            return forwards;
        }

        complete = false;
        string backwards = string.Join(", ", key.Split(", ").Select(k => k + " DESC"));
        return forwards + Copy(source, target, table, $"ORDER BY {backwards}").Rows;
    }

    /// <summary>Copies rows until the end of the table, or until one cannot be read. Rows that are there already are not counted.</summary>
    private static (long Rows, bool Whole) Copy(SqliteConnection source, SqliteConnection target, string table, string order)
    {
        long copied = 0;
        SqliteDataReader? row = null;
        using SqliteCommand select = source.Command($"SELECT * FROM {table} {order}");
        try
        {
            row = select.ExecuteReader();
            string values = string.Join(", ", Enumerable.Range(0, row.FieldCount).Select(i => "$" + i.ToString(CultureInfo.InvariantCulture)));
            using SqliteCommand insert = target.Command($"INSERT OR IGNORE INTO {table} VALUES({values})");
            for (int i = 0; i < row.FieldCount; i++)
            {
                insert.Parameters.AddWithValue("$" + i.ToString(CultureInfo.InvariantCulture), DBNull.Value);
            }

            bool more = true;
            while (more)
            {
                more = CopySome(row, insert, target, ref copied);
            }

            return (copied, true);
        }
        catch (SqliteException e) when (HistoryDatabase.IsDamage(e) || e.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            return (copied, false);
        }
        finally
        {
            row?.Dispose();
        }
    }

    private static bool CopySome(SqliteDataReader row, SqliteCommand insert, SqliteConnection target, ref long copied)
    {
        long count = 0;
        SqliteException? damage = null;
        bool more = true;
        target.InTransaction(() =>
        {
            for (int i = 0; i < RowsPerTransaction && more; i++)
            {
                try
                {
                    more = row.Read();
                }
                catch (SqliteException e)
                {
                    // What was read before it stays.
                    damage = e;
                    return;
                }

                for (int column = 0; more && column < row.FieldCount; column++)
                {
                    insert.Parameters[column].Value = row.GetValue(column);
                }

                count += more ? Insert(insert) : 0;
            }
        });
        copied += count;
        return damage is null ? more : throw damage;
    }

    private static int Insert(SqliteCommand insert)
    {
        try
        {
            return insert.ExecuteNonQuery();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_CONSTRAINT)
        {
            // A row with something else in place of a number: damage that the tree does not show.
            return 0;
        }
    }

    private static string KeyOf(SqliteConnection connection, string table)
    {
        List<(long Order, string Name)> columns = [];
        using SqliteCommand command = connection.Command($"SELECT pk, name FROM pragma_table_info('{table}') WHERE pk > 0");
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            columns.Add((row.GetInt64(0), '"' + row.GetString(1) + '"'));
        }

        return string.Join(", ", columns.OrderBy(c => c.Order).Select(c => c.Name));
    }

    /// <summary>Whether a database was moved aside for a reason.</summary>
    internal static bool IsAside(string path, string why) =>
        Directory.GetFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, $"{Path.GetFileName(path)}.{why}-*Z").Length > 0;

    /// <summary>Moves a database aside under a name that says why and when, and deletes the oldest of those that were moved for the same reason.</summary>
    /// <param name="path">The database; nobody has it open.</param>
    /// <param name="why">A word for the name.</param>
    /// <param name="now">Now.</param>
    /// <param name="most">How many are kept.</param>
    /// <returns>Where it is.</returns>
    internal static string MoveAside(string path, string why, DateTimeOffset now, int most)
    {
        string aside = $"{path}.{why}-{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}";
        Move(path, aside);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        foreach (string old in Directory.GetFiles(folder, $"{Path.GetFileName(path)}.{why}-*Z").OrderDescending(StringComparer.Ordinal).Skip(most))
        {
            Delete(old);
        }

        return aside;
    }

    private static void Move(string from, string to)
    {
        // The log belongs to the file of its name.
        foreach (string companion in Companions)
        {
            if (File.Exists(from + companion))
            {
                File.Move(from + companion, to + companion, overwrite: true);
            }
        }

        File.Move(from, to, overwrite: true);
    }

    private static void Delete(string path)
    {
        File.Delete(path);
        foreach (string companion in Companions)
        {
            File.Delete(path + companion);
        }
    }
}
