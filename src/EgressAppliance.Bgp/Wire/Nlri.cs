using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>A prefix as it stands in an UPDATE.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="PathId">Path identifier (RFC 7911), 0 without ADD-PATH.</param>
public readonly record struct Nlri(IpPrefix Prefix, uint PathId = 0)
{
    /// <summary>The prefix, with the path identifier if it is not 0.</summary>
    public override string ToString() => PathId == 0 ? Prefix.ToString() : $"{Prefix} path-id {PathId}";
}
