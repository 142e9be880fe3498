using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Mrt;

/// <summary>A BGP speaker that a collector talks to, or the collector's own end.</summary>
/// <param name="Address">Its address; a default value where a record names none.</param>
/// <param name="As">Its AS.</param>
/// <param name="RouterId">Its BGP identifier, host order; 0 where a record does not tell it.</param>
public readonly record struct MrtPeer(IpAddr Address, uint As, uint RouterId = 0);

/// <summary>One record of an MRT file.</summary>
public abstract record MrtRecord
{
    /// <summary>When it was written; to the microsecond in BGP4MP_ET, else to the second.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Type number.</summary>
    public required ushort Type { get; init; }

    /// <summary>Subtype number.</summary>
    public required ushort Subtype { get; init; }

    /// <summary>The type as RFC 6396 writes it, such as <c>TABLE_DUMP_V2</c>; the number for those it does not have.</summary>
    public string TypeName => MrtNames.Type(Type);

    /// <summary>The subtype as RFC 6396 and RFC 8050 write it; the number for others.</summary>
    public string SubtypeName => MrtNames.Subtype(Type, Subtype);
}

/// <summary>PEER_INDEX_TABLE of TABLE_DUMP_V2: the peers that the RIB records after it mean by index.</summary>
/// <param name="CollectorId">BGP identifier of the collector, host order.</param>
/// <param name="ViewName">Name of the view, often empty.</param>
/// <param name="Peers">The peers.</param>
public sealed record MrtPeerIndex(uint CollectorId, string ViewName, IReadOnlyList<MrtPeer> Peers) : MrtRecord;

/// <summary>A path in a table.</summary>
/// <param name="PeerIndex">Index of the peer in the file's PEER_INDEX_TABLE; 0 in TABLE_DUMP, which has none.</param>
/// <param name="Peer">That peer, or null if the file has none of that index.</param>
/// <param name="PathId">Path identifier, 0 without ADD-PATH.</param>
/// <param name="Originated">When the collector heard it.</param>
/// <param name="Attributes">Attributes with the next hop, or null if they are malformed so that RFC 7606 treats the route as withdrawn.</param>
/// <param name="Error">The strongest error in the attributes, or null.</param>
public sealed record MrtRibPath(ushort PeerIndex, MrtPeer? Peer, uint PathId, DateTimeOffset Originated, PathAttributes? Attributes, BgpError? Error);

/// <summary>One prefix of a table (TABLE_DUMP: one path of it).</summary>
/// <param name="Sequence">Sequence number.</param>
/// <param name="Prefix">The prefix.</param>
/// <param name="AddPath">Paths have identifiers.</param>
/// <param name="Paths">The paths, as far as the record can be read.</param>
/// <param name="CutOff">The record is shorter than its fields say; there were to be more paths.</param>
public sealed record MrtRib(uint Sequence, IpPrefix Prefix, bool AddPath, IReadOnlyList<MrtRibPath> Paths, bool CutOff) : MrtRecord;

/// <summary>A BGP message between the collector and a peer.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Local">The collector's end.</param>
/// <param name="InterfaceIndex">ifIndex of the interface, 0 if unknown.</param>
/// <param name="FromCollector">The collector sent it (the subtypes with LOCAL); otherwise it received it.</param>
/// <param name="Message">The whole message with its header.</param>
/// <param name="Codec">How to read it: the size of AS numbers and path identifiers are in the subtype.</param>
public sealed record MrtMessage(
    MrtPeer Peer, MrtPeer Local, ushort InterfaceIndex, bool FromCollector, ReadOnlyMemory<byte> Message, BgpCodecOptions Codec) : MrtRecord;

/// <summary>A change of a session's state.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Local">The collector's end; a default address where the record names none.</param>
/// <param name="InterfaceIndex">ifIndex of the interface, 0 if unknown.</param>
/// <param name="Old">State left: 1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 OpenConfirm, 6 Established; some collectors write others.</param>
/// <param name="New">State entered.</param>
public sealed record MrtStateChange(MrtPeer Peer, MrtPeer Local, ushort InterfaceIndex, ushort Old, ushort New) : MrtRecord;

/// <summary>A record of a kind that is not read.</summary>
/// <param name="Length">Octets of its body.</param>
public sealed record MrtOther(int Length) : MrtRecord;

/// <summary>A record of a kind that is read, and cannot be.</summary>
/// <param name="Problem">What is wrong with it.</param>
public sealed record MrtMalformed(string Problem) : MrtRecord;
