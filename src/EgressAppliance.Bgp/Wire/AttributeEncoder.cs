using System.Collections.Immutable;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>Writes path attributes in ascending order of type, as RFC 4271 section 5 recommends, MP_REACH_NLRI excepted (RFC 7606 section 5.1: first).</summary>
internal static class AttributeEncoder
{
    /// <summary>Writes everything but MP_REACH_NLRI and MP_UNREACH_NLRI. NEXT_HOP is written if <paramref name="withNextHop"/>.</summary>
    public static void Encode(ref BgpWriter writer, PathAttributes attributes, in BgpCodecOptions options, bool withNextHop)
    {
        WriteHeader(ref writer, AttributeFlags.Transitive, AttributeType.Origin, 1);
        writer.WriteByte((byte)attributes.Origin);
        EncodeAsPath(ref writer, attributes.AsPath, options);
        if (withNextHop)
        {
            WriteHeader(ref writer, AttributeFlags.Transitive, AttributeType.NextHop, 4);
            writer.WriteAddress(attributes.NextHop.Address);
        }

        WriteUInt32(ref writer, AttributeFlags.Optional, AttributeType.Med, attributes.Med);
        WriteUInt32(ref writer, AttributeFlags.Transitive, AttributeType.LocalPref, options.External ? null : attributes.LocalPref);
        if (attributes.AtomicAggregate)
        {
            WriteHeader(ref writer, AttributeFlags.Transitive, AttributeType.AtomicAggregate, 0);
        }

        EncodeAggregator(ref writer, attributes.Aggregator, options);
        WriteUInt32List(ref writer, AttributeFlags.Optional | AttributeFlags.Transitive, AttributeType.Communities, attributes.Communities);
        if (!options.External)
        {
            WriteUInt32(ref writer, AttributeFlags.Optional, AttributeType.OriginatorId, attributes.OriginatorId);
            WriteUInt32List(ref writer, AttributeFlags.Optional, AttributeType.ClusterList, attributes.ClusterList);
        }

        EncodeExtendedCommunities(ref writer, attributes.ExtendedCommunities);
        EncodeLargeCommunities(ref writer, attributes.LargeCommunities);
        foreach (RawAttribute raw in attributes.Unknown)
        {
            WriteHeader(ref writer, (AttributeFlags)raw.Flags, (AttributeType)raw.Type, raw.Value.Length);
            writer.WriteBytes(raw.Value.AsSpan());
        }
    }

    /// <summary>Writes flags, type and length; the length takes two octets where it must.</summary>
    public static void WriteHeader(ref BgpWriter writer, AttributeFlags flags, AttributeType type, int length)
    {
        flags &= ~AttributeFlags.ExtendedLength;
        if (length > byte.MaxValue)
        {
            writer.WriteByte((byte)(flags | AttributeFlags.ExtendedLength));
            writer.WriteByte((byte)type);
            writer.WriteUInt16(checked((ushort)length));
        }
        else
        {
            writer.WriteByte((byte)flags);
            writer.WriteByte((byte)type);
            writer.WriteByte((byte)length);
        }
    }

    private static void EncodeAsPath(ref BgpWriter writer, AsPath path, in BgpCodecOptions options)
    {
        if (options.FourOctetAs)
        {
            WriteHeader(ref writer, AttributeFlags.Transitive, AttributeType.AsPath, path.Wire.Length);
            writer.WriteBytes(path.Wire);
            return;
        }

        int length = 0;
        bool wide = false;
        IReadOnlyList<AsSegment> segments = path.Segments;
        foreach (AsSegment segment in segments)
        {
            length += 2 + (segment.Numbers.Count * 2);
            foreach (uint number in segment.Numbers)
            {
                wide |= number > ushort.MaxValue;
            }
        }

        WriteHeader(ref writer, AttributeFlags.Transitive, AttributeType.AsPath, length);
        foreach (AsSegment segment in segments)
        {
            writer.WriteByte((byte)segment.Type);
            writer.WriteByte((byte)segment.Numbers.Count);
            foreach (uint number in segment.Numbers)
            {
                writer.WriteUInt16(number > ushort.MaxValue ? BgpConstants.AsTrans : (ushort)number);
            }
        }

        // RFC 6793 section 4.2.2: the true path rides along, without confederation segments, when AS_TRANS stands in for some of it.
        if (wide)
        {
            var plain = AsPath.FromSegments(segments.Where(s => s.Type is AsSegmentType.Sequence or AsSegmentType.Set));
            WriteHeader(ref writer, AttributeFlags.Optional | AttributeFlags.Transitive, AttributeType.As4Path, plain.Wire.Length);
            writer.WriteBytes(plain.Wire);
        }
    }

    private static void EncodeAggregator(ref BgpWriter writer, Aggregator? aggregator, in BgpCodecOptions options)
    {
        if (aggregator is null)
        {
            return;
        }

        const AttributeFlags Flags = AttributeFlags.Optional | AttributeFlags.Transitive;
        bool wide = aggregator.As > ushort.MaxValue;
        WriteHeader(ref writer, Flags, AttributeType.Aggregator, options.FourOctetAs ? 8 : 6);
        if (options.FourOctetAs)
        {
            writer.WriteUInt32(aggregator.As);
        }
        else
        {
            writer.WriteUInt16(wide ? BgpConstants.AsTrans : (ushort)aggregator.As);
        }

        writer.WriteAddress(aggregator.Address);
        if (wide && !options.FourOctetAs)
        {
            WriteHeader(ref writer, Flags, AttributeType.As4Aggregator, 8);
            writer.WriteUInt32(aggregator.As);
            writer.WriteAddress(aggregator.Address);
        }
    }

    private static void EncodeExtendedCommunities(ref BgpWriter writer, ImmutableArray<ulong> communities)
    {
        if (communities.IsEmpty)
        {
            return;
        }

        WriteHeader(ref writer, AttributeFlags.Optional | AttributeFlags.Transitive, AttributeType.ExtendedCommunities, communities.Length * 8);
        foreach (ulong community in communities)
        {
            writer.WriteUInt64(community);
        }
    }

    private static void EncodeLargeCommunities(ref BgpWriter writer, ImmutableArray<LargeCommunity> communities)
    {
        if (communities.IsEmpty)
        {
            return;
        }

        WriteHeader(ref writer, AttributeFlags.Optional | AttributeFlags.Transitive, AttributeType.LargeCommunities, communities.Length * 12);
        foreach (LargeCommunity community in communities)
        {
            writer.WriteUInt32(community.GlobalAdministrator);
            writer.WriteUInt32(community.Local1);
            writer.WriteUInt32(community.Local2);
        }
    }

    private static void WriteUInt32(ref BgpWriter writer, AttributeFlags flags, AttributeType type, uint? value)
    {
        if (value is { } number)
        {
            WriteHeader(ref writer, flags, type, 4);
            writer.WriteUInt32(number);
        }
    }

    private static void WriteUInt32List(ref BgpWriter writer, AttributeFlags flags, AttributeType type, ImmutableArray<uint> values)
    {
        if (values.IsEmpty)
        {
            return;
        }

        WriteHeader(ref writer, flags, type, values.Length * 4);
        foreach (uint value in values)
        {
            writer.WriteUInt32(value);
        }
    }
}
