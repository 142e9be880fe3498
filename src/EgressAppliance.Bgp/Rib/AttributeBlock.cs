using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

// An attribute set as octets. One order for everything, so that equal sets are equal octets, and lists as they stood on the wire:
//
//   flags (1)   which of the parts below are there, and the kind of next hop
//   more (1)    ORIGIN in the lower two bits, then which lists are there
//   path (2)    octets of AS_PATH
//   length (2)  length of AS_PATH as the decision process counts it
//   MED, LOCAL_PREF, ORIGINATOR_ID (4 each), AGGREGATOR (4 + 4), where they are there
//   AS_PATH     with 4-octet numbers
//   COMMUNITIES, EXTENDED COMMUNITIES, LARGE_COMMUNITY, CLUSTER_LIST, unknown attributes: 2 octets of length and the list, where they are there
//   next hop    none, 4, 16 or 32 octets
//
// The next hop stands last because one message may give the same attributes two of them (NEXT_HOP and MP_REACH_NLRI).
// Numbers are in host order except within AS_PATH and lists, which are copied from the wire.

/// <summary>What of an attribute set is there, and the kind of its next hop.</summary>
[Flags]
internal enum BlockFlags : byte
{
    None = 0,
    Med = 1,
    LocalPref = 1 << 1,
    OriginatorId = 1 << 2,
    AtomicAggregate = 1 << 3,
    Aggregator = 1 << 4,
    NextHopIPv4 = 1 << 5,
    NextHopIPv6 = 1 << 6,
    NextHopLinkLocal = 1 << 7,
}

/// <summary>Which lists are there; the lower two bits are ORIGIN.</summary>
[Flags]
internal enum BlockLists : byte
{
    None = 0,
    Communities = 1 << 2,
    ExtendedCommunities = 1 << 3,
    LargeCommunities = 1 << 4,
    ClusterList = 1 << 5,
    Unknown = 1 << 6,
}

/// <summary>The parts of an attribute set while they are still where they were read.</summary>
internal ref struct BlockParts
{
    public Origin Origin;
    public bool AtomicAggregate;
    public uint? Med;
    public uint? LocalPref;
    public uint? OriginatorId;
    public bool HasAggregator;
    public uint AggregatorAs;
    public uint AggregatorAddress;
    public ReadOnlySpan<byte> AsPath;
    public ReadOnlySpan<byte> Communities;
    public ReadOnlySpan<byte> ExtendedCommunities;
    public ReadOnlySpan<byte> LargeCommunities;
    public ReadOnlySpan<byte> ClusterList;
    public ReadOnlySpan<byte> Unknown;
}

/// <summary>Writes and reads attribute sets as octets; see the comment at the head of the file for the form.</summary>
internal static class AttributeBlock
{
    /// <summary>Octets before the optional parts.</summary>
    public const int HeaderLength = 6;

    /// <summary>Octets of the longest next hop.</summary>
    public const int MaxNextHop = 32;

    private const int MaxFixed = HeaderLength + (3 * 4) + 8 + (5 * 2);

    /// <summary>Room that these parts need at most, next hop included.</summary>
    public static int Bound(in BlockParts parts) =>
        MaxFixed + parts.AsPath.Length + parts.Communities.Length + parts.ExtendedCommunities.Length + parts.LargeCommunities.Length
        + parts.ClusterList.Length + parts.Unknown.Length + MaxNextHop;

