using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.History;

/// <summary>A theory of what <see cref="HistoryFactAttribute"/> is a fact of.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class HistoryTheoryAttribute : TheoryAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public HistoryTheoryAttribute()
    {
        if (HistoryFactAttribute.Missing() is { } missing && !SystemRequirements.Required)
        {
            Skip = missing;
        }
    }
}
