using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests;

/// <summary>What must hold for an override in force, at the router, at the providers and at the clients.</summary>
internal static class OverrideChecks
{
    /// <summary>
    /// Checks that the router prefers our route; that it is a learned path of the provider by which the kernel sends; that no provider hears
    /// of it; and that between two readings every packet came by that provider.
    /// </summary>
    public static async Task AssertSoundAsync(Lab lab, LabPrefix prefix, GroundTruthReading moved, GroundTruthReading later)
    {
        Provider provider = await Scenario.GetProviderAsync(lab, prefix);
        Assert.NotEqual(lab.A, provider);
        IReadOnlyList<EdgePath> paths = await lab.Edge.GetPathsAsync(prefix);
        EdgePath ours = Assert.Single(paths, path => path.FromAppliance);
        Assert.True(ours.Best, $"the router does not prefer the override of {prefix}: {string.Join("; ", paths)}");
        Assert.Equal(provider.AsPath, ours.AsPath);
        Assert.Equal(provider.NextHop(prefix), ours.NextHop);
        Assert.True(ours.LocalPref > 100, $"LOCAL_PREF {ours.LocalPref} is not above that of learned paths");
        Assert.Contains(ApplianceSettings.Marker, ours.Communities);
        Assert.Contains("no-export", ours.Communities);

        // The edge re-announces its best path to every provider: only NO_EXPORT keeps ours from them.
        foreach (Provider listener in lab.Providers)
        {
            Assert.Equal("", await listener.HeardFromEdgeAsync(prefix));
        }

        Assert.True((later.Of(provider, prefix) - moved.Of(provider, prefix)).Packets > 0, $"nothing arrives for {prefix} by {provider.Link}");
        foreach (Provider other in lab.Providers.Where(other => other != provider))
        {
            Assert.Equal(0, (later.Of(other, prefix) - moved.Of(other, prefix)).Packets);
        }
    }

    /// <summary>Interfaces, BGP tables and what providers hear, as one text: equal before and after means that nothing stayed behind.</summary>
    public static async Task<string> DescribeTablesAsync(Lab lab)
    {
        var lines = new List<string>();
        foreach (LabPrefix prefix in Scenario.Big)
        {
            lines.Add($"{prefix} by {await lab.GetEgressInterfaceAsync(prefix)}");
            lines.AddRange((await lab.Edge.GetPathsAsync(prefix)).Select(path => path.ToString()).Order(StringComparer.Ordinal));
            foreach (Provider provider in lab.Providers)
            {
                lines.Add($"{provider.Link} hears {await provider.HeardFromEdgeAsync(prefix)}");
            }
        }

        return string.Join('\n', lines);
    }
}
