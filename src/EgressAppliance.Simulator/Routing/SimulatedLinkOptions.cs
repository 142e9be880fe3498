using EgressAppliance.Net;

namespace EgressAppliance.Simulator.Routing;

/// <summary>One provider attachment of the simulated router.</summary>
public sealed record SimulatedLinkOptions
{
    /// <summary>Name of the link, such as <c>isp-a</c>.</summary>
    public required string Name { get; init; }

    /// <summary>ifName of the port.</summary>
    public required string Interface { get; init; }

    /// <summary>ifIndex of the port.</summary>
    public required int InterfaceIndex { get; init; }

    /// <summary>Speed, bit/s.</summary>
    public required long CapacityBps { get; init; }

    /// <summary>The provider's AS.</summary>
    public required uint ProviderAs { get; init; }

    /// <summary>The provider router's BGP identifier, host order.</summary>
    public required uint ProviderRouterId { get; init; }

    /// <summary>The provider's IPv4 address on the link: next hop of its IPv4 routes.</summary>
    public required IpAddr NextHopIPv4 { get; init; }

    /// <summary>The provider's IPv6 address on the link: next hop of its IPv6 routes.</summary>
    public required IpAddr NextHopIPv6 { get; init; }

    /// <summary>MAC of the provider's port: destination of every frame on the link.</summary>
    public required MacAddress ProviderMac { get; init; }

    /// <summary>MAC of the router's own port: source of every frame on the link.</summary>
    public required MacAddress RouterMac { get; init; }

    /// <summary>The provider's address in a family.</summary>
    public IpAddr NextHop(IpFamily family) => family == IpFamily.IPv4 ? NextHopIPv4 : NextHopIPv6;
}
