using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>How the database was found when it was opened.</summary>
/// <param name="Repair">What was repaired, or null.</param>
/// <param name="MigrationCopy">The copy that was made before the format changed, or null.</param>
public sealed record HistoryOpening(RepairResult? Repair, string? MigrationCopy)
{
    /// <summary>Where a database of a newer version is now; null if there was none.</summary>
    public string? Newer { get; init; }

    /// <summary>With <see cref="Newer"/>: the history goes on from the copy that was made before that version was installed, rather than empty.</summary>
    public bool FromCopy { get; init; }
}

/// <summary>
/// Opens the database. The writer has it for itself as a writer; any number of readers may look at it meanwhile (write-ahead log), each by a connection of its own.
/// </summary>
public static class HistoryDatabase
{
    // The rates of a thousand prefixes take five thousand octets: in larger pages a part of each would be empty.
    private const int PageBytes = 4096;

    // Databases of newer versions that are kept, each as large as the history.
    private const int MostNewer = 2;

    /// <summary>
    /// Opens the database for writing: checks it, repairs it where it is damaged, brings it to the newest format. A database of a newer version, as is there when an upgrade was taken back, is set
    /// aside, and the copy that was made when that version first opened it takes its place, if it is still there.
    /// </summary>
    /// <param name="path">The file; it and its folder are made if they are not there.</param>
    /// <param name="opening">How it was found.</param>
    /// <param name="now">Now, for the name of a file that is moved aside.</param>
    /// <exception cref="HistoryException">The database is of another program.</exception>
    /// <exception cref="SqliteException">The disk does not let it be opened.</exception>
    /// <exception cref="IOException">The same.</exception>
    public static SqliteConnection OpenForWriting(string path, DateTimeOffset now, out HistoryOpening opening)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        RepairResult? repair = null;
        string? newer = IsNewer(path) ? HistoryRepair.MoveAside(path, "newer", now, MostNewer) : null;
        string before = HistorySchema.CopyOf(path, HistorySchema.Version);

        // Also where an earlier start ended between the two steps.
        bool fromCopy = !File.Exists(path) && File.Exists(before) && HistoryRepair.IsAside(path, "newer");
        if (fromCopy)
        {
            File.Move(before, path);
        }

        if (File.Exists(path) && HistoryRepair.Check(path) is { } damage)
        {
            repair = HistoryRepair.Repair(path, damage, now);
        }

        SqliteConnection connection = Create(path);
        try
        {
            opening = new HistoryOpening(repair, HistorySchema.Migrate(connection, path, HistorySchema.Steps)) { Newer = newer, FromCopy = fromCopy };
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Whether a newer version wrote it. One that is damaged beyond reading its header is not known to be.</summary>
    private static bool IsNewer(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 10 }.ToString());
            connection.Open();
            return connection.Scalar("PRAGMA application_id") == HistorySchema.ApplicationId && connection.Scalar("PRAGMA user_version") > HistorySchema.Version;
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            return false;
        }
    }

    /// <summary>Opens the database for reading; for a connection pool, where one is wanted.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pooled">Connections are kept for the next reader.</param>
    /// <exception cref="HistoryException">There is none, or it is of another program or version.</exception>
    public static SqliteConnection OpenForReading(string path, bool pooled = false)
    {
        if (!File.Exists(path))
        {
            throw new HistoryException($"there is no history at {path}", HistoryFailure.Missing);
        }

        SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = pooled }.ToString());
        try
        {
            connection.Open();
            connection.Execute("PRAGMA query_only = 1; PRAGMA temp_store = MEMORY");
            long version = connection.Scalar("PRAGMA user_version");
            return connection.Scalar("PRAGMA application_id") == HistorySchema.ApplicationId && version == HistorySchema.Version
                ? connection
                : throw new HistoryException(
                    version > HistorySchema.Version ? $"{path} was written by a newer version" : $"{path} is not a history of this version",
                    version > HistorySchema.Version ? HistoryFailure.NewerVersion : HistoryFailure.Foreign);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Copies the database while it is written, by SQLite's online backup: the copy is of one moment.</summary>
    /// <param name="path">The database.</param>
    /// <param name="copy">Where to; must not exist.</param>
    /// <exception cref="IOException">The copy exists.</exception>
    public static void Backup(string path, string copy)
    {
        using SqliteConnection source = OpenForReading(path);
        if (File.Exists(copy))
        {
            throw new IOException($"{copy} exists already");
        }

        try
        {
            using SqliteConnection target = new(new SqliteConnectionStringBuilder { DataSource = copy, Pooling = false }.ToString());
            target.Open();
            source.BackupDatabase(target);

            // One file, to be carried about: without a log beside it.
            target.Execute("PRAGMA journal_mode = DELETE");
        }
        catch
        {
            File.Delete(copy);
            throw;
        }
    }

    /// <summary>Whether an error of SQLite says that the file is damaged.</summary>
    internal static bool IsDamage(SqliteException e) => e.SqliteErrorCode is SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB;

    /// <summary>Opens or makes a database with the settings of a writer.</summary>
    internal static SqliteConnection Create(string path)
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 10 }.ToString());
        try
        {
            connection.Open();

            // The first two count only while the file is empty. FULL: what was committed survives a power cut too; at one transaction a minute it costs nothing.
            connection.Execute($"""
                PRAGMA page_size = {PageBytes};
                PRAGMA auto_vacuum = INCREMENTAL;
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA temp_store = MEMORY;
                PRAGMA cache_size = -16000;
                PRAGMA wal_autocheckpoint = 1000;
                PRAGMA journal_size_limit = 33554432;
                """);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
