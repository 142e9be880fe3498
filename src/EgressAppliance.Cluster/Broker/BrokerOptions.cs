namespace EgressAppliance.Cluster.Broker;

/// <summary>How to reach the brokers of a site.</summary>
public sealed record BrokerOptions
{
    /// <summary>Name of the site; part of the names of exchange and queues.</summary>
    public required string Site { get; init; }

    /// <summary>Name of this box.</summary>
    public required string Box { get; init; }

    /// <summary>Host and port of each broker, in the order in which they are tried.</summary>
    public required IReadOnlyList<(string Host, int Port)> Brokers { get; init; }

    /// <summary>Virtual host.</summary>
    public string VirtualHost { get; init; } = "/";

    /// <summary>User.</summary>
    public string User { get; init; } = "guest";

    /// <summary>Password.</summary>
    public string Password { get; init; } = "";

    /// <summary>TLS, or null for none.</summary>
    public BrokerTls? Tls { get; init; }

    /// <summary>Ticks that a collector keeps at most while no broker takes them.</summary>
    public int MaxBufferedTicks { get; init; } = 60;

    /// <summary>Octets that these take at most; one tick is kept however large it is.</summary>
    public long MaxBufferedBytes { get; init; } = 256 << 20;

    /// <summary>How long a tick is of use to a controller: older ones are dropped by the broker.</summary>
    public TimeSpan MessageLifetime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Without the members, so that the password reaches no log.</summary>
    public override string ToString() => $"{Brokers.Count} brokers of {Site}";
}

/// <summary>TLS towards the brokers.</summary>
public sealed record BrokerTls
{
    /// <summary>PEM file with the authorities that the brokers' certificates must be of; null: those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file with our certificate, or null.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with its key; null with <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; init; }
}

/// <summary>How the connection to the brokers is. Immutable.</summary>
public sealed record BrokerStatus
{
    /// <summary>The broker connected to, <c>host:port</c>; null: none.</summary>
    public string? ConnectedTo { get; init; }

    /// <summary>Connections made since the start.</summary>
    public long Connections { get; init; }

    /// <summary>What went wrong last, in words; null: nothing yet, or it is well again.</summary>
    public string? Problem { get; init; }

    /// <summary>Messages that the broker has taken for good (collector), or that were taken from it (controller).</summary>
    public long Messages { get; init; }

    /// <summary>Their octets.</summary>
    public long Bytes { get; init; }

    /// <summary>Messages that had to be sent once more (collector), or that came again (controller).</summary>
    public long Repeated { get; init; }

    /// <summary>Messages that no controller has a queue for (collector).</summary>
    public long Returned { get; init; }

    /// <summary>Messages that the broker took without saying that all queues have them (collector): some controller's queue did not answer.</summary>
    public long Unconfirmed { get; init; }

    /// <summary>Ticks given up because too many waited (collector).</summary>
    public long Dropped { get; init; }

    /// <summary>Ticks that wait (collector).</summary>
    public int Waiting { get; init; }

    /// <summary>Their octets.</summary>
    public long WaitingBytes { get; init; }

    /// <summary>Messages that could not be read, by fault in words (controller).</summary>
    public IReadOnlyDictionary<string, long> Unreadable { get; init; } = new Dictionary<string, long>();
}
