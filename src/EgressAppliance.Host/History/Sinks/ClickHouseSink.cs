using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>
/// Copies the history into ClickHouse by its HTTP interface: a statement in the query, rows in the body, one JSON object a line (JSONEachRow). The tables are of ReplacingMergeTree: what is sent
/// twice is there once after the next merge, or at once with <c>FINAL</c>.
/// </summary>
public sealed class ClickHouseSink : IHistorySink
{
    private const int LongestError = 300;
    private static readonly string[] Tables =
    [
        """
        CREATE TABLE IF NOT EXISTS egress_link_minute (site LowCardinality(String), time DateTime('UTC'), link LowCardinality(String), seconds UInt8, mirror_bps UInt64, mirror_max_bps UInt64,
        counter_bps Nullable(UInt64), native_bps Nullable(UInt64), planned_bps Nullable(UInt64), capacity_bps UInt64, threshold_bps UInt64, overload_seconds UInt8, native_overload_seconds UInt8,
        overrides UInt32, overrides_away UInt32) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(time) ORDER BY (site, link, time)
        """,
        """
        CREATE TABLE IF NOT EXISTS egress_prefix_minute (site LowCardinality(String), time DateTime('UTC'), prefix String, link LowCardinality(String), bps UInt64)
        ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(time) ORDER BY (site, prefix, link, time)
        """,
        """
        CREATE TABLE IF NOT EXISTS egress_event (site LowCardinality(String), time DateTime64(3, 'UTC'), id UInt64, kind LowCardinality(String), subject String, prefix String, from_link String,
        to_link String, bps Nullable(UInt64), count Nullable(Int64), code LowCardinality(String), text String) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(time) ORDER BY (site, time, id)
        """,
    ];

    private readonly HttpClient _http;
    private readonly string _site;
    private readonly Uri _url;
    private readonly string _database;

    /// <summary>Makes one; nothing is sent yet.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="site">Name of the site: several appliances may use the same tables.</param>
    /// <param name="url">Address of the HTTP interface.</param>
    /// <param name="database">Database.</param>
    /// <param name="user">User, or empty.</param>
    /// <param name="password">Password, or null.</param>
    public ClickHouseSink(string name, string site, Uri url, string database, string user, string? password)
    {
        Name = name;
        _site = site;
        _url = url;
        _database = database;
        _http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10), AllowAutoRedirect = false, UseProxy = false });
        if (user.Length > 0)
        {
            _http.DefaultRequestHeaders.Add("X-ClickHouse-User", user);
        }

        if (password is not null)
        {
            _http.DefaultRequestHeaders.Add("X-ClickHouse-Key", password);
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        foreach (string table in Tables)
        {
            await PostAsync(table.ReplaceLineEndings(" "), [], cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task SendAsync(SinkBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        await InsertAsync("egress_link_minute", batch.Links, WriteLink, cancellationToken);
        await InsertAsync("egress_prefix_minute", batch.Prefixes, WritePrefix, cancellationToken);
        await InsertAsync("egress_event", batch.Events, WriteEvent, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task InsertAsync<T>(string table, IReadOnlyList<T> rows, Action<Utf8JsonWriter, T> write, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
        {
            return Task.CompletedTask;
        }

        return PostAsync($"INSERT INTO {table} FORMAT JSONEachRow", Lines(rows, write), cancellationToken);
    }

    private byte[] Lines<T>(IReadOnlyList<T> rows, Action<Utf8JsonWriter, T> write)
    {
        using MemoryStream body = new();
        using Utf8JsonWriter json = new(body);
        foreach (T row in rows)
        {
            json.WriteStartObject();
            json.WriteString("site", _site);
            write(json, row);
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            body.WriteByte((byte)'\n');
        }

        return body.ToArray();
    }

    private async Task PostAsync(string statement, byte[] body, CancellationToken cancellationToken)
    {
        UriBuilder uri = new(_url) { Query = $"database={Uri.EscapeDataString(_database)}&query={Uri.EscapeDataString(statement)}" };
        using ByteArrayContent content = new(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using HttpResponseMessage response = await _http.PostAsync(uri.Uri, content, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            string text = await ErrorAsync(response, cancellationToken);
            throw new SinkException($"{_url.GetLeftPart(UriPartial.Authority)} answered {(int)response.StatusCode}: {text}");
        }
    }

    private static async Task<string> ErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        // What it says first says what is wrong; the rest is a stack trace.
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        byte[] buffer = new byte[LongestError];
        int length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Cli.Human.Clean(Encoding.UTF8.GetString(buffer, 0, length)).Trim();
    }

    private static void WriteLink(Utf8JsonWriter json, (DateTimeOffset Minute, LinkSample Sample) row)
    {
        LinkSample s = row.Sample;
        json.WriteNumber("time", row.Minute.ToUnixTimeSeconds());
        json.WriteString("link", s.Link);
        json.WriteNumber("seconds", s.Seconds);
        json.WriteNumber("mirror_bps", s.MirrorBps);
        json.WriteNumber("mirror_max_bps", s.MirrorMaxBps);
        WriteOptional(json, "counter_bps", s.CounterBps);
        WriteOptional(json, "native_bps", s.NativeBps);
        WriteOptional(json, "planned_bps", s.PlannedBps);
        json.WriteNumber("capacity_bps", s.CapacityBps);
        json.WriteNumber("threshold_bps", s.ThresholdBps);
        json.WriteNumber("overload_seconds", s.OverloadSeconds);
        json.WriteNumber("native_overload_seconds", s.NativeOverloadSeconds);
        json.WriteNumber("overrides", s.Overrides);
        json.WriteNumber("overrides_away", s.OverridesAway);
    }

    private static void WritePrefix(Utf8JsonWriter json, (DateTimeOffset Minute, PrefixSample Sample) row)
    {
        json.WriteNumber("time", row.Minute.ToUnixTimeSeconds());
        json.WriteString("prefix", row.Sample.Prefix.ToString());
        json.WriteString("link", row.Sample.Link);
        json.WriteNumber("bps", row.Sample.Bps);
    }

    private static void WriteEvent(Utf8JsonWriter json, (long Id, HistoryEvent Event) row)
    {
        HistoryEvent e = row.Event;
        json.WriteString("time", e.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture));
        json.WriteNumber("id", row.Id);
        json.WriteString("kind", EventKinds.Name(e.Kind));
        json.WriteString("subject", e.Subject);
        json.WriteString("prefix", e.Prefix);
        json.WriteString("from_link", e.From);
        json.WriteString("to_link", e.To);
        WriteOptional(json, "bps", e.Bps);
        WriteOptional(json, "count", e.Count);
        json.WriteString("code", e.Code);
        json.WriteString("text", e.Text);
    }

    private static void WriteOptional(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } known)
        {
            json.WriteNumber(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
