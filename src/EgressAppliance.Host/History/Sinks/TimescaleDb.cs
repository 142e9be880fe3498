using System.Globalization;
using Npgsql;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>
/// TimescaleDB in a database that has it (<c>CREATE EXTENSION timescaledb</c> is the operator's to say): the history's tables are made hypertables, so that the extension makes their partitions and, in the edition
/// that can, compresses what is older than <see cref="Chunk"/>. Only functions of its version 2 are called, and those of the Apache edition suffice.
/// </summary>
/// <param name="Schema">Schema of its functions, quoted.</param>
/// <param name="Compresses">Whether it compresses and still takes rows that it has compressed: version 2.11 or later, under the Timescale licence.</param>
internal sealed record TimescaleDb(string Schema, bool Compresses)
{
    /// <summary>Time that a chunk covers, and after which it is compressed: a week, as the extension's own default.</summary>
    public const string Chunk = "7 days";

    /// <summary>Looks for it.</summary>
    /// <returns>Null: the database has none, or one before version 2.</returns>
    public static async Task<TimescaleDb?> FindAsync(NpgsqlConnection open, CancellationToken cancellationToken)
    {
        string? found = await open.TextAsync(
            "SELECT concat_ws(' ', split_part(e.extversion, '-', 1), coalesce(current_setting('timescaledb.license', true), 'unknown'), quote_ident(n.nspname)) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'",
            cancellationToken);
        return found?.Split(' ', 3) is [var number, var license, var schema] && Version.TryParse(number, out Version? version) && version.Major >= 2
            ? new TimescaleDb(schema, version >= new Version(2, 11) && license == "timescale")
            : null;
    }

    /// <summary>Whether a table is a hypertable.</summary>
    public static async Task<bool> HoldsAsync(NpgsqlConnection open, string table, CancellationToken cancellationToken) => await open.TextAsync(
        $"SELECT 'yes' FROM timescaledb_information.hypertables h JOIN pg_namespace n ON n.nspname = h.hypertable_schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = h.hypertable_name WHERE c.oid = '{table}'::regclass",
        cancellationToken) is not null;

    /// <summary>Makes an empty table a hypertable. Compression is arranged here only, so that who takes it away is not overruled later.</summary>
    public async Task MakeAsync(NpgsqlConnection open, HistoryTable table, CancellationToken cancellationToken)
    {
        await open.TextAsync(
            $"SELECT {Schema}.create_hypertable('{table.Name}', 'time', chunk_time_interval => INTERVAL '{Chunk}', create_default_indexes => false)::text", cancellationToken);
        if (Compresses)
        {
            await open.TextAsync(
                $"ALTER TABLE {table.Name} SET (timescaledb.compress, timescaledb.compress_segmentby = '{table.SegmentBy}', timescaledb.compress_orderby = '{table.OrderBy}')", cancellationToken);
            await open.TextAsync($"SELECT {Schema}.add_compression_policy('{table.Name}', INTERVAL '{Chunk}')::text", cancellationToken);
        }
    }

    /// <summary>Drops the chunks of which every row is older than a time.</summary>
    public async Task TrimAsync(NpgsqlConnection open, string table, DateTimeOffset oldest, CancellationToken cancellationToken) => await open.TextAsync(
        string.Create(CultureInfo.InvariantCulture, $"SELECT count(*)::text FROM {Schema}.drop_chunks('{table}', older_than => TIMESTAMPTZ '{oldest.UtcDateTime:yyyy-MM-dd HH:mm:ss}+00')"), cancellationToken);

    /// <summary>
    /// Lets this transaction write over any number of compressed rows: a history that is sent once more, from its begin, would else be refused at the extension's limit of 100,000, and for ever.
    /// </summary>
    public static async Task LiftLimitAsync(NpgsqlConnection open, CancellationToken cancellationToken) => await open.TextAsync(
        "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'timescaledb.max_tuples_decompressed_per_dml_transaction'", cancellationToken);
}
