using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EgressAppliance.Dataplane.Decode;

namespace EgressAppliance.Dataplane.Counters;

/// <summary>A count for each <see cref="DecodeStatus"/>.</summary>
[InlineArray(DecodeStatusNames.Count)]
internal struct StatusCounts
{
    private long _first;
}

/// <summary>
/// Where the frames of one worker ended, since start. Written for every batch by one worker beside those of others: padding on both sides keeps each on
/// cache lines of its own (two lines, since processors fetch them in pairs), wherever the heap puts the object.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = (2 * Padding) + 40 + (8 * DecodeStatusNames.Count))]
internal struct FrameTotals
{
    /// <summary>Bytes before the first and behind the last field.</summary>
    public const int Padding = 128;

    /// <summary>Frames seen, each in exactly one of <see cref="Ignored"/> and <see cref="ByStatus"/>.</summary>
    [FieldOffset(Padding)]
    public long Frames;

    /// <summary>Frames to an ignored MAC.</summary>
    [FieldOffset(Padding + 8)]
    public long Ignored;

    /// <summary>IP bytes of all packets.</summary>
    [FieldOffset(Padding + 16)]
    public long IpBytes;

    /// <summary>Packets without a prefix.</summary>
    [FieldOffset(Padding + 24)]
    public long UnroutedPackets;

    /// <summary>Their IP bytes.</summary>
    [FieldOffset(Padding + 32)]
    public long UnroutedIpBytes;

    /// <summary>Frames by the way decoding ended; the first two are the packets.</summary>
    [FieldOffset(Padding + 40)]
    public StatusCounts ByStatus;

    /// <summary>Adds another's numbers.</summary>
    public void Add(in FrameTotals other)
    {
        Frames += other.Frames;
        Ignored += other.Ignored;
        IpBytes += other.IpBytes;
        UnroutedPackets += other.UnroutedPackets;
        UnroutedIpBytes += other.UnroutedIpBytes;
        for (int i = 0; i < DecodeStatusNames.Count; i++)
        {
            ByStatus[i] += other.ByStatus[i];
        }
    }
}