    /// <summary>Writes the parts without a next hop and returns their length. No part is longer than 65535 octets; the room is at least <see cref="Bound"/>.</summary>
    public static int Write(in BlockParts parts, Span<byte> room)
    {
        BlockFlags flags = (parts.Med is null ? 0 : BlockFlags.Med) | (parts.LocalPref is null ? 0 : BlockFlags.LocalPref)
            | (parts.OriginatorId is null ? 0 : BlockFlags.OriginatorId) | (parts.AtomicAggregate ? BlockFlags.AtomicAggregate : 0)
            | (parts.HasAggregator ? BlockFlags.Aggregator : 0);
        var lists = (BlockLists)parts.Origin;
        int at = HeaderLength;
        at = WriteNumber(room, at, parts.Med);
        at = WriteNumber(room, at, parts.LocalPref);
        at = WriteNumber(room, at, parts.OriginatorId);
        if (parts.HasAggregator)
        {
            at = WriteNumber(room, at, parts.AggregatorAs);
            at = WriteNumber(room, at, parts.AggregatorAddress);
        }

        parts.AsPath.CopyTo(room[at..]);
        at += parts.AsPath.Length;
        at = WriteList(room, at, parts.Communities, BlockLists.Communities, ref lists);
        at = WriteList(room, at, parts.ExtendedCommunities, BlockLists.ExtendedCommunities, ref lists);
        at = WriteList(room, at, parts.LargeCommunities, BlockLists.LargeCommunities, ref lists);
        at = WriteList(room, at, parts.ClusterList, BlockLists.ClusterList, ref lists);
        at = WriteList(room, at, parts.Unknown, BlockLists.Unknown, ref lists);
        room[0] = (byte)flags;
        room[1] = (byte)lists;
        MemoryMarshal.Write(room[2..], checked((ushort)parts.AsPath.Length));
        MemoryMarshal.Write(room[4..], (ushort)AsPathWire.DecisionLength(parts.AsPath));
        return at;
    }

    /// <summary>
    /// Puts a next hop behind a block of <paramref name="length"/> octets written without one and returns the length with it. The same block may be
    /// given another next hop afterwards.
    /// </summary>
    public static int SetNextHop(Span<byte> room, int length, NextHop nextHop)
    {
        const BlockFlags Kinds = BlockFlags.NextHopIPv4 | BlockFlags.NextHopIPv6 | BlockFlags.NextHopLinkLocal;
        var flags = (BlockFlags)room[0] & ~Kinds;
        if (!nextHop.Address.IsDefault)
        {
            flags |= nextHop.Address.Family == IpFamily.IPv4 ? BlockFlags.NextHopIPv4 : BlockFlags.NextHopIPv6;
            length += nextHop.Address.WriteBytes(room[length..]);
            if (!nextHop.LinkLocal.IsDefault)
            {
                flags |= BlockFlags.NextHopLinkLocal;
                length += nextHop.LinkLocal.WriteBytes(room[length..]);
            }
        }

        room[0] = (byte)flags;
        return length;
    }

    /// <summary>The block of a set given as an object, next hop included.</summary>
    public static byte[] From(PathAttributes attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        var parts = new BlockParts
        {
            Origin = attributes.Origin,
            AtomicAggregate = attributes.AtomicAggregate,
            Med = attributes.Med,
            LocalPref = attributes.LocalPref,
            OriginatorId = attributes.OriginatorId,
            HasAggregator = attributes.Aggregator is not null,
            AggregatorAs = attributes.Aggregator?.As ?? 0,
            AggregatorAddress = attributes.Aggregator?.Address.IPv4Value ?? 0,
            AsPath = attributes.AsPath.Wire,
            Communities = Octets(attributes.Communities),
            ExtendedCommunities = Octets(attributes.ExtendedCommunities),
            LargeCommunities = Octets(attributes.LargeCommunities),
            ClusterList = Octets(attributes.ClusterList),
            Unknown = Octets(attributes.Unknown),
        };
        byte[] room = new byte[Bound(parts)];
        int length = SetNextHop(room, Write(parts, room), attributes.NextHop);
        return room[..length];
    }

    /// <summary>The set of a block as an object.</summary>
    public static PathAttributes ToAttributes(ReadOnlySpan<byte> block)
    {
        var view = new AttributeView(block);
        return new PathAttributes
        {
            Origin = view.Origin,
            AtomicAggregate = view.AtomicAggregate,
            NextHop = view.NextHop,
            Med = view.Med,
            LocalPref = view.LocalPref,
            AsPath = AsPath.FromWire(view.AsPath),
            Aggregator = view.Aggregator,
            Communities = Numbers(view.List(BlockLists.Communities)),
            ExtendedCommunities = WideNumbers(view.List(BlockLists.ExtendedCommunities)),
            LargeCommunities = LargeNumbers(view.List(BlockLists.LargeCommunities)),
            OriginatorId = view.OriginatorId,
            ClusterList = Numbers(view.List(BlockLists.ClusterList)),
            Unknown = RawAttributes(view.List(BlockLists.Unknown)),
        };
    }

    /// <summary>Octets of one unknown attribute in the block's list: flags, type, 2 octets of length, value.</summary>
    public static int UnknownLength(int valueLength) => 4 + valueLength;

