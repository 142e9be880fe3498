using System.Buffers.Binary;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Mrt;

/// <summary>
/// Reads an MRT file record by record, each as what it is: tables (TABLE_DUMP, TABLE_DUMP_V2), messages and state changes (BGP4MP, BGP4MP_ET, and the old type BGP),
/// with path identifiers where the subtype says so (RFC 6396, RFC 8050). Kinds that are not read and records that are malformed come as records of their own.
/// </summary>
/// <remarks>
/// In the old type BGP (RFC 6396 appendix B.2) a message stands without its header; it is given one here, so that all messages are alike. Sessions of that type are
/// IPv4 with 2-octet AS numbers, and keepalives have no body.
/// </remarks>
public sealed class MrtRecordReader
{
    private const string TooShort = "the record is shorter than its fields";
    private readonly MrtRecordStream _records;
    private readonly MrtTable _table = new();

    /// <summary>A reader of an uncompressed or gzip-compressed file.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="unpackBzip2">Unpacks bzip2, which .NET cannot do by itself; throws <see cref="InvalidDataException"/> where the archive is damaged.</param>
    /// <exception cref="NotSupportedException">The file is compressed by xz, or by bzip2 and <paramref name="unpackBzip2"/> is null.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public MrtRecordReader(Stream stream, Func<Stream, Stream>? unpackBzip2 = null) => _records = new(stream, unpackBzip2);

    /// <summary>Records read, of every kind.</summary>
    public long Records { get; private set; }

    /// <summary>Records of kinds that are not read.</summary>
    public long Skipped { get; private set; }

    /// <summary>Malformed records, those with a path that cannot be read included.</summary>
    public long Malformed { get; private set; }

    /// <summary>The file ended within a record.</summary>
    public bool Truncated => _records.Truncated;

    /// <summary>A length field was out of all proportion, and the rest of the file could not be read.</summary>
    public bool Lost => _records.LengthIsWrong;

    /// <summary>Reads to the end. May be enumerated once.</summary>
    public IEnumerable<MrtRecord> Read()
    {
        while (_records.TryRead(out MrtHeader header))
        {
            MrtRecord record = Parse(header, _records.Body);
            Records++;
            Skipped += record is MrtOther ? 1 : 0;
            Malformed += record is MrtMalformed or MrtRib { CutOff: true } || (record is MrtRib rib && rib.Paths.Any(p => p.Attributes is null || p.Peer is null)) ? 1 : 0;
            yield return record;
        }
    }

    private MrtRecord Parse(MrtHeader header, ReadOnlySpan<byte> body)
    {
        DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds(header.Seconds);
        switch (header.Type)
        {
            case MrtType.TableDump when header.Subtype is 1 or 2:
                return TableDump(header, time, body);
            case MrtType.TableDumpV2:
                return TableDumpV2(header, time, body);
            case MrtType.Bgp4Mp:
                return Bgp4Mp(header, time, body);
            case MrtType.Bgp4MpEt:
                // The microseconds stand before the body and count as part of it (RFC 6396 section 3).
                return BinaryPrimitives.TryReadUInt32BigEndian(body, out uint microseconds)
                    ? Bgp4Mp(header, time.AddMicroseconds(Math.Min(microseconds, 999_999)), body[4..])
                    : Bad(header, time, TooShort);
            case MrtType.Bgp:
                return OldBgp(header, time, body);
            default:
                return Other(header, time, body);
        }
    }

    private static MrtMalformed Bad(MrtHeader header, DateTimeOffset time, string problem) =>
        new(problem) { Time = time, Type = header.Type, Subtype = header.Subtype };

    private static MrtOther Other(MrtHeader header, DateTimeOffset time, ReadOnlySpan<byte> body) =>
        new(body.Length) { Time = time, Type = header.Type, Subtype = header.Subtype };

