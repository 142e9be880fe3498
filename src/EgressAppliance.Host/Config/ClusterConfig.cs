namespace EgressAppliance.Host.Config;

/// <summary>What a box does.</summary>
public enum ApplianceRole
{
    /// <summary>Everything, alone.</summary>
    All,

    /// <summary>It captures, looks up and counts, and sends the counts to the controllers.</summary>
    Collector,

    /// <summary>It merges what the collectors count, decides and announces; one of several at a time.</summary>
    Controller,
}

/// <summary><c>cluster:</c> what makes several boxes one site.</summary>
public sealed record ClusterConfig
{
    /// <summary>The brokers, host and port, in the order in which they are tried.</summary>
    public required IReadOnlyList<(string Host, int Port)> Brokers { get; init; }

    /// <summary>Virtual host of the broker.</summary>
    public string VirtualHost { get; init; } = "/";

    /// <summary>User.</summary>
    public string User { get; init; } = "egress";

    /// <summary>Password, read from <c>password_file</c>; null: none.</summary>
    public string? Password { get; init; }

    /// <summary>TLS towards the brokers, or null for none.</summary>
    public BrokerTlsConfig? Tls { get; init; }

    /// <summary>Longest time for which a collector keeps ticks while no broker takes them.</summary>
    public TimeSpan Buffer { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Most memory that these ticks may take, bytes.</summary>
    public long BufferBytes { get; init; } = 256 << 20;

    /// <summary>Connection string of the database of the controllers, read from <c>database_file</c>; null on a collector.</summary>
    public string? Database { get; init; }

    /// <summary>How long the leadership lasts without renewal.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(17);

    /// <summary>How long after the end of a tick a controller waits for collectors that were not heard yet.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The collectors; only a controller needs them.</summary>
    public IReadOnlyList<ClusterCollectorConfig> Collectors { get; init; } = [];

    /// <summary>Without the members, so that secrets reach no log.</summary>
    public override string ToString() => $"cluster of {Collectors.Count} collectors";
}

/// <summary><c>cluster.tls:</c></summary>
public sealed record BrokerTlsConfig
{
    /// <summary>PEM file with the authorities that the brokers' certificates must be of; null: those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file with our certificate, or null.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with its key, or null.</summary>
    public string? KeyFile { get; init; }
}

/// <summary>One entry of <c>cluster.collectors</c>.</summary>
public sealed record ClusterCollectorConfig
{
    /// <summary>Its name, <c>box</c> of its own configuration.</summary>
    public required string Box { get; init; }

    /// <summary>Indices of the links that its mirrors show, wholly or in part, in order of configuration.</summary>
    public required IReadOnlyList<int> Links { get; init; }

    /// <summary>Name of the mirror that it has in common with others; empty: none.</summary>
    public string Mirror { get; init; } = "";
}