    /// <summary>Writes one unknown attribute into the block's list.</summary>
    public static int WriteUnknown(Span<byte> room, byte flags, byte type, ReadOnlySpan<byte> value)
    {
        room[0] = flags;
        room[1] = type;
        BinaryPrimitives.WriteUInt16BigEndian(room[2..], (ushort)value.Length);
        value.CopyTo(room[4..]);
        return UnknownLength(value.Length);
    }

    private static int WriteNumber(Span<byte> room, int at, uint? number)
    {
        if (number is not { } value)
        {
            return at;
        }

        MemoryMarshal.Write(room[at..], value);
        return at + sizeof(uint);
    }

    private static int WriteList(Span<byte> room, int at, ReadOnlySpan<byte> list, BlockLists which, ref BlockLists lists)
    {
        if (list.IsEmpty)
        {
            return at;
        }

        lists |= which;
        MemoryMarshal.Write(room[at..], checked((ushort)list.Length));
        list.CopyTo(room[(at + 2)..]);
        return at + 2 + list.Length;
    }

    private static byte[] Octets(ImmutableArray<uint> numbers)
    {
        byte[] octets = new byte[numbers.Length * 4];
        for (int i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(i * 4), numbers[i]);
        }

        return octets;
    }

    private static byte[] Octets(ImmutableArray<ulong> numbers)
    {
        byte[] octets = new byte[numbers.Length * 8];
        for (int i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(octets.AsSpan(i * 8), numbers[i]);
        }

        return octets;
    }

    private static byte[] Octets(ImmutableArray<LargeCommunity> communities)
    {
        byte[] octets = new byte[communities.Length * 12];
        for (int i = 0; i < communities.Length; i++)
        {
            Span<byte> at = octets.AsSpan(i * 12);
            BinaryPrimitives.WriteUInt32BigEndian(at, communities[i].GlobalAdministrator);
            BinaryPrimitives.WriteUInt32BigEndian(at[4..], communities[i].Local1);
            BinaryPrimitives.WriteUInt32BigEndian(at[8..], communities[i].Local2);
        }

        return octets;
    }

    private static byte[] Octets(ImmutableArray<RawAttribute> attributes)
    {
        int length = 0;
        foreach (RawAttribute raw in attributes)
        {
            length += UnknownLength(raw.Value.Length);
        }

        byte[] octets = new byte[length];
        int at = 0;
        foreach (RawAttribute raw in attributes)
        {
            at += WriteUnknown(octets.AsSpan(at), raw.Flags, raw.Type, raw.Value.AsSpan());
        }

        return octets;
    }

    private static ImmutableArray<uint> Numbers(ReadOnlySpan<byte> octets)
    {
        uint[] numbers = new uint[octets.Length / 4];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = BinaryPrimitives.ReadUInt32BigEndian(octets[(i * 4)..]);
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(numbers);
    }

    private static ImmutableArray<ulong> WideNumbers(ReadOnlySpan<byte> octets)
    {
        ulong[] numbers = new ulong[octets.Length / 8];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = BinaryPrimitives.ReadUInt64BigEndian(octets[(i * 8)..]);
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(numbers);
    }

    private static ImmutableArray<LargeCommunity> LargeNumbers(ReadOnlySpan<byte> octets)
    {
        LargeCommunity[] communities = new LargeCommunity[octets.Length / 12];
        for (int i = 0; i < communities.Length; i++)
        {
            ReadOnlySpan<byte> at = octets[(i * 12)..];
            communities[i] = new(
                BinaryPrimitives.ReadUInt32BigEndian(at), BinaryPrimitives.ReadUInt32BigEndian(at[4..]), BinaryPrimitives.ReadUInt32BigEndian(at[8..]));
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(communities);
    }

    private static ImmutableArray<RawAttribute> RawAttributes(ReadOnlySpan<byte> octets)
    {
        if (octets.IsEmpty)
        {
            return [];
        }

        ImmutableArray<RawAttribute>.Builder list = ImmutableArray.CreateBuilder<RawAttribute>();
        while (!octets.IsEmpty)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(octets[2..]);
            list.Add(new RawAttribute(octets[0], octets[1], ImmutableArray.Create(octets.Slice(4, length))));
            octets = octets[UnknownLength(length)..];
        }

        return list.ToImmutable();
    }
}
