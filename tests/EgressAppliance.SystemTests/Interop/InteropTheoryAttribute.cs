using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>A theory that needs root and every router of the matrix; skipped or failed as <see cref="SystemFactAttribute"/> is.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class InteropTheoryAttribute : TheoryAttribute
{
    private static readonly (string Tool, string Package)[] Tools =
    [
        ("ip", "iproute2"), ("ss", "iproute2"), ("gobgpd", "gobgpd"), ("gobgp", "gobgpd"), ("exabgp", "exabgp"), ("bgpd", "openbgpd"), ("bgpctl", "openbgpd"),
    ];

    /// <summary>Decides when the test is discovered.</summary>
    public InteropTheoryAttribute()
    {
        if (!SystemRequirements.Required)
        {
            Skip = SystemRequirements.Missing ?? SystemRequirements.MissingPackages(Tools);
        }
    }
}
