namespace EgressAppliance.Host.Config;

/// <summary>Placeholder until the merge of w-config.</summary>
public static class ClusterHash
{
    /// <summary>.</summary>
    public static string Of(ApplianceConfig config) => config.Site;
}
