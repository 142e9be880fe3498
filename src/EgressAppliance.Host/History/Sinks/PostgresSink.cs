using System.Net;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Net;
using Npgsql;
using NpgsqlTypes;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>
/// Copies the history into PostgreSQL. Rows go by binary COPY into a table that lives as long as the transaction, and from there into the tables with primary keys, so that what is sent twice is
/// there once. A batch is one transaction. The tables are partitioned by time, and what is older than is kept goes a partition at a time: see <see cref="HistoryPartitions"/>.
/// </summary>
/// <param name="name">Its name.</param>
/// <param name="site">Name of the site: several sites may use the same tables.</param>
/// <param name="box">Name of the box: several boxes of a site may.</param>
/// <param name="connection">Connection string.</param>
/// <param name="retention">How long rows are kept.</param>
/// <param name="time">The clock.</param>
public sealed class PostgresSink(string name, string site, string box, string connection, HistoryRetention retention, TimeProvider time) : IHistorySink
{
    private const string LinkColumns =
        "site, box, time, link, seconds, mirror_bps, mirror_max_bps, counter_bps, native_bps, planned_bps, capacity_bps, threshold_bps, overload_seconds, native_overload_seconds, overrides, overrides_away";

    private const string PrefixColumns = "site, box, time, prefix, link, bps";
    private const string EventColumns = "site, box, time, id, kind, subject, prefix, from_link, to_link, bps, count, code, text";
    private readonly HistoryPartitions _partitions = new(Tables(retention), time);
    private NpgsqlDataSource? _source;

    /// <inheritdoc/>
    public string Name { get; } = name;

    private NpgsqlDataSource Source => _source ??= Open();

