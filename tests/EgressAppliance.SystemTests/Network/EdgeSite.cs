using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>Where an edge router stands: what it is connected to and by which addresses.</summary>
/// <param name="Number">1 for the first, which the content servers are behind; 2 for the second.</param>
/// <param name="Network">Its namespace.</param>
/// <param name="Providers">The providers on it.</param>
/// <param name="Folder">Its configuration and logs.</param>
internal sealed record EdgeSite(int Number, NetNamespace Network, IReadOnlyList<Provider> Providers, string Folder)
{
    /// <summary>Name in the appliance's configuration.</summary>
    public string Name => $"edge{Number}";

    /// <summary>Its address towards the appliance, for BGP and SNMP.</summary>
    public string Address => $"192.0.2.{(4 * Number) - 3}";

    /// <summary>The appliance's address towards it.</summary>
    public string ApplianceAddress => $"192.0.2.{(4 * Number) - 2}";

    /// <summary>The appliance's interface of <see cref="ApplianceAddress"/>.</summary>
    public string ApplianceInterface => $"mgmt{Number - 1}";

    /// <summary>The appliance's interface that its mirror port leads to.</summary>
    public string MirrorInterface => $"mir{Number - 1}";

    /// <summary>Its IPv4 address on the cable between the edge routers.</summary>
    public string CoreIpv4 => $"10.255.0.{Number}";

    /// <summary>Its IPv6 address there.</summary>
    public string CoreIpv6 => $"2001:db8:fc::{Number}";

    /// <summary>The other edge routers of the site; iBGP with each.</summary>
    public IReadOnlyList<EdgeSite> Others { get; set; } = [];
}
