namespace EgressAppliance.Host.Config;

/// <summary><c>telemetry.otlp:</c> a collector that is sent the metrics.</summary>
public sealed record OtlpConfig
{
    /// <summary>Address of the collector; for HTTP without <c>/v1/metrics</c>.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>True for gRPC, false for HTTP with protobuf.</summary>
    public bool Grpc { get; init; }

    /// <summary>Time between exports.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the collector may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Headers of each request, such as one with a token.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
}
