namespace EgressAppliance.Tests.Decision;

/// <summary>A test that needs GLPK's solver; skipped with the reason where it is missing, unless everything must run.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GlpkFactAttribute : FactAttribute
{
    public GlpkFactAttribute()
    {
        if (!Glpk.IsInstalled && Environment.GetEnvironmentVariable("EGRESS_REQUIRE_SYSTEM_TESTS") != "1")
        {
            Skip = "glpsol (package glpk-utils) is not installed";
        }
    }
}
