using System.Buffers.Binary;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>
/// The block format (draft-ietf-opsawg-pcapng): sections, each with a byte order and interfaces of its own; frames in enhanced, simple and
/// (obsolete) packet blocks. Blocks of any other type are stepped over.
/// </summary>
internal sealed class PcapNgWalker : FrameWalker
{
    /// <summary>Block type of a section header: a palindrome, so that it reads the same in both byte orders.</summary>
    public const uint SectionHeaderType = 0x0A0D0D0A;

    private const uint ByteOrderMagic = 0x1A2B3C4D;
    private const uint InterfaceType = 1;
    private const uint ObsoletePacketType = 2;
    private const uint SimplePacketType = 3;
    private const uint EnhancedPacketType = 6;
    private const int MinBlockBytes = 12;

    /// <summary>Blocks in a row by which the beginning of one is told: each has its length at both ends.</summary>
    private const int BlocksOfARun = 8;

    /// <summary>Bounds what a hostile file can make us remember.</summary>
    private const int MaxInterfaces = 65536;

    private readonly List<(LinkLayerType LinkLayer, uint SnapLength)> _interfaces = [];
    private bool _bigEndian;
    private int _declarations;

    /// <inheritdoc/>
    public override int Declarations => _declarations;

    /// <inheritdoc/>
    public override WalkResult Walk(ReadOnlySpan<byte> window, long windowStart, long limit, FrameBlock block)
    {
        while (true)
        {
            // Position may lie beyond the window: a block that is not needed is stepped over unseen.
            long at = Position - windowStart;
            if (Position >= limit || at > window.Length - MinBlockBytes)
            {
                return WalkResult.WindowUsedUp;
            }

            ReadOnlySpan<byte> rest = window[(int)at..];
            uint type = ReadUInt32(rest);
            if (type == SectionHeaderType && !TryStartSection(rest))
            {
                return Fail("a section header without byte order");
            }

            long length = ((long)ReadUInt32(rest[4..]) + 3) & ~3L;
            if (length < MinBlockBytes)
            {
                return Fail($"a block of {length} bytes");
            }

            if (type is not (SectionHeaderType or InterfaceType or ObsoletePacketType or SimplePacketType or EnhancedPacketType))
            {
                Position += length;
                continue;
            }

            if (length > PcapFileSource.MaxFrameBytes)
            {
                return Fail($"a block of {length} bytes");
            }

            if (length > rest.Length)
            {
                return WalkResult.WindowUsedUp;
            }

            ReadOnlySpan<byte> body = rest[8..(int)(length - 4)];
            if (ReadUInt32(rest[(int)(length - 4)..]) != ReadUInt32(rest[4..]))
            {
                return Fail("a block whose two lengths differ");
            }

            if (type is InterfaceType or SectionHeaderType)
            {
                _declarations++;
            }

            if (type == InterfaceType)
            {
                if (body.Length < 8 || _interfaces.Count == MaxInterfaces)
                {
                    return Fail(body.Length < 8 ? "a short interface description" : $"more than {MaxInterfaces} interfaces");
                }

                _interfaces.Add(((LinkLayerType)ReadUInt16(body), ReadUInt32(body[4..])));
            }
            else if (type != SectionHeaderType)
            {
                if (!TryReadPacket(type, body, out int dataOffset, out uint captured, out uint wire, out LinkLayerType linkLayer))
                {
                    return Fail("a packet block that contradicts itself or names no known interface");
                }

                FrameHeader frame = new(
                    (int)at + 8 + dataOffset, (int)captured, (int)Math.Min(wire, int.MaxValue), 0, false, linkLayer);
                if (!block.TryAdd(frame))
                {
                    return WalkResult.BlockFull;
                }
            }

            Position += length;
        }
    }

    /// <inheritdoc/>
    protected override bool LooksLikeRecords(ReadOnlySpan<byte> bytes, long at, bool reachEnd)
    {
        for (int i = 0; i < BlocksOfARun; i++)
        {
            if (at > bytes.Length - MinBlockBytes)
            {
                return i > 0 && reachEnd && at == bytes.Length;
            }

            long length = ReadUInt32(bytes[(int)(at + 4)..]);
            if (length < MinBlockBytes || length % 4 != 0 || length > bytes.Length - at
                || ReadUInt32(bytes[(int)(at + length - 4)..]) != length)
            {
                return false;
            }

            at += length;
        }

        return true;
    }

    private bool TryReadPacket(
        uint type, ReadOnlySpan<byte> body, out int dataOffset, out uint captured, out uint wire, out LinkLayerType linkLayer)
    {
        dataOffset = type == SimplePacketType ? 4 : 20;
        captured = wire = 0;
        linkLayer = default;
        if (body.Length < dataOffset)
        {
            return false;
        }

        uint interfaceId = type switch
        {
            EnhancedPacketType => ReadUInt32(body),
            ObsoletePacketType => ReadUInt16(body),
            _ => 0,
        };
        if (interfaceId >= (uint)_interfaces.Count)
        {
            return false;
        }

        (linkLayer, uint snapLength) = _interfaces[(int)interfaceId];
        if (type == SimplePacketType)
        {
            // It has no captured length: that is the least of the wire length, the snap length and what the block has room for.
            wire = ReadUInt32(body);
            captured = Math.Min(wire, (uint)(body.Length - dataOffset));
            captured = snapLength == 0 ? captured : Math.Min(captured, snapLength);
            return true;
        }

        captured = ReadUInt32(body[12..]);
        wire = ReadUInt32(body[16..]);
        return captured <= (uint)(body.Length - dataOffset);
    }

    private bool TryStartSection(ReadOnlySpan<byte> block)
    {
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(block[8..]);
        if (magic != ByteOrderMagic && magic != BinaryPrimitives.ReverseEndianness(ByteOrderMagic))
        {
            return false;
        }

        _bigEndian = magic != ByteOrderMagic;
        _interfaces.Clear();
        return true;
    }

    private uint ReadUInt32(ReadOnlySpan<byte> bytes) =>
        _bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private ushort ReadUInt16(ReadOnlySpan<byte> bytes) =>
        _bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
}
