using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>Reads single attributes out of a block (<see cref="AttributeBlock"/>) without making an object of it.</summary>
internal readonly ref struct AttributeView
{
    private readonly ReadOnlySpan<byte> _block;

    /// <summary>A view of a whole block, next hop included.</summary>
    public AttributeView(ReadOnlySpan<byte> block) => _block = block;

    /// <summary>ORIGIN.</summary>
    public Origin Origin => (Origin)(_block[1] & 3);

    /// <summary>ATOMIC_AGGREGATE is there.</summary>
    public bool AtomicAggregate => Has(BlockFlags.AtomicAggregate);

    /// <summary>MULTI_EXIT_DISC, or null.</summary>
    public uint? Med => Number(BlockFlags.Med);

    /// <summary>LOCAL_PREF, or null.</summary>
    public uint? LocalPref => Number(BlockFlags.LocalPref);

    /// <summary>ORIGINATOR_ID, or null.</summary>
    public uint? OriginatorId => Number(BlockFlags.OriginatorId);

    /// <summary>AGGREGATOR, or null.</summary>
    public Aggregator? Aggregator
    {
        get
        {
            if (!Has(BlockFlags.Aggregator))
            {
                return null;
            }

            int at = PathStart - 8;
            return new(Read(at), IpAddr.FromIPv4(Read(at + 4)));
        }
    }

    /// <summary>Length of the AS_PATH as the decision process counts it.</summary>
    public int AsPathLength => MemoryMarshal.Read<ushort>(_block[4..]);

    /// <summary>AS_PATH with 4-octet numbers.</summary>
    public ReadOnlySpan<byte> AsPath => _block.Slice(PathStart, MemoryMarshal.Read<ushort>(_block[2..]));

    /// <summary>The next hop; a default value if there is none.</summary>
    public NextHop NextHop
    {
        get
        {
            if (Has(BlockFlags.NextHopIPv4))
            {
                return new(IpAddr.FromBytes(_block[^4..]));
            }

            if (!Has(BlockFlags.NextHopIPv6))
            {
                return default;
            }

            return Has(BlockFlags.NextHopLinkLocal)
                ? new(IpAddr.FromBytes(_block[^32..^16]), IpAddr.FromBytes(_block[^16..]))
                : new(IpAddr.FromBytes(_block[^16..]));
        }
    }

    private int PathStart
    {
        get
        {
            int at = AttributeBlock.HeaderLength;
            at += Has(BlockFlags.Med) ? 4 : 0;
            at += Has(BlockFlags.LocalPref) ? 4 : 0;
            at += Has(BlockFlags.OriginatorId) ? 4 : 0;
            return at + (Has(BlockFlags.Aggregator) ? 8 : 0);
        }
    }

    /// <summary>The octets of a list; empty if it is not there.</summary>
    public ReadOnlySpan<byte> List(BlockLists wanted)
    {
        var lists = (BlockLists)_block[1];
        if ((lists & wanted) == 0)
        {
            return default;
        }

        int at = PathStart + MemoryMarshal.Read<ushort>(_block[2..]);
        for (BlockLists list = BlockLists.Communities; list != wanted; list = (BlockLists)((int)list << 1))
        {
            at += (lists & list) != 0 ? 2 + MemoryMarshal.Read<ushort>(_block[at..]) : 0;
        }

        return _block.Slice(at + 2, MemoryMarshal.Read<ushort>(_block[at..]));
    }

    /// <summary>True if the community is among COMMUNITIES.</summary>
    public bool HasCommunity(uint community)
    {
        ReadOnlySpan<byte> list = List(BlockLists.Communities);
        for (int i = 0; i < list.Length; i += 4)
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(list[i..]) == community)
            {
                return true;
            }
        }

        return false;
    }

    private bool Has(BlockFlags flag) => ((BlockFlags)_block[0] & flag) != 0;

    private uint? Number(BlockFlags wanted)
    {
        if (!Has(wanted))
        {
            return null;
        }

        int at = AttributeBlock.HeaderLength;
        for (BlockFlags flag = BlockFlags.Med; flag != wanted; flag = (BlockFlags)((int)flag << 1))
        {
            at += Has(flag) ? 4 : 0;
        }

        return Read(at);
    }

    private uint Read(int at) => MemoryMarshal.Read<uint>(_block[at..]);
}
