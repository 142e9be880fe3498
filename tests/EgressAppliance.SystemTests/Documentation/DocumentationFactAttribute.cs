using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Documentation;

/// <summary>A system fact that needs the programs of the documentation's examples as well: Prometheus's promtool, and the other BGP daemons.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DocumentationFactAttribute : SystemFactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public DocumentationFactAttribute()
        : base(SystemRequirements.Missing ?? SystemRequirements.MissingPackages(
            [("promtool", "prometheus"), ("gobgpd", "gobgpd"), ("exabgp", "exabgp"), ("bgpd", "openbgpd"), ("unshare", "util-linux")]))
    {
    }
}
