using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>Frames as the records of a classic capture file of Ethernet, in the byte order of this machine: a header of 16 bytes and the frame, again and again.</summary>
/// <param name="at">The first record.</param>
/// <param name="startLimit">No record is taken that begins here or later; its header must be readable before.</param>
/// <param name="end">End of the memory; a record that does not lie before it wholly is not taken.</param>
internal unsafe struct PcapRecordCursor(byte* at, byte* startLimit, byte* end) : IFrameCursor
{
    /// <summary>Bytes of a record's header: two of time, then captured length and length on the wire, 32 bits each.</summary>
    public const int HeaderBytes = 16;

    /// <summary>How far ahead of the record that is read the file's memory is asked for: the processor's own prefetching stops at the end of a page.</summary>
    private const int AheadBytes = 2048;

    // Invariant: a header is read before startLimit only, a frame that ends at end at the latest.
    private readonly byte* _startLimit = startLimit;
    private readonly byte* _end = end;

    /// <summary>The record at the cursor, or what is no whole record.</summary>
    public byte* At { get; private set; } = at;

    public readonly bool HasFrame
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)] // The decoder's loop, here and below: DecodeBenchmarks.
        get => At < _startLimit && Captured <= _end - At - HeaderBytes;
    }

    public readonly byte* Bytes => At + HeaderBytes;

    public readonly int CapturedLength => (int)Captured;

    public readonly bool IsEthernet => true;

    public readonly ushort VlanTci => 0;

    public readonly FrameHeader Header => new(0, CapturedLength, (int)Math.Min(*(uint*)(At + 12), int.MaxValue), 0, false, LinkLayerType.Ethernet);

    private readonly uint Captured => *(uint*)(At + 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance()
    {
        At += HeaderBytes + Captured;
        if (Sse.IsSupported)
        {
            // Only a hint: behind the end nothing is read.
            Sse.Prefetch0(At + AheadBytes);
        }
    }
}
