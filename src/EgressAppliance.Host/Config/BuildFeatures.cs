namespace EgressAppliance.Host.Config;

/// <summary>What this build has that another may not.</summary>
public static class BuildFeatures
{
#if WITH_SHARPPCAP
    /// <summary>True in builds with the SharpPcap backend (<c>make WITH_SHARPPCAP=1</c>).</summary>
    public static bool SharpPcap => true;
#else
    /// <summary>True in builds with the SharpPcap backend (<c>make WITH_SHARPPCAP=1</c>).</summary>
    public static bool SharpPcap => false;
#endif
}
