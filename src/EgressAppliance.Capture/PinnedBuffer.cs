using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EgressAppliance.Capture;

/// <summary>Managed memory that the garbage collector never moves, for frames that a source makes itself. Zero at first.</summary>
/// <param name="length">Bytes.</param>
public sealed unsafe class PinnedBuffer(int length)
{
    private readonly byte[] _bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>Bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>The memory.</summary>
    public Span<byte> Span => _bytes;

    /// <summary>Where it lies; valid as long as this object is reachable, since the array was allocated pinned.</summary>
    internal byte* Address => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
}
