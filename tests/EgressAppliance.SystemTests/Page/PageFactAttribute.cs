using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Page;

/// <summary>A system test of the web page: needs Chromium and a build that carries the page, but neither root nor the lab's packages.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PageFactAttribute : SystemFactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public PageFactAttribute()
        : base(PageRequirements.Missing)
    {
    }
}
