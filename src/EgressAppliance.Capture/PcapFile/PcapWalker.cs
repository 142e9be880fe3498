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

    /// <summary>Records in a row by which the beginning of one is told: chance would need a hundred bits of each.</summary>
    private const int RecordsOfARun = 16;

    private const int MaxUsualFrameBytes = 256 << 10;
    private const long SecondsOfAYear = 366 * 86400;
    private readonly bool _bigEndian;
    private readonly long _firstSeconds;
    private readonly int _recordHeaderBytes;
    private readonly bool _lengthsSwapped;
    private readonly LinkLayerType _linkLayer;

    private PcapWalker(bool bigEndian, int recordHeaderBytes, bool lengthsSwapped, LinkLayerType linkLayer, long firstSeconds)
    {
        _firstSeconds = firstSeconds;
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
        long firstSeconds = head.Length < FileHeaderBytes + sizeof(uint) ? 0 : ReadUInt32(head[FileHeaderBytes..], bigEndian);
        return new(bigEndian, RecordHeaderBytes(magic), major < 2 || (major == 2 && minor < 3), (LinkLayerType)(ushort)network, firstSeconds);
    }

    /// <inheritdoc/>
    public override unsafe bool TryChain(FileWindow window, long limit, FrameBlock block)
    {
        if (_bigEndian || _lengthsSwapped || _recordHeaderBytes != PcapRecordCursor.HeaderBytes || _linkLayer != LinkLayerType.Ethernet || !BitConverter.IsLittleEndian)
        {
            return false;
        }

        // Invariant: a header is readable at every place before the start limit, and the window's bytes end where the records do.
        byte* memory = window.Buffer.Address;
        long at = Position - window.Start;
        long startLimit = Math.Min(limit - window.Start, window.Count - PcapRecordCursor.HeaderBytes + 1);
        if (at >= startLimit)
        {
            return false;
        }

        PcapRecordCursor records = new(memory + at, memory + startLimit, memory + window.Count);
        if (!records.HasFrame)
        {
            return false;
        }

        block.ResetToRecords(window.Buffer, records);
        return true;
    }

    /// <inheritdoc/>
    public override unsafe void Follow(FileWindow window, PcapRecordCursor records) => Position = window.Start + (records.At - window.Buffer.Address);

    /// <inheritdoc/>
    /// <remarks>Optimized at first use: a large file is a single call of a few loops, over before tiered compilation would notice.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override unsafe WalkResult Walk(ReadOnlySpan<byte> window, long windowStart, long limit, FrameBlock block)
    {
        int headerBytes = _recordHeaderBytes;
        bool bigEndian = _bigEndian;
        bool swapped = _lengthsSwapped;
        LinkLayerType linkLayer = _linkLayer;
        Span<FrameHeader> free = block.Free;
        long at = Position - windowStart;
        int count = 0;
        uint garbage = 0;
        WalkResult result = WalkResult.WindowUsedUp;

        // Invariant: memory is read below at + headerBytes only, which is checked to lie within the window; frames are written below free.Length.
        fixed (byte* memory = window)
        fixed (FrameHeader* frames = free)
        {
            while (at <= window.Length - headerBytes && at < limit - windowStart)
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
                at = data + captured;
            }
        }

        block.Commit(count);
        Position = windowStart + at;
        return garbage != 0 ? Fail($"a frame of {garbage} bytes") : result;
    }

    protected override bool LooksLikeRecords(ReadOnlySpan<byte> bytes, long at, bool reachEnd)
    {
        for (int i = 0; i < RecordsOfARun; i++)
        {
            if (at > bytes.Length - _recordHeaderBytes)
            {
                // A run may be ended by the end of the file, if that is where the last record ends.
                return i > 0 && reachEnd && at == bytes.Length;
            }

            ReadOnlySpan<byte> header = bytes.Slice((int)at, _recordHeaderBytes);
            uint seconds = ReadUInt32(header, _bigEndian);
            uint fraction = ReadUInt32(header[4..], _bigEndian);
            uint captured = ReadUInt32(header[8..], _bigEndian);
            uint wire = ReadUInt32(header[12..], _bigEndian);
            if (captured == 0 || captured > wire || wire > MaxUsualFrameBytes || fraction >= 1_000_000_000 || Math.Abs((long)seconds - _firstSeconds) > SecondsOfAYear)
            {
                return false;
            }

            at += _recordHeaderBytes + captured;
        }

        return true;
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
