using System.Buffers.Binary;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>
/// The classic format (draft-ietf-opsawg-pcap): a 24-byte header that names byte order and link type, then records of a 16-byte header and the frame.
/// Micro- and nanosecond files differ in their magic number alone; the "modified" variant has 8 more bytes in each record header.
/// </summary>
internal sealed class PcapWalker : FrameWalker
{
    private const int FileHeaderBytes = 24;
    private readonly bool _bigEndian;
    private readonly int _recordHeaderBytes;
    private readonly bool _lengthsSwapped;
    private readonly LinkLayerType _linkLayer;

    private PcapWalker(bool bigEndian, int recordHeaderBytes, bool lengthsSwapped, LinkLayerType linkLayer)
    {
        _bigEndian = bigEndian;
        _recordHeaderBytes = recordHeaderBytes;
        _lengthsSwapped = lengthsSwapped;
        _linkLayer = linkLayer;
        Position = FileHeaderBytes;
    }

    /// <summary>A walker if this is such a file's header.</summary>
    /// <param name="magic">Its first four bytes, read as little-endian.</param>
    /// <param name="head">The file from its first byte on.</param>
    public static PcapWalker? TryCreate(uint magic, ReadOnlySpan<byte> head)
    {
        bool bigEndian;
        if (RecordHeaderBytes(magic) != 0)
        {
            bigEndian = false;
        }
        else
        {
            magic = BinaryPrimitives.ReverseEndianness(magic);
            if (RecordHeaderBytes(magic) == 0)
            {
                return null;
            }

            bigEndian = true;
        }

        if (head.Length < FileHeaderBytes)
        {
            return null;
        }

        int major = bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(head[4..]) : BinaryPrimitives.ReadUInt16LittleEndian(head[4..]);
        int minor = bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(head[6..]) : BinaryPrimitives.ReadUInt16LittleEndian(head[6..]);
        uint network = ReadUInt32(head[20..], bigEndian);

        // Before 2.3 the two lengths stood in the other order. The upper half of the last word is FCS information, not link type.
        return new(bigEndian, RecordHeaderBytes(magic), major < 2 || (major == 2 && minor < 3), (LinkLayerType)(ushort)network);
    }

    /// <inheritdoc/>
    public override WalkResult Walk(ReadOnlySpan<byte> window, long windowStart, FrameBlock block)
    {
        while (true)
        {
            long at = Position - windowStart;
            if (at > window.Length - _recordHeaderBytes)
            {
                return WalkResult.WindowUsedUp;
            }

            ReadOnlySpan<byte> header = window.Slice((int)at, _recordHeaderBytes);
            uint captured = ReadUInt32(header[8..], _bigEndian);
            uint wire = ReadUInt32(header[12..], _bigEndian);
            if (_lengthsSwapped)
            {
                (captured, wire) = (wire, captured);
            }

            if (captured > PcapFileSource.MaxFrameBytes)
            {
                return Fail($"a frame of {captured} bytes");
            }

            long data = at + _recordHeaderBytes;
            if (data + captured > window.Length)
            {
                return WalkResult.WindowUsedUp;
            }

            FrameHeader frame = new((int)data, (int)captured, (int)Math.Min(wire, int.MaxValue), 0, false, _linkLayer);
            if (!block.TryAdd(frame))
            {
                return WalkResult.BlockFull;
            }

            Position = windowStart + data + captured;
        }
    }

    private static int RecordHeaderBytes(uint magic) => magic switch
    {
        0xA1B2C3D4 or 0xA1B23C4D => 16,
        0xA1B2CD34 => 24,
        _ => 0,
    };

    private static uint ReadUInt32(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
