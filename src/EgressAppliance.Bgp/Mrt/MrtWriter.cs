using System.Buffers;
using System.Buffers.Binary;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Mrt;

/// <summary>A path to be written into a table dump.</summary>
/// <param name="PeerIndex">The peer it came from, by its place in the list the writer was made with.</param>
/// <param name="PathId">Path identifier; written if the writer writes them.</param>
/// <param name="Originated">When it was heard.</param>
/// <param name="Attributes">Attributes with the next hop.</param>
public readonly record struct MrtWritePath(ushort PeerIndex, uint PathId, DateTimeOffset Originated, PathAttributes Attributes);

/// <summary>
/// Writes a table as MRT TABLE_DUMP_V2 (RFC 6396 section 4.3): the peers first, then one record a prefix, RIB_IPV4_UNICAST and RIB_IPV6_UNICAST or their forms with
/// path identifiers (RFC 8050 section 4).
/// </summary>
/// <remarks>
/// It writes into a buffer writer, one record at a time, so that whoever owns the buffer decides when to flush: memory is bounded by that, and a pipe gives the
/// reader's pace back. What a record cannot hold is left out and counted, never written wrong: a file is read by tools that trust its lengths.
/// </remarks>
public sealed class MrtWriter
{
    private const int HeaderLength = 12;
    private const int EntryHeadLength = 12;
    private const int MaxAttributes = ushort.MaxValue;
    private static readonly BgpCodecOptions Codec = new() { FourOctetAs = true };
    private readonly IBufferWriter<byte> _output;
    private readonly bool _addPath;
    private readonly uint _seconds;
    private readonly int _peers;
    private readonly byte[] _scratch = new byte[MaxAttributes];
    private byte[] _record = new byte[1 << 12];
    private uint _sequence;

