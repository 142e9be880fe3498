using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>One flow, or one sampled packet, as an exporter reports it. Counts are as reported: not scaled by the sampling interval.</summary>
public readonly record struct FlowRecord
{
    /// <summary>The protocol.</summary>
    public FlowProtocol Protocol { get; init; }

    /// <summary>The address that sent the datagram; for sFlow the agent's address, which may differ.</summary>
    public IpAddr Exporter { get; init; }

    /// <summary>Engine type and id (version 5, type in the upper octet), source id (version 9), observation domain (IPFIX) or sub-agent (sFlow).</summary>
    public uint Domain { get; init; }

    /// <summary>Destination address. Never default.</summary>
    public IpAddr Destination { get; init; }

    /// <summary>Source address, or default. Not read from the packet headers of sFlow.</summary>
    public IpAddr Source { get; init; }

    /// <summary>IP protocol number, or 0. Not read from the packet headers of sFlow.</summary>
    public byte IpProtocol { get; init; }

    /// <summary>Transport source port, or 0.</summary>
    public ushort SourcePort { get; init; }

    /// <summary>Transport destination port, or 0.</summary>
    public ushort DestinationPort { get; init; }

    /// <summary>IP bytes; 0 if the exporter gives none.</summary>
    public ulong Bytes { get; init; }

    /// <summary>Packets; 0 if the exporter gives none.</summary>
    public ulong Packets { get; init; }

    /// <summary>ifIndex by which the flow came in; 0 if unknown.</summary>
    public uint InputInterface { get; init; }

    /// <summary>ifIndex by which the flow left; 0 if unknown, local, discarded or sent to several.</summary>
    public uint OutputInterface { get; init; }

    /// <summary>IP next hop, or default.</summary>
    public IpAddr NextHop { get; init; }

    /// <summary>BGP next hop, or default.</summary>
    public IpAddr BgpNextHop { get; init; }

    /// <summary>One packet in this many was looked at; 1 means all, 0 means that the exporter has not said.</summary>
    public uint SamplingInterval { get; init; }

    /// <summary>First packet, in milliseconds since 1970 UTC by the exporter's clock, or null.</summary>
    public long? StartMilliseconds { get; init; }

    /// <summary>Last packet, in milliseconds since 1970 UTC by the exporter's clock, or null.</summary>
    public long? EndMilliseconds { get; init; }

    /// <summary>0 ingress, 1 egress (IPFIX element 61), or null.</summary>
    public byte? Direction { get; init; }
}
