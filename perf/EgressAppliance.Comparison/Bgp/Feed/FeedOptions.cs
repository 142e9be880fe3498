using System.Globalization;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Comparison.Bgp.Feed;

/// <summary>What a router's table is to look like on the wire. Equal options give equal octets.</summary>
internal sealed record FeedOptions
{
    /// <summary>Changes whenever the octets made from the same options change, so that no stale file is used.</summary>
    private const int Format = 1;

    /// <summary>AS of the router that sends, the first of every AS_PATH it sends to another AS.</summary>
    public const uint ExternalAs = 64501;

    /// <summary>AS of the receiver; also of the sender, if it is an internal peer.</summary>
    public const uint ReceiverAs = 65000;

    /// <summary>Prefixes of both families; 0: the whole table.</summary>
    public int Prefixes { get; init; }

    /// <summary>Paths of each prefix. With more than one, path identifiers 1, 2, … are sent (RFC 7911).</summary>
    public int Paths { get; init; } = 1;

    /// <summary>To an iBGP peer: with LOCAL_PREF, and without the sender's AS.</summary>
    public bool Internal { get; init; }

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>NLRI carry path identifiers.</summary>
    public bool AddPath => Paths > 1;

    /// <summary>AS of the sender.</summary>
    public uint SenderAs => Internal ? ReceiverAs : ExternalAs;

    /// <summary>How messages are written.</summary>
    public BgpCodecOptions Codec => new() { FourOctetAs = true, External = !Internal, AddPathIPv4 = AddPath, AddPathIPv6 = AddPath };

    /// <summary>A name for the file made from these options.</summary>
    public string FileName(bool real) => string.Create(
        CultureInfo.InvariantCulture,
        $"bgp-{Format}-{(real ? "real" : "made")}-{(Prefixes == 0 ? "all" : Prefixes)}-{Paths}x-{(Internal ? "ibgp" : "ebgp")}-{Seed}");
}

/// <summary>A file of whole BGP messages: UPDATEs that announce a table, End-of-RIB not included.</summary>
/// <param name="Path">The file.</param>
/// <param name="Octets">Its length.</param>
/// <param name="Updates">UPDATE messages.</param>
/// <param name="PrefixesIPv4">IPv4 prefixes.</param>
/// <param name="PrefixesIPv6">IPv6 prefixes.</param>
/// <param name="Paths">Paths of each prefix.</param>
/// <param name="AttributeSets">Different sets of attributes, next hops included.</param>
/// <param name="AsPaths">Different AS_PATHs.</param>
/// <param name="IsReal">The prefixes are those of a real table.</param>
internal sealed record FeedFile(
    string Path, long Octets, int Updates, int PrefixesIPv4, int PrefixesIPv6, int Paths, int AttributeSets, int AsPaths, bool IsReal)
{
    /// <summary>Prefixes of both families.</summary>
    public int Prefixes => PrefixesIPv4 + PrefixesIPv6;

    /// <summary>Routes: paths of all prefixes.</summary>
    public int Routes => Prefixes * Paths;

    /// <summary>In words.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{PrefixesIPv4} IPv4 and {PrefixesIPv6} IPv6 prefixes ({(IsReal ? "a real table" : "generated")}) with {Paths} path(s) each, in {Updates} UPDATEs of {Octets / 1e6:0.0} MB with {AttributeSets} attribute sets over {AsPaths} AS paths");
}
