using System.Buffers.Binary;
using System.IO.Compression;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
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
/// Reads MRT TABLE_DUMP_V2 (RFC 6396 section 4.3): unicast tables of IPv4 and IPv6, with path identifiers too (RFC 8050 section 4). Other records are
/// counted and passed over; malformed ones likewise, since each record stands alone; a file that ends within a record gives what came before.
/// </summary>
public sealed class MrtReader
{
    private const int HeaderLength = 12;
    private const int MaxRecordLength = 16 << 20;
    private const ushort TypeTableDumpV2 = 13;
    private static readonly BgpCodecOptions Codec = new() { FourOctetAs = true };
    private readonly Stream _stream;
    private readonly UpdateMessage _scratch = new();
    private (IpAddr Address, uint As)[] _peers = [];

    /// <summary>A reader of an uncompressed or gzip-compressed file.</summary>
    /// <exception cref="NotSupportedException">The file is compressed by bzip2 or xz.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public MrtReader(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var buffered = new BufferedStream(stream, 1 << 16);
        Span<byte> magic = stackalloc byte[3];
        int read = buffered.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        ReadOnlySpan<byte> start = magic[..read];
        if (start.SequenceEqual("BZh"u8) || start.SequenceEqual((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z']))
        {
            throw new NotSupportedException("the file is compressed by bzip2 or xz; unpack it first (gzip is read as it is)");
        }

        var whole = new PrefixedStream(start.ToArray(), buffered);
        _stream = start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? new BufferedStream(new GZipStream(whole, CompressionMode.Decompress), 1 << 16) : whole;
    }

    /// <summary>Records of kinds that are not read.</summary>
    public long Skipped { get; private set; }

    /// <summary>Records, and paths within records, that are malformed.</summary>
    public long Malformed { get; private set; }

    /// <summary>The file ended within a record.</summary>
    public bool Truncated { get; private set; }

    /// <summary>Reads to the end. May be enumerated once.</summary>
    public IEnumerable<MrtEntry> Read()
    {
        byte[] header = new byte[HeaderLength];
        byte[] body = new byte[1 << 16];
        while (ReadFully(header, HeaderLength))
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8));
            if (length > MaxRecordLength)
            {
                // Nothing that follows can be found.
                Malformed++;
                yield break;
            }

            if (body.Length < length)
            {
                body = new byte[length];
            }

            if (!ReadFully(body, (int)length))
            {
                Truncated = true;
                yield break;
            }

            ushort type = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(4));
            ushort subtype = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6));
            if (type == TypeTableDumpV2 && Parse(subtype, body.AsSpan(0, (int)length)) is { } entry)
            {
                yield return entry;
            }
            else if (type != TypeTableDumpV2)
            {
                Skipped++;
            }
        }
    }

    private MrtEntry? Parse(ushort subtype, ReadOnlySpan<byte> body)
    {
        switch (subtype)
        {
            case 1:
                Malformed += ReadPeers(body) ? 0 : 1;
                return null;
            case 2 or 8:
                return ReadEntry(body, IpFamily.IPv4, addPath: subtype == 8);
            case 4 or 10:
                return ReadEntry(body, IpFamily.IPv6, addPath: subtype == 10);
            default:
                Skipped++;
                return null;
        }
    }

    private bool ReadPeers(ReadOnlySpan<byte> body)
    {
        var reader = new BgpReader(body);
        if (!reader.TryReadUInt32(out _) || !reader.TryReadUInt16(out ushort nameLength) || !reader.TryReadSpan(nameLength, out _)
            || !reader.TryReadUInt16(out ushort count))
        {
            return false;
        }

        var peers = new (IpAddr, uint)[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadByte(out byte kind) || !reader.TryReadUInt32(out _)
                || !reader.TryReadSpan((kind & 1) != 0 ? 16 : 4, out ReadOnlySpan<byte> address))
            {
                return false;
            }

            uint asNumber;
            if ((kind & 2) != 0)
            {
                if (!reader.TryReadUInt32(out asNumber))
                {
                    return false;
                }
            }
            else
            {
                if (!reader.TryReadUInt16(out ushort narrow))
                {
                    return false;
                }

                asNumber = narrow;
            }

            peers[i] = (IpAddr.FromBytes(address), asNumber);
        }

        _peers = peers;
        return true;
    }

    private MrtEntry? ReadEntry(ReadOnlySpan<byte> body, IpFamily family, bool addPath)
    {
        var reader = new BgpReader(body);
        if (!reader.TryReadUInt32(out _) || !reader.TryReadNlri(family, addPath: false, out Nlri nlri) || !reader.TryReadUInt16(out ushort count))
        {
            Malformed++;
            return null;
        }

        var paths = new List<MrtPath>(count);
        for (int i = 0; i < count; i++)
        {
            uint pathId = 0;
            if (!reader.TryReadUInt16(out ushort peer) || !reader.TryReadUInt32(out _) || (addPath && !reader.TryReadUInt32(out pathId))
                || !reader.TryReadUInt16(out ushort length) || !reader.TryReadSpan(length, out ReadOnlySpan<byte> attributes))
            {
                Malformed++;
                break;
            }

            if (peer < _peers.Length && ReadAttributes(attributes) is { } set)
            {
                paths.Add(new(_peers[peer].Address, _peers[peer].As, pathId, set));
            }
            else
            {
                Malformed++;
            }
        }

        return paths.Count == 0 ? null : new(nlri.Prefix, paths);
    }

    private PathAttributes? ReadAttributes(ReadOnlySpan<byte> attributes)
    {
        if (attributes.IsEmpty)
        {
            // BIRD dumps routes of the collector itself with no attributes at all.
            return new PathAttributes { Origin = Origin.Incomplete };
        }

        _scratch.Clear();
        var decoder = new AttributeDecoder(Codec, _scratch) { AbbreviatedMpReach = true };
        decoder.Decode(attributes, hasNlri: false);
        PathAttributes? set = _scratch.Action < ErrorAction.TreatAsWithdraw ? _scratch.Attributes : null;
        return set is not null && !_scratch.MpNextHop.Address.IsDefault ? set.WithNextHop(_scratch.MpNextHop) : set;
    }

    private bool ReadFully(byte[] buffer, int length)
    {
        int read;
        try
        {
            read = _stream.ReadAtLeast(buffer.AsSpan(0, length), length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException)
        {
            // gzip: the archive itself is cut or damaged.
            Truncated = true;
            return false;
        }

        Truncated |= read > 0 && read < length;
        return read == length;
    }

    /// <summary>Gives back octets that were read to look at before those of a stream that cannot seek.</summary>
    private sealed class PrefixedStream(byte[] start, Stream rest) : Stream
    {
        private int _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (_given == start.Length)
            {
                return rest.Read(buffer);
            }

            int count = Math.Min(buffer.Length, start.Length - _given);
            start.AsSpan(_given, count).CopyTo(buffer);
            _given += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
