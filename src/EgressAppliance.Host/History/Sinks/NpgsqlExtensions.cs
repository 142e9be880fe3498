using Npgsql;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>What the copy in PostgreSQL needs of a connection.</summary>
internal static class NpgsqlExtensions
{
    /// <summary>Executes a statement.</summary>
    /// <param name="open">The connection.</param>
    /// <param name="sql">The statement: names of our own tables and columns, and of what the server names, never what users write.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The first value of the first row if it is a text; else null.</returns>
    public static async Task<string?> TextAsync(this NpgsqlConnection open, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100
        await using NpgsqlCommand command = new(sql, open);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }
}