    /// <inheritdoc/>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await using NpgsqlConnection open = await Source.OpenConnectionAsync(cancellationToken);
        await _partitions.PrepareAsync(open, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task SendAsync(SinkBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        await using NpgsqlConnection open = await Source.OpenConnectionAsync(cancellationToken);
        await _partitions.TrimAsync(open, cancellationToken);
        await _partitions.MakeAsync(open, "egress_link_minute", batch.Links.Select(l => l.Minute), cancellationToken);
        await _partitions.MakeAsync(open, "egress_prefix_minute", batch.Prefixes.Select(p => p.Minute), cancellationToken);
        await _partitions.MakeAsync(open, "egress_event", batch.Events.Select(e => e.Event.Time), cancellationToken);
        await using NpgsqlTransaction transaction = await open.BeginTransactionAsync(cancellationToken);
        await _partitions.BeginAsync(open, cancellationToken);
        await CopyAsync(open, "egress_link_minute", LinkColumns, "site, box, time, link", batch.Links, WriteLinkAsync, cancellationToken);
        await CopyAsync(open, "egress_prefix_minute", PrefixColumns, "site, box, time, prefix, link", batch.Prefixes, WritePrefixAsync, cancellationToken);
        await CopyAsync(open, "egress_event", EventColumns, "site, box, time, id", batch.Events, WriteEventAsync, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static HistoryTable[] Tables(HistoryRetention retention) =>
    [
        new("egress_link_minute", retention.Minute, """
            site text NOT NULL, box text NOT NULL, time timestamptz NOT NULL, link text NOT NULL, seconds integer NOT NULL, mirror_bps bigint NOT NULL, mirror_max_bps bigint NOT NULL,
            counter_bps bigint, native_bps bigint, planned_bps bigint, capacity_bps bigint NOT NULL, threshold_bps bigint NOT NULL, overload_seconds integer NOT NULL,
            native_overload_seconds integer NOT NULL, overrides integer NOT NULL, overrides_away integer NOT NULL, PRIMARY KEY(site, box, time, link)
            """, "site, box, link", "time"),
        new("egress_prefix_minute", retention.Minute, """
            site text NOT NULL, box text NOT NULL, time timestamptz NOT NULL, prefix cidr NOT NULL, link text NOT NULL, bps bigint NOT NULL, PRIMARY KEY(site, box, time, prefix, link)
            """, "site, box, link", "prefix, time"),
        new("egress_event", retention.Events, """
            site text NOT NULL, box text NOT NULL, time timestamptz NOT NULL, id bigint NOT NULL, kind text NOT NULL, subject text NOT NULL, prefix text NOT NULL, from_link text NOT NULL,
            to_link text NOT NULL, bps bigint, count bigint, code text NOT NULL, text text NOT NULL, PRIMARY KEY(site, box, time, id)
            """, "site, box", "time, id"),
    ];

    private NpgsqlDataSource Open()
    {
        try
        {
            return NpgsqlDataSource.Create(connection);
        }
        catch (ArgumentException e)
        {
            // The message of the exception may quote the string, and with it the password.
            throw new SinkException("the connection string is not one; write it like Host=…;Database=…;Username=…;Password=…", e);
        }
    }

    private static async Task CopyAsync<T>(
        NpgsqlConnection open, string table, string columns, string key, IReadOnlyList<T> rows, Func<NpgsqlBinaryImporter, T, CancellationToken, Task> write,
        CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
        {
            return;
        }

        string staging = table + "_staging";
        await open.TextAsync($"CREATE TEMPORARY TABLE {staging}(LIKE {table} INCLUDING DEFAULTS) ON COMMIT DROP", cancellationToken);
        await using (NpgsqlBinaryImporter importer = await open.BeginBinaryImportAsync($"COPY {staging}({columns}) FROM STDIN (FORMAT BINARY)", cancellationToken))
        {
            foreach (T row in rows)
            {
                await importer.StartRowAsync(cancellationToken);
                await write(importer, row, cancellationToken);
            }

            await importer.CompleteAsync(cancellationToken);
        }

        string[] changed = [.. columns.Split(", ").Except(key.Split(", ")).Select(c => $"{c} = excluded.{c}")];
        await open.TextAsync(
            $"INSERT INTO {table}({columns}) SELECT {columns} FROM {staging} ON CONFLICT({key}) DO UPDATE SET {string.Join(", ", changed)}", cancellationToken);
    }

    private async Task WriteLinkAsync(NpgsqlBinaryImporter importer, (DateTimeOffset Minute, LinkSample Sample) row, CancellationToken cancellationToken)
    {
        LinkSample s = row.Sample;
        await importer.WriteAsync(site, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(box, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(row.Minute.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
        await importer.WriteAsync(s.Link, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(s.Seconds, NpgsqlDbType.Integer, cancellationToken);
        foreach (long? value in (long?[])[s.MirrorBps, s.MirrorMaxBps, s.CounterBps, s.NativeBps, s.PlannedBps, s.CapacityBps, s.ThresholdBps])
        {
            await WriteAsync(importer, value, cancellationToken);
        }

        foreach (int value in (int[])[s.OverloadSeconds, s.NativeOverloadSeconds, s.Overrides, s.OverridesAway])
        {
            await importer.WriteAsync(value, NpgsqlDbType.Integer, cancellationToken);
        }
    }

    private async Task WritePrefixAsync(NpgsqlBinaryImporter importer, (DateTimeOffset Minute, PrefixSample Sample) row, CancellationToken cancellationToken)
    {
        IpPrefix prefix = row.Sample.Prefix;
        await importer.WriteAsync(site, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(box, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(row.Minute.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
        await importer.WriteAsync(new NpgsqlCidr(prefix.Address.ToIPAddress(), prefix.Length), NpgsqlDbType.Cidr, cancellationToken);
        await importer.WriteAsync(row.Sample.Link, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(row.Sample.Bps, NpgsqlDbType.Bigint, cancellationToken);
    }

    private async Task WriteEventAsync(NpgsqlBinaryImporter importer, (long Id, HistoryEvent Event) row, CancellationToken cancellationToken)
    {
        HistoryEvent e = row.Event;
        await importer.WriteAsync(site, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(box, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(e.Time.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
        await importer.WriteAsync(row.Id, NpgsqlDbType.Bigint, cancellationToken);
        foreach (string text in (string[])[EventKinds.Name(e.Kind), e.Subject, e.Prefix, e.From, e.To])
        {
            await importer.WriteAsync(text, NpgsqlDbType.Text, cancellationToken);
        }

        await WriteAsync(importer, e.Bps, cancellationToken);
        await WriteAsync(importer, e.Count, cancellationToken);
        await importer.WriteAsync(e.Code, NpgsqlDbType.Text, cancellationToken);
        await importer.WriteAsync(e.Text, NpgsqlDbType.Text, cancellationToken);
    }

    private static Task WriteAsync(NpgsqlBinaryImporter importer, long? value, CancellationToken cancellationToken) =>
        value is { } known ? importer.WriteAsync(known, NpgsqlDbType.Bigint, cancellationToken) : importer.WriteNullAsync(cancellationToken);
}
