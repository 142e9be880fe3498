using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Mrt;

/// <summary>
/// What the two readers share about table dumps: the peer index, the layout of RIB records and the attributes in them. Keeps the peers of the file and one
/// scratch message.
/// </summary>
internal sealed class MrtTable
{
    private static readonly BgpCodecOptions Wide = new() { FourOctetAs = true };
    private static readonly BgpCodecOptions Narrow = new() { FourOctetAs = false };
    private const int ShortestPeer = 11; // kind, identifier, IPv4 address and an AS number of two octets
    private readonly UpdateMessage _scratch = new();

    /// <summary>The peers of the last PEER_INDEX_TABLE.</summary>
    public MrtPeer[] Peers { get; private set; } = [];

    /// <summary>The family of a RIB subtype, or null for those that are not read; RIB_GENERIC names its own.</summary>
    public static IpFamily? Family(ushort subtype) => subtype switch
    {
        TableDumpV2Subtype.RibIPv4Unicast or TableDumpV2Subtype.RibIPv4UnicastAddPath => IpFamily.IPv4,
        TableDumpV2Subtype.RibIPv6Unicast or TableDumpV2Subtype.RibIPv6UnicastAddPath => IpFamily.IPv6,
        _ => null,
    };

    /// <summary>Reads PEER_INDEX_TABLE (RFC 6396 section 4.3.1). False if it is malformed; the peers before stay.</summary>
    public bool ReadPeers(ReadOnlySpan<byte> body, out uint collectorId, out string viewName)
    {
        viewName = "";
        var reader = new BgpReader(body);
        if (!reader.TryReadUInt32(out collectorId) || !reader.TryReadUInt16(out ushort nameLength) || !reader.TryReadSpan(nameLength, out ReadOnlySpan<byte> name)
            || !reader.TryReadUInt16(out ushort count) || reader.Remaining < count * ShortestPeer)
        {
            return false;
        }

        var peers = new MrtPeer[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadByte(out byte kind) || !reader.TryReadUInt32(out uint id)
                || !reader.TryReadSpan((kind & 1) != 0 ? 16 : 4, out ReadOnlySpan<byte> address) || !TryReadAs(ref reader, (kind & 2) != 0, out uint asNumber))
            {
                return false;
            }

            peers[i] = new(IpAddr.FromBytes(address), asNumber, id);
        }

        viewName = System.Text.Encoding.UTF8.GetString(name);
        Peers = peers;
        return true;
    }

    /// <summary>
    /// The attributes of a table entry, or null if RFC 7606 would have them treated as withdrawn; <paramref name="error"/> is the strongest error, if any.
    /// </summary>
    public PathAttributes? ReadAttributes(ReadOnlySpan<byte> attributes, bool fourOctetAs, out BgpError? error)
    {
        error = null;
        if (attributes.IsEmpty)
        {
            // BIRD dumps routes of the collector itself with no attributes at all.
            return new PathAttributes { Origin = Origin.Incomplete };
        }

        _scratch.Clear();
        var decoder = new AttributeDecoder(fourOctetAs ? Wide : Narrow, _scratch) { AbbreviatedMpReach = true };
        decoder.Decode(attributes, hasNlri: false);
        foreach (BgpError found in _scratch.Errors)
        {
            error = error is null || found.Action > error.Action ? found : error;
        }

        PathAttributes? set = _scratch.Action < ErrorAction.TreatAsWithdraw ? _scratch.Attributes : null;
        return set is not null && !_scratch.MpNextHop.Address.IsDefault ? set.WithNextHop(_scratch.MpNextHop) : set;
    }

    /// <summary>Reads an AS number of two or four octets.</summary>
    public static bool TryReadAs(ref BgpReader reader, bool fourOctet, out uint asNumber)
    {
        if (fourOctet)
        {
            return reader.TryReadUInt32(out asNumber);
        }

        bool fits = reader.TryReadUInt16(out ushort narrow);
        asNumber = narrow;
        return fits;
    }
}

/// <summary>
/// Walks one RIB record of TABLE_DUMP_V2 (RFC 6396 sections 4.3.2 to 4.3.4). With path identifiers they stand in each entry (RFC 8050 section 4.1), but for
/// RIB_GENERIC, where one stands in the NLRI (section 4.2; GoBGP and OpenBGPD differ there).
/// </summary>
internal ref struct RibRecord
{
    private const int ShortestPath = 8; // peer, time and length of the attributes
    private const int FirstRoom = 256;
    private BgpReader _reader;
    private readonly bool _idInEntry;
    private readonly uint _idOfNlri;
    private int _left;

    private RibRecord(BgpReader reader, bool idInEntry, uint sequence, Nlri nlri, int count)
    {
        _reader = reader;
        _idInEntry = idInEntry;
        _idOfNlri = nlri.PathId;
        Sequence = sequence;
        Prefix = nlri.Prefix;
        _left = count;
    }

    public uint Sequence { get; }

    public IpPrefix Prefix { get; }

    /// <summary>
    /// Paths to make room for at first. The count in the record is a claim: what is left of the record bounds it, and a longer list grows as paths are read.
    /// </summary>
    public readonly int Room => Math.Min(Math.Min(_left, _reader.Remaining / ShortestPath), FirstRoom);

    /// <summary>Opens a record. False if its head is malformed, or, with <paramref name="otherFamily"/>, if it is a generic one of a family that is not read.</summary>
    public static bool TryOpen(ushort subtype, ReadOnlySpan<byte> body, out RibRecord record, out bool otherFamily)
    {
        record = default;
        otherFamily = false;
        var reader = new BgpReader(body);
        IpFamily? family = MrtTable.Family(subtype);
        if (!reader.TryReadUInt32(out uint sequence))
        {
            return false;
        }

        bool generic = family is null;
        if (generic)
        {
            if (!reader.TryReadUInt16(out ushort afi) || !reader.TryReadByte(out byte safi))
            {
                return false;
            }

            family = new AfiSafi(afi, safi).Family;
            otherFamily = family is null;
        }

        if (family is not { } known || !reader.TryReadNlri(known, subtype == TableDumpV2Subtype.RibGenericAddPath, out Nlri nlri)
            || !reader.TryReadUInt16(out ushort count))
        {
            return false;
        }

        bool idInEntry = subtype is TableDumpV2Subtype.RibIPv4UnicastAddPath or TableDumpV2Subtype.RibIPv6UnicastAddPath;
        record = new(reader, idInEntry, sequence, nlri, count);
        return true;
    }

    /// <summary>Reads the next entry. False at the end, and with <paramref name="malformed"/> if it is cut off.</summary>
    public bool TryNext(out ushort peer, out uint originated, out uint pathId, out ReadOnlySpan<byte> attributes, out bool malformed)
    {
        peer = 0;
        originated = 0;
        pathId = _idOfNlri;
        attributes = default;
        malformed = false;
        if (_left == 0)
        {
            return false;
        }

        malformed = !_reader.TryReadUInt16(out peer) || !_reader.TryReadUInt32(out originated) || (_idInEntry && !_reader.TryReadUInt32(out pathId))
            || !_reader.TryReadUInt16(out ushort length) || !_reader.TryReadSpan(length, out attributes);
        _left = malformed ? 0 : _left - 1;
        return !malformed;
    }
}
