using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using EgressAppliance.Dataplane.Decode;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>Finds a frame's link within the decoder's loop. A structure that holds all it needs, so that the loop is compiled for it and calls nothing.</summary>
internal unsafe interface ILinkFinder
{
    /// <summary>The link's number, 0 for none, or <see cref="LinkResolver.Ignored"/>.</summary>
    /// <param name="frame">An Ethernet header and at least four bytes more.</param>
    /// <param name="tagged">1 if the header is followed by a VLAN tag, else 0.</param>
    /// <param name="strippedTci">The outer tag if the kernel has stripped one, else 0.</param>
    int Find(byte* frame, int tagged, ushort strippedTci);
}

/// <summary>A MAC that rules name, in its slot.</summary>
/// <param name="Key">Its six octets as they lie in memory, read little-endian, in the upper bits; odd in a slot that is not used.</param>
/// <param name="Number">Its number.</param>
/// <param name="Link">The link of its frames without a VLAN that rules name.</param>
internal readonly record struct MacSlot(ulong Key, int Number, int Link);

/// <summary>The compiled rules of a <see cref="LinkResolver"/>, in memory that does not move.</summary>
internal sealed unsafe class LinkTables
{
    private const ulong UnusedKey = 1;
    private const int TriesPerSize = 1 << 12;
    private readonly MacSlot[] _slots;
    private readonly short[] _links;
    private readonly ushort[] _vlanNumbers;
    private readonly int _vlanCount;
    private readonly ulong _multiplier;
    private readonly int _shift;

    /// <summary>Tables of numbered MACs and VLANs.</summary>
    /// <param name="macs">MACs and their numbers; 0 is any other MAC.</param>
    /// <param name="links">A row for each number of a MAC, with a link for each number of a VLAN. Pinned.</param>
    /// <param name="vlanNumbers">Number of each VLAN; 0 is any other. Pinned.</param>
    /// <param name="vlanCount">Numbers of VLANs, the length of a row.</param>
    public LinkTables(IReadOnlyDictionary<ulong, int> macs, short[] links, ushort[] vlanNumbers, int vlanCount)
    {
        _links = links;
        _vlanNumbers = vlanNumbers;
        _vlanCount = vlanCount;
        IsConstant = macs.Count == 0 && vlanCount == 1;

        // At most a quarter full: the more room, the sooner a multiplier without collisions is found.
        int bits = 2;
        while (1 << bits < macs.Count * 4)
        {
            bits++;
        }

        Random random = new(1);
        for (int tries = 0; ; tries++)
        {
            bits += tries > 0 && tries % TriesPerSize == 0 ? 1 : 0;
            _shift = 64 - bits;
            _multiplier = (ulong)random.NextInt64() | 1;
            _slots = GC.AllocateUninitializedArray<MacSlot>(1 << bits, pinned: true);
            if (TryPlace(macs))
            {
                return;
            }
        }
    }

    /// <summary>All frames belong to one link.</summary>
    public bool IsConstant { get; }

    /// <summary>The VLAN matters.</summary>
    public bool NeedsVlan => _vlanCount > 1;

    /// <summary>Finds the link of frames that all have the same.</summary>
    public ConstantLink Constant => new(_links[0]);

    /// <summary>Finds links by the MAC.</summary>
    public LinkByMac ByMac => new((MacSlot*)Unsafe.AsPointer(ref _slots[0]), _multiplier, _shift, _links[0]);

    /// <summary>Finds links by MAC and VLAN.</summary>
    public LinkByMacAndVlan ByMacAndVlan => new(
        ByMac, (ushort*)Unsafe.AsPointer(ref _vlanNumbers[0]), (short*)Unsafe.AsPointer(ref _links[0]), _vlanCount);

    /// <summary>The link of a numbered MAC's frames.</summary>
    public int LinkOf(int macNumber, ushort vlan) => _links[(macNumber * _vlanCount) + _vlanNumbers[vlan]];

    private bool TryPlace(IReadOnlyDictionary<ulong, int> macs)
    {
        Array.Fill(_slots, new MacSlot(UnusedKey, 0, 0));
        foreach ((ulong mac, int number) in macs)
        {
            ulong key = BinaryPrimitives.ReverseEndianness(mac << 16) << 16;
            ref MacSlot slot = ref _slots[key * _multiplier >> _shift];
            if (slot.Key != UnusedKey)
            {
                return false;
            }

            slot = new MacSlot(key, number, _links[number * _vlanCount]);
        }

        return true;
    }
}

/// <summary>One link for all frames.</summary>
internal readonly unsafe struct ConstantLink(int link) : ILinkFinder
{
    public int Find(byte* frame, int tagged, ushort strippedTci) => link;
}

/// <summary>Links by destination MAC.</summary>
internal readonly unsafe struct LinkByMac(MacSlot* slots, ulong multiplier, int shift, int other) : ILinkFinder
{
    // Invariant: the table has 2^(64 - shift) slots, and the resolver that owns it outlives the loop.
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // The decoder's loop, here and below: DecodeBenchmarks.
    public int Find(byte* frame, int tagged, ushort strippedTci)
    {
        MacSlot* slot = SlotOf(*(ulong*)frame);
        return slot->Key == *(ulong*)frame << 16 ? slot->Link : other;
    }

    /// <summary>The number of a MAC; 0 for any that rules do not name.</summary>
    /// <param name="frame">A frame's first eight bytes, read little-endian.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int NumberOf(ulong frame)
    {
        MacSlot* slot = SlotOf(frame);
        return slot->Key == frame << 16 ? slot->Number : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private MacSlot* SlotOf(ulong frame) => slots + ((frame << 16) * multiplier >> shift);
}

/// <summary>Links by destination MAC and VLAN.</summary>
internal readonly unsafe struct LinkByMacAndVlan(LinkByMac macs, ushort* vlanNumbers, short* links, int vlanCount) : ILinkFinder
{
    // Invariant: numbers of VLANs are below vlanCount, numbers of MACs below the matrix's rows; ids have 12 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(byte* frame, int tagged, ushort strippedTci)
    {
        int vlan = FrameDecoder.VlanId(strippedTci);
        if (vlan == 0 && tagged != 0)
        {
            vlan = FrameDecoder.VlanId(BinaryPrimitives.ReverseEndianness(*(ushort*)(frame + 14)));
        }

        return links[(macs.NumberOf(*(ulong*)frame) * vlanCount) + vlanNumbers[vlan]];
    }
}
