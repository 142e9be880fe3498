namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>A system fact that needs flow exporters as well.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FlowFactAttribute : SystemFactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public FlowFactAttribute()
        : base(SystemRequirements.Missing ?? SystemRequirements.MissingPackages([("softflowd", "softflowd"), ("pmacctd", "pmacct")]))
    {
    }
}
