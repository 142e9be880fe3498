namespace EgressAppliance.Net;

/// <summary>A BGP next hop: a global address and, for IPv6, the link-local one that may come with it (RFC 2545 section 3).</summary>
/// <param name="Address">The global next hop, by which links are identified.</param>
/// <param name="LinkLocal">The link-local address of a 32-byte next hop, or a default value.</param>
public readonly record struct NextHop(IpAddr Address, IpAddr LinkLocal = default)
{
    /// <summary>The global address, followed by the link-local one in parentheses if there is one.</summary>
    public override string ToString() => LinkLocal.IsDefault ? Address.ToString() : $"{Address} ({LinkLocal})";
}
