using System.Numerics;
using System.Runtime.InteropServices;

namespace EgressAppliance.Net.Lpm;

/// <summary>
/// A node of the IPv6 table in memory: 256 slots, for 8 bits of the address, kept as runs of equal slots. A set bit in the map says that a run
/// starts at that slot; <see cref="Before"/> counts the runs that start in earlier 64-bit words, so a slot's run is found with one popcount.
/// The entries of the runs follow at once: with up to 7 runs the whole node is one cache line.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IPv6Node
{
    /// <summary>Slots of a node.</summary>
    public const int Slots = 256;

    /// <summary>Bytes before the entries.</summary>
    public const int HeaderBytes = 36;

    /// <summary>Where runs start.</summary>
    public fixed ulong Starts[4];

    /// <summary>A byte for each word of the map, the first in the lowest: runs that start in the words before it.</summary>
    public uint Before;

    /// <summary>Runs of the node.</summary>
    public readonly int Runs =>
        // The last byte holds at most 192.
        (int)(Before >> 24) + BitOperations.PopCount(Starts[3]);

    /// <summary>Units of the largest node.</summary>
    public const int MaxUnits = (HeaderBytes + (Slots * sizeof(uint)) + NativeArena.UnitBytes - 1) / NativeArena.UnitBytes;

    /// <summary>Units that a node of so many runs takes.</summary>
    public static int UnitsFor(int runs) =>
        (HeaderBytes + (runs * sizeof(uint)) + NativeArena.UnitBytes - 1) / NativeArena.UnitBytes;

    /// <summary>The entries of a node.</summary>
    public static uint* Entries(IPv6Node* node) => (uint*)((byte*)node + HeaderBytes);

    /// <summary>
    /// The place of a slot's entry. In a node that is being overwritten it may lie outside, by one entry before them or up to 318 behind.
    /// </summary>
    public static uint* Find(IPv6Node* node, byte slot)
    {
        // Invariant: word is 0 to 3, so map and counts are read inside the header. A shift count is taken modulo 64, so the starts after the
        // slot are shifted out.
        uint word = (uint)slot >> 6;
        uint run = ((byte*)&node->Before)[word] + (uint)BitOperations.PopCount(((ulong*)node)[word] << ~slot);
        return Entries(node) + run - 1;
    }
}