    // RFC 6396 section 4.2. The attributes have AS numbers of two octets.
    private MrtRecord TableDump(MrtHeader header, DateTimeOffset time, ReadOnlySpan<byte> body)
    {
        var reader = new BgpReader(body);
        int size = header.Subtype == 1 ? 4 : 16;
        if (!reader.TryReadUInt16(out _) || !reader.TryReadUInt16(out ushort sequence) || !reader.TryReadSpan(size, out ReadOnlySpan<byte> prefix)
            || !reader.TryReadByte(out byte length) || !reader.TryReadByte(out _) || !reader.TryReadUInt32(out uint originated)
            || !reader.TryReadSpan(size, out ReadOnlySpan<byte> peer) || !reader.TryReadUInt16(out ushort peerAs)
            || !reader.TryReadUInt16(out ushort attributesLength) || !reader.TryReadSpan(attributesLength, out ReadOnlySpan<byte> attributes))
        {
            return Bad(header, time, TooShort);
        }

        if (length > size * 8)
        {
            return Bad(header, time, $"a prefix length of {length}");
        }

        return new MrtRib(
            sequence, IpPrefix.Create(IpAddr.FromBytes(prefix), length), AddPath: false,
            [new MrtRibPath(
                0, new MrtPeer(IpAddr.FromBytes(peer), peerAs), 0, DateTimeOffset.FromUnixTimeSeconds(originated),
                _table.ReadAttributes(attributes, fourOctetAs: false, out BgpError? error), error)],
            CutOff: false)
        { Time = time, Type = header.Type, Subtype = header.Subtype };
    }

    private MrtRecord TableDumpV2(MrtHeader header, DateTimeOffset time, ReadOnlySpan<byte> body)
    {
        switch (header.Subtype)
        {
            case TableDumpV2Subtype.PeerIndexTable:
                return _table.ReadPeers(body, out uint collector, out string view)
                    ? new MrtPeerIndex(collector, view, _table.Peers) { Time = time, Type = header.Type, Subtype = header.Subtype }
                    : Bad(header, time, TooShort);
            case TableDumpV2Subtype.RibIPv4Unicast or TableDumpV2Subtype.RibIPv4UnicastAddPath
                or TableDumpV2Subtype.RibIPv6Unicast or TableDumpV2Subtype.RibIPv6UnicastAddPath
                or TableDumpV2Subtype.RibGeneric or TableDumpV2Subtype.RibGenericAddPath:
                break;
            default:
                return Other(header, time, body);
        }

        if (!RibRecord.TryOpen(header.Subtype, body, out RibRecord record, out bool otherFamily))
        {
            return otherFamily ? Other(header, time, body) : Bad(header, time, "the prefix cannot be read");
        }

        var paths = new List<MrtRibPath>(record.Room);
        bool cutOff;
        while (record.TryNext(out ushort index, out uint originated, out uint pathId, out ReadOnlySpan<byte> attributes, out cutOff))
        {
            paths.Add(new(
                index, index < _table.Peers.Length ? _table.Peers[index] : null, pathId, DateTimeOffset.FromUnixTimeSeconds(originated),
                _table.ReadAttributes(attributes, fourOctetAs: true, out BgpError? error), error));
        }

        bool addPath = header.Subtype is TableDumpV2Subtype.RibIPv4UnicastAddPath or TableDumpV2Subtype.RibIPv6UnicastAddPath or TableDumpV2Subtype.RibGenericAddPath;
        return new MrtRib(record.Sequence, record.Prefix, addPath, paths, cutOff) { Time = time, Type = header.Type, Subtype = header.Subtype };
    }

