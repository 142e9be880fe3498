using System.Buffers.Binary;
using System.Runtime.CompilerServices;

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
    /// <remarks>Optimized at first use: a large file is a single call of a few loops, over before tiered compilation would notice.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override unsafe WalkResult Walk(ReadOnlySpan<byte> window, long windowStart, FrameBlock block)
    {
        int headerBytes = _recordHeaderBytes;
        bool bigEndian = _bigEndian;
        bool swapped = _lengthsSwapped;
        LinkLayerType linkLayer = _linkLayer;
        Span<FrameHeader> free = block.Free;
        long at = Position - windowStart;
        long wireBytes = 0;
        int count = 0;
        uint garbage = 0;
        WalkResult result = WalkResult.WindowUsedUp;

        // Invariant: memory is read below at + headerBytes only, which is checked to lie within the window; frames are written below free.Length.
        fixed (byte* memory = window)
        fixed (FrameHeader* frames = free)
        {
            while (at <= window.Length - headerBytes)
            {
                uint captured = *(uint*)(memory + at + 8);
                uint wire = *(uint*)(memory + at + 12);
                if (bigEndian)
                {
                    captured = BinaryPrimitives.ReverseEndianness(captured);
                    wire = BinaryPrimitives.ReverseEndianness(wire);
                }

                if (swapped)
                {
                    (captured, wire) = (wire, captured);
                }

                long data = at + headerBytes;
                if (captured > Math.Min(window.Length - data, PcapFileSource.MaxFrameBytes))
                {
                    garbage = captured > PcapFileSource.MaxFrameBytes ? captured : 0;
                    break;
                }

                if (count == free.Length)
                {
                    result = WalkResult.BlockFull;
                    break;
                }

                int wireLength = (int)Math.Min(wire, int.MaxValue);
                frames[count++] = new FrameHeader((int)data, (int)captured, wireLength, 0, false, linkLayer);
                wireBytes += wireLength;
                at = data + captured;
            }
        }

        block.Commit(count, wireBytes);
        Position = windowStart + at;
        return garbage != 0 ? Fail($"a frame of {garbage} bytes") : result;
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
