namespace EgressAppliance.Capture;

/// <summary>
/// Steps over the frames of a <see cref="FrameBlock"/>. A structure, so that the decoder's loop is compiled for each way in which frames lie in memory,
/// without a call or a list of places in between.
/// </summary>
internal unsafe interface IFrameCursor
{
    /// <summary>A whole frame is at the cursor; false at the end of the block.</summary>
    bool HasFrame { get; }

    /// <summary>First captured byte of the frame; <see cref="CapturedLength"/> of them can be read.</summary>
    byte* Bytes { get; }

    /// <summary>Bytes that are there.</summary>
    int CapturedLength { get; }

    /// <summary>The frame begins with an Ethernet header.</summary>
    bool IsEthernet { get; }

    /// <summary>Tag control information of an outer tag that the kernel stripped, or 0.</summary>
    ushort VlanTci { get; }

    /// <summary>All that is known of the frame but its place.</summary>
    FrameHeader Header { get; }

    /// <summary>Goes on to the next frame, and asks for the memory of later ones.</summary>
    void Advance();
}

/// <summary>Frames whose places are listed.</summary>
internal unsafe struct FrameListCursor(byte* memory, FrameHeader* frames, int count) : IFrameCursor
{
    // Invariant: places within the memory, which FrameBlock checked; frames between the two pointers.
    private readonly byte* _memory = memory;
    private readonly FrameHeader* _end = frames + count;
    private FrameHeader* _at = frames;

    public readonly bool HasFrame => _at < _end;

    public readonly byte* Bytes => _memory + _at->Offset;

    public readonly int CapturedLength => _at->CapturedLength;

    public readonly bool IsEthernet => _at->LinkLayer == LinkLayerType.Ethernet;

    public readonly ushort VlanTci => _at->HasVlan ? _at->VlanTci : (ushort)0;

    public readonly FrameHeader Header => *_at;

    /// <summary>Frames that are left.</summary>
    public readonly int Left => (int)(_end - _at);

    public void Advance() => _at++;
}