    /// <summary>Begins a dump and writes its PEER_INDEX_TABLE.</summary>
    /// <param name="output">Where to write.</param>
    /// <param name="time">The time of the dump, in all its records.</param>
    /// <param name="collectorId">BGP identifier of the collector, host order.</param>
    /// <param name="viewName">Name of the view; may be empty.</param>
    /// <param name="peers">The peers, at most 65535.</param>
    /// <param name="addPath">Write path identifiers.</param>
    /// <exception cref="ArgumentException">Too many peers, or the view's name is too long.</exception>
    public MrtWriter(IBufferWriter<byte> output, DateTimeOffset time, uint collectorId, string viewName, IReadOnlyList<MrtPeer> peers, bool addPath)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(viewName);
        ArgumentNullException.ThrowIfNull(peers);
        _output = output;
        _addPath = addPath;
        _seconds = Seconds(time);
        _peers = peers.Count;
        WritePeers(collectorId, viewName, peers);
    }

    /// <summary>Prefixes written.</summary>
    public long Prefixes { get; private set; }

    /// <summary>Paths written.</summary>
    public long Paths { get; private set; }

    /// <summary>Paths left out because their attributes do not fit the 65535 octets that a record has for them.</summary>
    public long LeftOut { get; private set; }

    /// <summary>Writes a prefix; nothing if it has no paths. More than 65535 paths become several records.</summary>
    /// <exception cref="ArgumentException">A path names a peer that is not in the list.</exception>
    public void Write(IpPrefix prefix, IReadOnlyList<MrtWritePath> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        int next = 0;
        while (next < paths.Count)
        {
            next = WriteRecord(prefix, paths, next);
        }
    }

    private int WriteRecord(IpPrefix prefix, IReadOnlyList<MrtWritePath> paths, int first)
    {
        int at = HeaderLength;
        Ensure(at, 32);
        var head = new BgpWriter(_record.AsSpan(at));
        head.WriteUInt32(_sequence);
        head.WriteNlri(new Nlri(prefix), addPath: false);
        int countAt = at + head.Reserve(2);
        at += head.Position;

        int count = 0;
        int next = first;
        for (; next < paths.Count && count < ushort.MaxValue; next++)
        {
            MrtWritePath path = paths[next];
            if (path.PeerIndex >= _peers)
            {
                throw new ArgumentException($"There is no peer {path.PeerIndex}; the dump has {_peers}.", nameof(paths));
            }

            if (!EncodeAttributes(path.Attributes, prefix.Family, out ReadOnlySpan<byte> attributes))
            {
                LeftOut++;
                continue;
            }

            Ensure(at, EntryHeadLength + attributes.Length);
            var entry = new BgpWriter(_record.AsSpan(at));
            entry.WriteUInt16(path.PeerIndex);
            entry.WriteUInt32(Seconds(path.Originated));
            if (_addPath)
            {
                entry.WriteUInt32(path.PathId);
            }

            entry.WriteUInt16((ushort)attributes.Length);
            entry.WriteBytes(attributes);
            at += entry.Position;
            count++;
        }

        if (count == 0)
        {
            return next;
        }

        BinaryPrimitives.WriteUInt16BigEndian(_record.AsSpan(countAt), (ushort)count);
        Emit(
            (prefix.Family, _addPath) switch
            {
                (IpFamily.IPv4, false) => TableDumpV2Subtype.RibIPv4Unicast,
                (IpFamily.IPv4, true) => TableDumpV2Subtype.RibIPv4UnicastAddPath,
                (_, false) => TableDumpV2Subtype.RibIPv6Unicast,
                (_, true) => TableDumpV2Subtype.RibIPv6UnicastAddPath,
            },
            at);
        _sequence++;
        Prefixes += first == 0 ? 1 : 0;
        Paths += count;
        return next;
    }

    private void WritePeers(uint collectorId, string viewName, IReadOnlyList<MrtPeer> peers)
    {
        int nameLength = System.Text.Encoding.UTF8.GetByteCount(viewName);
        if (peers.Count > ushort.MaxValue || nameLength > ushort.MaxValue)
        {
            throw new ArgumentException("At most 65535 peers, and as many octets of the view's name.", nameof(peers));
        }

        const int PeerLength = 1 + 4 + 16 + 4;
        Ensure(HeaderLength, 8 + nameLength + (peers.Count * PeerLength));
        var writer = new BgpWriter(_record.AsSpan(HeaderLength));
        writer.WriteUInt32(collectorId);
        writer.WriteUInt16((ushort)nameLength);
        writer.WriteBytes(System.Text.Encoding.UTF8.GetBytes(viewName));
        writer.WriteUInt16((ushort)peers.Count);
        foreach (MrtPeer peer in peers)
        {
            // Bit 0: the address is IPv6; bit 1: the AS number has four octets, which all have here.
            IpAddr address = peer.Address.IsDefault ? IpAddr.FromIPv4(0) : peer.Address;
            writer.WriteByte((byte)((address.Family == IpFamily.IPv6 ? 1 : 0) | 2));
            writer.WriteUInt32(peer.RouterId);
            writer.WriteAddress(address);
            writer.WriteUInt32(peer.As);
        }

        Emit(TableDumpV2Subtype.PeerIndexTable, HeaderLength + writer.Position);
    }

    /// <summary>
    /// RFC 6396 section 4.3.4: 4-octet AS numbers, and of MP_REACH_NLRI the next hop only, behind its length. An IPv4 route with an IPv6 next hop (RFC 8950) has it there, too.
    /// </summary>
    private bool EncodeAttributes(PathAttributes attributes, IpFamily family, out ReadOnlySpan<byte> encoded)
    {
        var writer = new BgpWriter(_scratch);
        NextHop nextHop = attributes.NextHop;
        bool classic = family == IpFamily.IPv4 && nextHop.Address.Family == IpFamily.IPv4;
        AttributeEncoder.Encode(ref writer, attributes, Codec, withNextHop: classic);
        if (!classic && !nextHop.Address.IsDefault)
        {
            int length = (nextHop.Address.BitLength / 8) + (nextHop.LinkLocal.IsDefault ? 0 : 16);
            AttributeEncoder.WriteHeader(ref writer, AttributeFlags.Optional, AttributeType.MpReachNlri, 1 + length);
            writer.WriteByte((byte)length);
            writer.WriteAddress(nextHop.Address);
            if (!nextHop.LinkLocal.IsDefault)
            {
                writer.WriteAddress(nextHop.LinkLocal);
            }
        }

        encoded = _scratch.AsSpan(0, writer.Position);
        return !writer.Overflowed;
    }

    private void Emit(ushort subtype, int end)
    {
        var header = new BgpWriter(_record);
        header.WriteUInt32(_seconds);
        header.WriteUInt16(MrtType.TableDumpV2);
        header.WriteUInt16(subtype);
        header.WriteUInt32((uint)(end - HeaderLength));
        _output.Write(_record.AsSpan(0, end));
    }

    private void Ensure(int at, int more)
    {
        if (_record.Length - at < more)
        {
            Array.Resize(ref _record, Math.Max(_record.Length * 2, at + more));
        }
    }

    private static uint Seconds(DateTimeOffset time) => (uint)Math.Clamp(time.ToUnixTimeSeconds(), 0, uint.MaxValue);
}
