using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>Frames as the kernel put them into a block of a TPACKET_V3 ring on an Ethernet interface: a chain of headers, each with the offset of the next.</summary>
/// <param name="first">The first header.</param>
/// <param name="count">Frames in the chain.</param>
internal unsafe struct RingFrameCursor(byte* first, uint count) : IFrameCursor
{
    /// <summary>How far ahead of the frame that is read the ring's memory is asked for.</summary>
    private const int AheadBytes = 1024;

    // Invariant: the kernel wrote the chain, and its headers and frames lie within the block, which stays ours until the next read.
    private RingFrameHeader* _at = (RingFrameHeader*)first;

    /// <summary>Frames that are left.</summary>
    public uint Left { get; private set; } = count;

    public readonly bool HasFrame => Left != 0;

    public readonly byte* Bytes => (byte*)_at + _at->MacOffset;

    public readonly int CapturedLength => (int)_at->CapturedLength;

    public readonly bool IsEthernet => true;

    public readonly ushort VlanTci => (_at->Status & LibC.TpStatusVlanValid) != 0 ? (ushort)_at->VlanTci : (ushort)0;

    public readonly FrameHeader Header => new(
        0, CapturedLength, (int)_at->WireLength, (ushort)_at->VlanTci, (_at->Status & LibC.TpStatusVlanValid) != 0, LinkLayerType.Ethernet);

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // The decoder's loop: DecodeBenchmarks.
    public void Advance()
    {
        _at = (RingFrameHeader*)((byte*)_at + _at->NextOffset);
        Left--;
        if (Sse.IsSupported)
        {
            // The kernel filled the block from another core. Only a hint: behind the block nothing is read.
            Sse.Prefetch0((byte*)_at + AheadBytes);
        }
    }
}
