using System.Text;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Checks;

/// <summary>What holds for every route and attribute set, whichever message it came from; and hashes and texts of them.</summary>
public static class RouteChecks
{
    /// <summary>No host bits, no length beyond the family's, no path identifier where none is negotiated.</summary>
    public static void Sound(List<Nlri> list, IpFamily family, in BgpCodecOptions options, string field)
    {
        ArgumentNullException.ThrowIfNull(list);
        foreach (Nlri nlri in list)
        {
            Sound(nlri.Prefix, family, field);
            Check.That(options.AddPath(family) || nlri.PathId == 0, $"{field}: {nlri} has a path identifier and none is negotiated");
        }
    }

    /// <summary>No host bits, no length beyond the family's.</summary>
    public static void Sound(IpPrefix prefix, IpFamily family, string field)
    {
        Check.That(prefix.Family == family, $"{field}: {prefix} is not {family}");
        Check.That(prefix.Length <= prefix.Address.BitLength, $"{field}: length {prefix.Length} for {prefix.Address}");
        Check.That(IpPrefix.Mask(prefix.Address, prefix.Length) == prefix.Address, $"{field}: {prefix} has host bits");
    }

    /// <summary>An attribute set that was decoded.</summary>
    public static void Sound(PathAttributes attributes, bool external)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        AsPathChecks.Consistent(attributes.AsPath);
        Check.That(attributes.Aggregator is not { As: 0 }, $"AGGREGATOR of AS 0");
        Check.That(attributes.Aggregator is null || attributes.Aggregator.Address.Family == IpFamily.IPv4, $"AGGREGATOR {attributes.Aggregator} is not IPv4");
        Check.That(
            !external || (attributes.LocalPref is null && attributes.OriginatorId is null && attributes.ClusterList.IsEmpty),
            $"LOCAL_PREF, ORIGINATOR_ID or CLUSTER_LIST from an external peer");
        Check.That(
            !attributes.Communities.IsDefault && !attributes.ExtendedCommunities.IsDefault && !attributes.LargeCommunities.IsDefault
                && !attributes.ClusterList.IsDefault && !attributes.Unknown.IsDefault,
            $"a list is a default value");
        var types = new HashSet<byte>();
        foreach (RawAttribute raw in attributes.Unknown)
        {
            Check.That((raw.Flags & 0xE0) == 0xE0, $"attribute {raw.Type} was kept with flags {raw.Flags}");
            Check.That(types.Add(raw.Type), $"attribute {raw.Type} was kept twice");
        }

        PathAttributes copy = attributes.WithNextHop(attributes.NextHop);
        Check.That(copy.Equals(attributes) && copy.GetHashCode() == attributes.GetHashCode(), $"a copy of the attributes is not equal: {Describe(attributes)}");
    }

    /// <summary>Hash over prefixes with their path identifiers.</summary>
    public static void Add(ref Digest digest, List<Nlri> list)
    {
        ArgumentNullException.ThrowIfNull(list);
        digest.Add(list.Count);
        foreach (Nlri nlri in list)
        {
            Add(ref digest, nlri.Prefix);
            digest.Add((ulong)nlri.PathId);
        }
    }

    /// <summary>Hash over a prefix.</summary>
    public static void Add(ref Digest digest, IpPrefix prefix)
    {
        Add(ref digest, prefix.Address);
        digest.Add((ulong)prefix.Length);
    }

    /// <summary>Hash over an address.</summary>
    public static void Add(ref Digest digest, IpAddr address)
    {
        digest.Add((ulong)address.Family);
        digest.Add(address.High);
        digest.Add(address.Low);
    }

    /// <summary>Hash over an attribute set.</summary>
    public static void Add(ref Digest digest, PathAttributes? attributes)
    {
        if (attributes is null)
        {
            digest.Add(0L);
            return;
        }

        digest.Add((ulong)attributes.Origin);
        digest.Add(attributes.AtomicAggregate);
        Add(ref digest, attributes.NextHop.Address);
        Add(ref digest, attributes.NextHop.LinkLocal);
        digest.Add(attributes.Med ?? -1L);
        digest.Add(attributes.LocalPref ?? -1L);
        digest.Add(attributes.AsPath.Wire);
        digest.Add(attributes.Aggregator?.As ?? -1L);
        Add(ref digest, attributes.Aggregator?.Address ?? default);
        digest.Add(attributes.OriginatorId ?? -1L);
        foreach (uint item in attributes.Communities)
        {
            digest.Add((ulong)item);
        }

        digest.Add(attributes.ExtendedCommunities.Length);
        foreach (ulong item in attributes.ExtendedCommunities)
        {
            digest.Add(item);
        }

        digest.Add(attributes.LargeCommunities.Length);
        foreach (LargeCommunity item in attributes.LargeCommunities)
        {
            digest.Add(((ulong)item.GlobalAdministrator << 32) | item.Local1);
            digest.Add((ulong)item.Local2);
        }

        digest.Add(attributes.ClusterList.Length);
        foreach (uint item in attributes.ClusterList)
        {
            digest.Add((ulong)item);
        }

        digest.Add(attributes.Unknown.Length);
        foreach (RawAttribute item in attributes.Unknown)
        {
            digest.Add(((ulong)item.Flags << 8) | item.Type);
            digest.Add(item.Value.AsSpan());
        }
    }

    /// <summary>An attribute set in words, for findings.</summary>
    public static string Describe(PathAttributes? attributes)
    {
        if (attributes is null)
        {
            return "no attributes";
        }

        var text = new StringBuilder();
        text.Append(attributes.Origin).Append(" path ").Append(string.Join(' ', attributes.AsPath.Segments.Select(s => $"{s.Type}({string.Join(',', s.Numbers)})")))
            .Append(" via ").Append(attributes.NextHop).Append(" med ").Append(attributes.Med).Append(" pref ").Append(attributes.LocalPref)
            .Append(attributes.AtomicAggregate ? " atomic" : "").Append(" aggregator ").Append(attributes.Aggregator)
            .Append(" communities ").AppendJoin(',', attributes.Communities).Append(" extended ").AppendJoin(',', attributes.ExtendedCommunities)
            .Append(" large ").AppendJoin(',', attributes.LargeCommunities).Append(" originator ").Append(attributes.OriginatorId)
            .Append(" clusters ").AppendJoin(',', attributes.ClusterList)
            .Append(" others ").AppendJoin(',', attributes.Unknown.Select(u => $"{u.Flags:x2}:{u.Type}:{Convert.ToHexStringLower(u.Value.AsSpan())}"));
        return text.ToString();
    }
}
