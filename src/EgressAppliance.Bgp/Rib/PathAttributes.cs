using System.Collections.Immutable;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>
/// An immutable set of path attributes with value equality, as it is given to and taken from the library. The table itself holds sets as octets
/// (<see cref="AttributeStore"/>). Lists are in the order of the wire, because a re-announced route must look like the learned one.
/// </summary>
public sealed class PathAttributes : IEquatable<PathAttributes>
{
    private int _hash;

    /// <summary>ORIGIN.</summary>
    public Origin Origin { get; init; }

    /// <summary>ATOMIC_AGGREGATE is there.</summary>
    public bool AtomicAggregate { get; init; }

    /// <summary>The next hop, from NEXT_HOP or MP_REACH_NLRI.</summary>
    public NextHop NextHop { get; init; }

    /// <summary>MULTI_EXIT_DISC, or null.</summary>
    public uint? Med { get; init; }

    /// <summary>LOCAL_PREF, or null.</summary>
    public uint? LocalPref { get; init; }

    /// <summary>AS_PATH.</summary>
    public AsPath AsPath { get; init; } = AsPath.Empty;

    /// <summary>AGGREGATOR, or null.</summary>
    public Aggregator? Aggregator { get; init; }

    /// <summary>COMMUNITIES (RFC 1997).</summary>
    public ImmutableArray<uint> Communities { get; init; } = [];

    /// <summary>EXTENDED COMMUNITIES (RFC 4360), 8 octets each.</summary>
    public ImmutableArray<ulong> ExtendedCommunities { get; init; } = [];

    /// <summary>LARGE_COMMUNITY (RFC 8092).</summary>
    public ImmutableArray<LargeCommunity> LargeCommunities { get; init; } = [];

    /// <summary>ORIGINATOR_ID (RFC 4456), host order, or null.</summary>
    public uint? OriginatorId { get; init; }

    /// <summary>CLUSTER_LIST (RFC 4456).</summary>
    public ImmutableArray<uint> ClusterList { get; init; } = [];

    /// <summary>Transitive attributes this project does not interpret, kept to be passed on.</summary>
    public ImmutableArray<RawAttribute> Unknown { get; init; } = [];

    /// <summary>True if the community is among them.</summary>
    public bool HasCommunity(uint community) => Communities.AsSpan().Contains(community);

    /// <summary>A copy with another next hop.</summary>
    public PathAttributes WithNextHop(NextHop nextHop) => new()
    {
        Origin = Origin,
        AtomicAggregate = AtomicAggregate,
        NextHop = nextHop,
        Med = Med,
        LocalPref = LocalPref,
        AsPath = AsPath,
        Aggregator = Aggregator,
        Communities = Communities,
        ExtendedCommunities = ExtendedCommunities,
        LargeCommunities = LargeCommunities,
        OriginatorId = OriginatorId,
        ClusterList = ClusterList,
        Unknown = Unknown,
    };

    /// <inheritdoc/>
    public bool Equals(PathAttributes? other) =>
        other is not null
        && (ReferenceEquals(this, other)
            || (GetHashCode() == other.GetHashCode()
                && Origin == other.Origin && AtomicAggregate == other.AtomicAggregate && NextHop == other.NextHop && Med == other.Med
                && LocalPref == other.LocalPref && OriginatorId == other.OriginatorId && AsPath.Equals(other.AsPath) && Aggregator == other.Aggregator
                && Communities.AsSpan().SequenceEqual(other.Communities.AsSpan())
                && ExtendedCommunities.AsSpan().SequenceEqual(other.ExtendedCommunities.AsSpan())
                && LargeCommunities.AsSpan().SequenceEqual(other.LargeCommunities.AsSpan())
                && ClusterList.AsSpan().SequenceEqual(other.ClusterList.AsSpan())
                && Unknown.AsSpan().SequenceEqual(other.Unknown.AsSpan())));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PathAttributes);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        // Racing threads compute the same value; 0 only means "compute again".
        if (_hash == 0)
        {
            var hash = new HashCode();
            hash.Add(Origin);
            hash.Add(NextHop.Address);
            hash.Add(Med);
            hash.Add(LocalPref);
            hash.Add(AsPath);
            hash.Add(OriginatorId);
            foreach (uint community in Communities)
            {
                hash.Add(community);
            }

            foreach (ulong community in ExtendedCommunities)
            {
                hash.Add(community);
            }

            foreach (LargeCommunity community in LargeCommunities)
            {
                hash.Add(community);
            }

            _hash = hash.ToHashCode();
        }

        return _hash;
    }
}

/// <summary>AGGREGATOR (RFC 4271 section 5.1.7).</summary>
/// <param name="As">The aggregating AS.</param>
/// <param name="Address">The aggregating router, IPv4.</param>
public sealed record Aggregator(uint As, IpAddr Address);

/// <summary>A large community (RFC 8092).</summary>
/// <param name="GlobalAdministrator">An AS.</param>
/// <param name="Local1">First local part.</param>
/// <param name="Local2">Second local part.</param>
public readonly record struct LargeCommunity(uint GlobalAdministrator, uint Local1, uint Local2)
{
    /// <summary><c>64496:1:2</c>.</summary>
    public override string ToString() => $"{GlobalAdministrator}:{Local1}:{Local2}";
}

/// <summary>An attribute as it stood in the message.</summary>
/// <param name="Flags">Flags, the Partial bit set as RFC 4271 section 5 asks of a router that passes the attribute on.</param>
/// <param name="Type">Type code.</param>
/// <param name="Value">Value.</param>
public sealed record RawAttribute(byte Flags, byte Type, ImmutableArray<byte> Value)
{
    /// <inheritdoc/>
    public bool Equals(RawAttribute? other) =>
        other is not null && Flags == other.Flags && Type == other.Type && Value.AsSpan().SequenceEqual(other.Value.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Value.Length);
}