    // RFC 6396 section 4.4, RFC 8050 section 3.
    private static MrtRecord Bgp4Mp(MrtHeader header, DateTimeOffset time, ReadOnlySpan<byte> body)
    {
        if (header.Subtype is not (<= Bgp4MpSubtype.Message or (>= Bgp4MpSubtype.MessageAs4 and <= Bgp4MpSubtype.MessageAs4LocalAddPath)))
        {
            return Other(header, time, body);
        }

        bool wide = header.Subtype is Bgp4MpSubtype.MessageAs4 or Bgp4MpSubtype.StateChangeAs4 or Bgp4MpSubtype.MessageAs4Local
            or Bgp4MpSubtype.MessageAs4AddPath or Bgp4MpSubtype.MessageAs4LocalAddPath;
        var reader = new BgpReader(body);
        if (!MrtTable.TryReadAs(ref reader, wide, out uint peerAs) || !MrtTable.TryReadAs(ref reader, wide, out uint localAs)
            || !reader.TryReadUInt16(out ushort interfaceIndex) || !reader.TryReadUInt16(out ushort afi))
        {
            return Bad(header, time, TooShort);
        }

        if (afi is not (1 or 2))
        {
            return Bad(header, time, $"an address family of {afi}");
        }

        int size = afi == 1 ? 4 : 16;
        if (!reader.TryReadSpan(size, out ReadOnlySpan<byte> peerAddress) || !reader.TryReadSpan(size, out ReadOnlySpan<byte> localAddress))
        {
            return Bad(header, time, TooShort);
        }

        var peer = new MrtPeer(IpAddr.FromBytes(peerAddress), peerAs);
        var local = new MrtPeer(IpAddr.FromBytes(localAddress), localAs);
        if (header.Subtype is Bgp4MpSubtype.StateChange or Bgp4MpSubtype.StateChangeAs4)
        {
            return reader.TryReadUInt16(out ushort old) && reader.TryReadUInt16(out ushort entered)
                ? new MrtStateChange(peer, local, interfaceIndex, old, entered) { Time = time, Type = header.Type, Subtype = header.Subtype }
                : Bad(header, time, TooShort);
        }

        bool addPath = header.Subtype >= Bgp4MpSubtype.MessageAddPath;
        bool fromCollector = header.Subtype is Bgp4MpSubtype.MessageLocal or Bgp4MpSubtype.MessageAs4Local
            or Bgp4MpSubtype.MessageLocalAddPath or Bgp4MpSubtype.MessageAs4LocalAddPath;
        var codec = new BgpCodecOptions { FourOctetAs = wide, AddPathIPv4 = addPath, AddPathIPv6 = addPath, ExtendedMessage = true };
        return new MrtMessage(peer, local, interfaceIndex, fromCollector, reader.Rest.ToArray(), codec) { Time = time, Type = header.Type, Subtype = header.Subtype };
    }

    private static MrtRecord OldBgp(MrtHeader header, DateTimeOffset time, ReadOnlySpan<byte> body)
    {
        if (header.Subtype is not (1 or 3 or 5 or 6 or 7))
        {
            return Other(header, time, body);
        }

        var reader = new BgpReader(body);
        if (!reader.TryReadUInt16(out ushort peerAs) || !reader.TryReadSpan(4, out ReadOnlySpan<byte> peerAddress))
        {
            return Bad(header, time, TooShort);
        }

        var peer = new MrtPeer(IpAddr.FromBytes(peerAddress), peerAs);
        if (header.Subtype == 3)
        {
            return reader.TryReadUInt16(out ushort old) && reader.TryReadUInt16(out ushort entered)
                ? new MrtStateChange(peer, default, 0, old, entered) { Time = time, Type = header.Type, Subtype = header.Subtype }
                : Bad(header, time, TooShort);
        }

        if (!reader.TryReadUInt16(out ushort localAs) || !reader.TryReadSpan(4, out ReadOnlySpan<byte> localAddress)
            || reader.Remaining > ushort.MaxValue - BgpConstants.HeaderLength)
        {
            return Bad(header, time, TooShort);
        }

        byte[] message = new byte[BgpConstants.HeaderLength + reader.Remaining];
        var writer = new BgpWriter(message);
        int start = writer.BeginMessage(header.Subtype switch
        {
            1 => BgpMessageType.Update,
            5 => BgpMessageType.Open,
            6 => BgpMessageType.Notification,
            _ => BgpMessageType.Keepalive,
        });
        writer.WriteBytes(reader.Rest);
        writer.EndMessage(start);
        return new MrtMessage(
            peer, new MrtPeer(IpAddr.FromBytes(localAddress), localAs), 0, FromCollector: false, message, new BgpCodecOptions { ExtendedMessage = true })
        { Time = time, Type = header.Type, Subtype = header.Subtype };
    }
}
