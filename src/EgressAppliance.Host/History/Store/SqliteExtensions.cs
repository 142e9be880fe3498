using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>Short forms of what is done with every connection.</summary>
internal static class SqliteExtensions
{
    /// <summary>A command with its parameters; the transaction is the connection's own.</summary>
    public static SqliteCommand Command(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        SqliteCommand command = connection.CreateCommand();

        // The text is of this assembly; values come as parameters.
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object? value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }

    /// <summary>Executes a statement.</summary>
    /// <returns>Rows changed.</returns>
    public static int Execute(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = connection.Command(sql, parameters);
        return command.ExecuteNonQuery();
    }

    /// <summary>One number; 0 for NULL.</summary>
    public static long Scalar(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = connection.Command(sql, parameters);
        return command.ExecuteScalar() is long value ? value : 0;
    }

    /// <summary>One number, or null.</summary>
    public static long? ScalarOrNull(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = connection.Command(sql, parameters);
        return command.ExecuteScalar() as long?;
    }

    /// <summary>Does something in a transaction that may write; undone as a whole if it throws.</summary>
    public static void InTransaction(this SqliteConnection connection, Action action)
    {
        connection.Execute("BEGIN IMMEDIATE");
        try
        {
            action();
            connection.Execute("COMMIT");
        }
        catch
        {
            try
            {
                connection.Execute("ROLLBACK");
            }
            catch (SqliteException)
            {
                // SQLite has rolled back by itself, as it does when the disk is full.
            }

            throw;
        }
    }

    /// <summary>A column that may be NULL.</summary>
    public static long? Nullable(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    /// <summary>A text column, empty for NULL.</summary>
    public static string Text(this SqliteDataReader row, int column) => row.IsDBNull(column) ? "" : row.GetString(column);
}
