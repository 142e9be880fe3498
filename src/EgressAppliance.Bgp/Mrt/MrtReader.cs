using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Mrt;

/// <summary>One path of a prefix in a table dump.</summary>
/// <param name="PeerAddress">The collector's peer.</param>
/// <param name="PeerAs">Its AS.</param>
/// <param name="PathId">Path identifier, 0 without ADD-PATH.</param>
/// <param name="Attributes">Attributes with the next hop.</param>
public readonly record struct MrtPath(IpAddr PeerAddress, uint PeerAs, uint PathId, PathAttributes Attributes);

/// <summary>One prefix of a table dump with its paths.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Paths">At least one path; paths with an error that RFC 7606 answers with treat-as-withdraw are left out.</param>
public readonly record struct MrtEntry(IpPrefix Prefix, IReadOnlyList<MrtPath> Paths);

/// <summary>
/// Reads the tables in MRT files and nothing else.
/// </summary>
/// <remarks>
/// <para>Three classes share the work. <see cref="MrtReader"/> gives the prefixes of TABLE_DUMP_V2 with their paths, as fast as the attributes can be decoded: it is what loads a
/// table. <see cref="MrtRecordReader"/> gives every record in order, typed: it is what shows a file. <see cref="MrtWriter"/> writes TABLE_DUMP_V2.</para>
/// <para>Every record stands alone, so a malformed one is counted and passed over; a file that ends within a record gives what came before and says so. Read are
/// RIB_IPV4_UNICAST, RIB_IPV6_UNICAST and RIB_GENERIC of the same two families (RFC 6396 section 4.3), and their forms with path identifiers (RFC 8050 section 4).</para>
/// </remarks>
public sealed class MrtReader
{
    private readonly MrtRecordStream _records;
    private readonly MrtTable _table = new();
    private long _malformed;

    /// <summary>A reader of an uncompressed or gzip-compressed file.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="unpackBzip2">Unpacks bzip2, which .NET cannot do by itself; throws <see cref="InvalidDataException"/> where the archive is damaged.</param>
    /// <exception cref="NotSupportedException">The file is compressed by xz, or by bzip2 and <paramref name="unpackBzip2"/> is null.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public MrtReader(Stream stream, Func<Stream, Stream>? unpackBzip2 = null) => _records = new(stream, unpackBzip2);

    /// <summary>Records of kinds that are not read.</summary>
    public long Skipped { get; private set; }

    /// <summary>Records, and paths within records, that are malformed.</summary>
    public long Malformed => _malformed + (_records.LengthIsWrong ? 1 : 0);

    /// <summary>The file ended within a record.</summary>
    public bool Truncated => _records.Truncated;

    /// <summary>Reads to the end. May be enumerated once.</summary>
    public IEnumerable<MrtEntry> Read()
    {
        while (_records.TryRead(out MrtHeader header))
        {
            if (header.Type != MrtType.TableDumpV2)
            {
                Skipped++;
            }
            else if (Parse(header.Subtype) is { } entry)
            {
                yield return entry;
            }
        }
    }

    private MrtEntry? Parse(ushort subtype)
    {
        switch (subtype)
        {
            case TableDumpV2Subtype.PeerIndexTable:
                _malformed += _table.ReadPeers(_records.Body, out _, out _) ? 0 : 1;
                return null;
            case TableDumpV2Subtype.RibIPv4Unicast or TableDumpV2Subtype.RibIPv4UnicastAddPath
                or TableDumpV2Subtype.RibIPv6Unicast or TableDumpV2Subtype.RibIPv6UnicastAddPath
                or TableDumpV2Subtype.RibGeneric or TableDumpV2Subtype.RibGenericAddPath:
                return ReadEntry(subtype);
            default:
                Skipped++;
                return null;
        }
    }

    private MrtEntry? ReadEntry(ushort subtype)
    {
        if (!RibRecord.TryOpen(subtype, _records.Body, out RibRecord record, out bool otherFamily))
        {
            Skipped += otherFamily ? 1 : 0;
            _malformed += otherFamily ? 0 : 1;
            return null;
        }

        var paths = new List<MrtPath>(record.Room);
        bool malformed;
        while (record.TryNext(out ushort peer, out _, out uint pathId, out ReadOnlySpan<byte> attributes, out malformed))
        {
            if (peer < _table.Peers.Length && _table.ReadAttributes(attributes, fourOctetAs: true, out _) is { } set)
            {
                paths.Add(new(_table.Peers[peer].Address, _table.Peers[peer].As, pathId, set));
            }
            else
            {
                _malformed++;
            }
        }

        _malformed += malformed ? 1 : 0;
        return paths.Count == 0 ? null : new(record.Prefix, paths);
    }
}
