namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>
/// A fact that needs root and the packages of a real network. Where they are missing it is skipped with the reason, unless
/// <c>EGRESS_REQUIRE_SYSTEM_TESTS=1</c> says that this machine must have them: then it fails with the same reason.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public class SystemFactAttribute : FactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public SystemFactAttribute()
        : this(SystemRequirements.Missing)
    {
    }

    /// <summary>For tests that need something else.</summary>
    /// <param name="missing">What they lack here, or null.</param>
    protected SystemFactAttribute(string? missing)
    {
        if (missing is not null && !SystemRequirements.Required)
        {
            Skip = missing;
        }
    }
}
