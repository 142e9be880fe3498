namespace EgressAppliance.Host.Http;

/// <summary>Flow export, in <see cref="CaptureDto"/>.</summary>
/// <param name="Exporters">Each exporter of the configuration.</param>
/// <param name="Listeners">Each socket.</param>
/// <param name="Links">The links whose rates it tells.</param>
/// <param name="UnknownExporter">Datagrams from other addresses, which were not decoded.</param>
/// <param name="Unknown">Some of these addresses.</param>
/// <param name="ActiveTimeoutSeconds">Longest time that a record may stand for.</param>
/// <param name="Unspread">Records that were counted at once for want of room.</param>
public sealed record FlowDto(
    IReadOnlyList<FlowExporterDto> Exporters, IReadOnlyList<FlowListenerDto> Listeners, IReadOnlyList<FlowLinkDto> Links, long UnknownExporter,
    IReadOnlyList<string> Unknown, double ActiveTimeoutSeconds, long Unspread);

/// <summary>One exporter. Numbers are since start.</summary>
/// <param name="Address">Address that its datagrams come from.</param>
/// <param name="Router">The router whose interfaces its records name.</param>
/// <param name="State"><c>receiving</c>, or <c>silent</c>: nothing came for the active timeout and 15 seconds, or ever.</param>
/// <param name="Protocol"><c>netflow5</c>, <c>netflow9</c>, <c>ipfix</c>, <c>sflow5</c>, or null before the first datagram.</param>
/// <param name="Datagrams">Datagrams.</param>
/// <param name="Records">Flow records, or sampled packets.</param>
/// <param name="Counted">Records counted on a link.</param>
/// <param name="Unrouted">Of these, records whose destination has no prefix.</param>
/// <param name="Discarded">Records that are not counted, by reason.</param>
/// <param name="Refused">Parts of datagrams that could not be read, by reason.</param>
/// <param name="Templates">Templates held.</param>
/// <param name="Lost">Units missing by the sequence numbers.</param>
/// <param name="Unit">What these count: <c>flows</c>, <c>datagrams</c>, <c>records</c> or <c>samples</c>.</param>
/// <param name="LossRatio">Share of units lost of late.</param>
/// <param name="Sampling">One packet in this many was looked at, by the latest record; 0 before there is any.</param>
/// <param name="SamplingTold">The exporter said so; else the configuration.</param>
/// <param name="DelaySeconds">Average duration of the latest records: by that time rates lag behind.</param>
/// <param name="LastHeard">When its latest datagram came, or null.</param>
public sealed record FlowExporterDto(
    string Address, string Router, string State, string? Protocol, long Datagrams, long Records, long Counted, long Unrouted, IReadOnlyDictionary<string, long> Discarded,
    IReadOnlyDictionary<string, long> Refused, int Templates, long Lost, string Unit, double LossRatio, uint Sampling, bool SamplingTold, double DelaySeconds, DateTimeOffset? LastHeard);

/// <summary>One socket of flow export.</summary>
/// <param name="Listen">Address and port.</param>
/// <param name="Datagrams">Datagrams read.</param>
/// <param name="KernelDropped">Datagrams that the kernel dropped, the receive buffer being full.</param>
/// <param name="ReceiveBuffer">Size of that buffer as the kernel reckons it, bytes.</param>
/// <param name="Message">What is wrong, or null.</param>
public sealed record FlowListenerDto(string Listen, long Datagrams, long KernelDropped, long ReceiveBuffer, string? Message);

/// <summary>A link whose rates flow export tells.</summary>
/// <param name="Name">Link.</param>
/// <param name="IfIndex">Its ifIndex, or null.</param>
/// <param name="By">By what its records are known: <c>snmp</c> or <c>configured</c> (output ifIndex, and who told it), or <c>next_hop</c>.</param>
public sealed record FlowLinkDto(string Name, uint? IfIndex, string By);
