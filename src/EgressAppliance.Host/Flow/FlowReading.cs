using EgressAppliance.Flow;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Flow;

/// <summary>All counters of flow export at one moment, since start. Immutable.</summary>
public sealed record FlowReading
{
    /// <summary>The exporters, in order of configuration.</summary>
    public IReadOnlyList<ExporterReading> Exporters { get; init; } = [];

    /// <summary>The sockets, in order of configuration.</summary>
    public IReadOnlyList<ListenerReading> Listeners { get; init; } = [];

    /// <summary>The links that flow export tells of: name, ifIndex if known, and by what their records are known.</summary>
    public IReadOnlyList<(string Link, uint? IfIndex, FlowAttribution By)> Links { get; init; } = [];

    /// <summary>Datagrams from addresses that are no exporter's; not decoded.</summary>
    public long UnknownExporter { get; init; }

    /// <summary>Some of these addresses.</summary>
    public IReadOnlyList<IpAddr> Unknown { get; init; } = [];

    /// <summary>Cells that counts are being paid out to.</summary>
    public int Cells { get; init; }

    /// <summary>Records that were not spread over their duration for want of room.</summary>
    public long Unspread { get; init; }

    /// <summary>Longest time that a record may stand for.</summary>
    public TimeSpan ActiveTimeout { get; init; }
}

/// <summary>One exporter.</summary>
public sealed record ExporterReading
{
    /// <summary>Its address.</summary>
    public required IpAddr Address { get; init; }

    /// <summary>The router whose interfaces its records name.</summary>
    public required string Router { get; init; }

    /// <summary>Protocol of its latest datagram, or null.</summary>
    public FlowProtocol? Protocol { get; init; }

    /// <summary>Datagrams.</summary>
    public long Datagrams { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Flow records, or sampled packets, decoded.</summary>
    public long Records { get; init; }

    /// <summary>Records that are counted on a link.</summary>
    public long Counted { get; init; }

    /// <summary>Records on a link whose destination has no prefix; they are among <see cref="Counted"/>.</summary>
    public long Unrouted { get; init; }

    /// <summary>Templates held.</summary>
    public int Templates { get; init; }

    /// <summary>Parts of datagrams that were refused, by reason (snake_case).</summary>
    public IReadOnlyDictionary<string, long> Refused { get; init; } = new Dictionary<string, long>();

    /// <summary>Records that are not counted, by reason (snake_case).</summary>
    public IReadOnlyDictionary<string, long> Discarded { get; init; } = new Dictionary<string, long>();

    /// <summary>Records without times, which are taken to stand for the active timeout.</summary>
    public long Untimed { get; init; }

    /// <summary>Records that stand for more than the active timeout.</summary>
    public long TooLong { get; init; }

    /// <summary>Units that came by the sequence numbers, in the protocol's unit.</summary>
    public long Received { get; init; }

    /// <summary>Units that are missing by the sequence numbers.</summary>
    public long Lost { get; init; }

    /// <summary>Share of units lost of late, 0–1; set by who watches over time.</summary>
    public double LossRatio { get; init; }

    /// <summary>One packet in this many was looked at, by the latest record; 0 before there is any.</summary>
    public uint Sampling { get; init; }

    /// <summary>The exporter itself said so.</summary>
    public bool SamplingTold { get; init; }

    /// <summary>Average duration of the latest records, weighted by bytes: by that time rates lag behind.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>When its latest datagram came, or null.</summary>
    public DateTimeOffset? LastHeard { get; init; }

    /// <summary>An output ifIndex of its records that is no link's; 0 if there was none.</summary>
    public uint OtherInterface { get; init; }
}

/// <summary>One socket.</summary>
/// <param name="Listen">Address and port.</param>
/// <param name="Datagrams">Datagrams read.</param>
/// <param name="KernelDropped">Datagrams that the kernel dropped because the receive buffer was full.</param>
/// <param name="ReceiveBuffer">Size of the receive buffer as the kernel reckons it, bytes.</param>
/// <param name="Asked">Size that was asked for, bytes.</param>
/// <param name="Message">What is wrong, or null.</param>
public sealed record ListenerReading(string Listen, long Datagrams, long KernelDropped, long ReceiveBuffer, long Asked, string? Message);
