using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>An address family and subsequent address family, as in RFC 4760.</summary>
/// <param name="Afi">Address Family Identifier.</param>
/// <param name="Safi">Subsequent Address Family Identifier.</param>
public readonly record struct AfiSafi(ushort Afi, byte Safi)
{
    /// <summary>SAFI of unicast forwarding.</summary>
    public const byte Unicast = 1;

    /// <summary>IPv4 unicast, 1/1.</summary>
    public static AfiSafi IPv4Unicast => new(1, Unicast);

    /// <summary>IPv6 unicast, 2/1.</summary>
    public static AfiSafi IPv6Unicast => new(2, Unicast);

    /// <summary>The family if this is IPv4 or IPv6 unicast, the only ones whose prefixes are decoded; else null.</summary>
    public IpFamily? Family => this == IPv4Unicast ? IpFamily.IPv4 : this == IPv6Unicast ? IpFamily.IPv6 : null;

    /// <summary>Unicast of a family.</summary>
    public static AfiSafi Of(IpFamily family) => new((ushort)family, Unicast);

    /// <summary><c>ipv4-unicast</c>, <c>ipv6-unicast</c>, else <c>afi/safi</c> in numbers.</summary>
    public override string ToString() => Family switch
    {
        IpFamily.IPv4 => "ipv4-unicast",
        IpFamily.IPv6 => "ipv6-unicast",
        _ => $"{Afi}/{Safi}",
    };
}
