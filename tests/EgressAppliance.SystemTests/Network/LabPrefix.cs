using System.Net;
using System.Net.Sockets;

namespace EgressAppliance.SystemTests.Network;

/// <summary>A prefix that the providers announce, and the one address in it that tests send to.</summary>
/// <param name="Prefix">In text, as routers print it.</param>
/// <param name="Target">An address whose longest match is this prefix.</param>
internal sealed record LabPrefix(string Prefix, IPAddress Target)
{
    /// <summary>True for IPv6.</summary>
    public bool IsIpv6 => Target.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary><c>ipv4</c> or <c>ipv6</c>, as router commands want it.</summary>
    public string Family => IsIpv6 ? "ipv6" : "ipv4";

    /// <inheritdoc/>
    public override string ToString() => Prefix;
}

/// <summary>The prefixes of the lab: flat ones of both families for traffic, nested ones for longest-prefix match.</summary>
internal static class LabPrefixes
{
    /// <summary>24 IPv4 prefixes of length 24.</summary>
    public static IReadOnlyList<LabPrefix> Ipv4 { get; } =
        [.. Enumerable.Range(1, 24).Select(i => new LabPrefix($"20.0.{i}.0/24", IPAddress.Parse($"20.0.{i}.10")))];

    /// <summary>16 IPv6 prefixes of length 48.</summary>
    public static IReadOnlyList<LabPrefix> Ipv6 { get; } =
        [.. Enumerable.Range(1, 16).Select(i => new LabPrefix($"2a00:1:{i:x}::/48", IPAddress.Parse($"2a00:1:{i:x}::10")))];

    /// <summary>Each inside the one before, with a target that matches no longer one.</summary>
    public static IReadOnlyList<LabPrefix> Nested { get; } =
    [
        new("20.100.0.0/16", IPAddress.Parse("20.100.200.1")),
        new("20.100.16.0/20", IPAddress.Parse("20.100.17.1")),
        new("20.100.16.0/24", IPAddress.Parse("20.100.16.200")),
        new("20.100.16.0/25", IPAddress.Parse("20.100.16.1")),
        new("2a00:2::/32", IPAddress.Parse("2a00:2:8000::1")),
        new("2a00:2::/44", IPAddress.Parse("2a00:2:1::1")),
        new("2a00:2::/48", IPAddress.Parse("2a00:2:0:8000::1")),
        new("2a00:2::/49", IPAddress.Parse("2a00:2::1")),
    ];

    /// <summary>All of them: what every provider announces.</summary>
    public static IReadOnlyList<LabPrefix> All { get; } = [.. Ipv4, .. Ipv6, .. Nested];
}
