using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Config;

/// <summary><c>flow:</c></summary>
public sealed record FlowConfig
{
    /// <summary>UDP addresses and ports that are listened on, at least one.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [];

    /// <summary>Exporters, at least one: datagrams of others are not looked at.</summary>
    public IReadOnlyList<FlowExporterConfig> Exporters { get; init; } = [];

    /// <summary>Longest time that a record may stand for, 1 s to 30 min.</summary>
    public TimeSpan ActiveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Receive buffer of each socket, bytes.</summary>
    public int ReceiveBuffer { get; init; } = 8 << 20;
}

/// <summary>One entry of <c>flow.exporters</c>.</summary>
public sealed record FlowExporterConfig
{
    /// <summary>The address that its datagrams come from.</summary>
    public required IpAddr Address { get; init; }

    /// <summary>Name of its router.</summary>
    public required string Router { get; init; }

    /// <summary>One packet in this many is looked at, where the exporter does not say it.</summary>
    public int Sampling { get; init; } = 1;
}
