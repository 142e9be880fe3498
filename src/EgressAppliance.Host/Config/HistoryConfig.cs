using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Host.Config;

/// <summary><c>history:</c></summary>
public sealed record HistoryConfig
{
    /// <summary>The database of rates and events; empty: none is kept.</summary>
    public string Path { get; init; } = "";

    /// <summary>How long each resolution is kept.</summary>
    public HistoryRetention Retention { get; init; } = HistoryRetention.Default;

    /// <summary>Most disk space of the database, octets.</summary>
    public long MaxBytes { get; init; } = 8L << 30;

    /// <summary>How many of the largest prefixes are kept of each minute.</summary>
    public int TopPrefixes { get; init; } = 1000;

    /// <summary>The database is deleted at the end, with its folder. For the demo; no key sets it.</summary>
    public bool Temporary { get; init; }

    /// <summary>Databases elsewhere that are sent a copy.</summary>
    public IReadOnlyList<HistorySinkConfig> Sinks { get; init; } = [];

    /// <summary>Whether there is a journal of decisions.</summary>
    public bool Journal { get; init; } = true;

    /// <summary>Folder of the journal's files: <c>journal</c> beside <c>history.path</c>.</summary>
    public string JournalFolder { get; init; } = "/var/lib/egress-appliance/journal";

    /// <summary>File with the billing months: <c>billing.json</c> beside <c>history.path</c>. Written only if a link has a price.</summary>
    public string BillingFile { get; init; } = "/var/lib/egress-appliance/billing.json";

    /// <summary>The audit log: <c>audit.jsonl</c> beside <c>history.path</c>. Empty to keep the latest in memory only.</summary>
    public string AuditFile { get; init; } = "/var/lib/egress-appliance/audit.jsonl";

    /// <summary>Most disk space of the journal, octets.</summary>
    public long JournalBytes { get; init; } = 1L << 30;
}

/// <summary>Kind of a sink.</summary>
public enum HistorySinkKind
{
    /// <summary>PostgreSQL.</summary>
    Postgresql,

    /// <summary>ClickHouse, by its HTTP interface.</summary>
    Clickhouse,
}

/// <summary>One entry of <c>history.sinks</c>.</summary>
public sealed record HistorySinkConfig
{
    /// <summary>Its name, unique.</summary>
    public required string Name { get; init; }

    /// <summary>Its kind.</summary>
    public required HistorySinkKind Kind { get; init; }

    /// <summary>Connection string (postgresql); a secret.</summary>
    public string? Connection { get; init; }

    /// <summary>Address of the HTTP interface (clickhouse).</summary>
    public Uri? Url { get; init; }

    /// <summary>Database (clickhouse).</summary>
    public string Database { get; init; } = "default";

    /// <summary>User (clickhouse), or empty.</summary>
    public string User { get; init; } = "";

    /// <summary>Password (clickhouse), or null; a secret.</summary>
    public string? Password { get; init; }
}
