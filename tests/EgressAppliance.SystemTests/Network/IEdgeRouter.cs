using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>One path of a prefix in the edge router's BGP table.</summary>
/// <param name="NextHop">Next hop, the global one for IPv6.</param>
/// <param name="LocalPref">LOCAL_PREF, or null if the router shows none.</param>
/// <param name="AsPath">AS_PATH, numbers separated by blanks.</param>
/// <param name="Communities">Communities as the router prints them, such as <c>65000:666</c> and <c>no-export</c>.</param>
/// <param name="FromAppliance">Learned on the session to the appliance.</param>
/// <param name="Best">The router's choice.</param>
internal sealed record EdgePath(string NextHop, int? LocalPref, string AsPath, IReadOnlyList<string> Communities, bool FromAppliance, bool Best)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{(Best ? "*" : " ")}{NextHop} [{AsPath}] local_pref {LocalPref} {string.Join(',', Communities)}{(FromAppliance ? " from appliance" : "")}";
}

/// <summary>The session of the edge router to the appliance, as the router sees it.</summary>
/// <param name="Established">It is up.</param>
/// <param name="UpdatesReceived">UPDATE messages (FRR) or route updates (BIRD) received from the appliance since it came up.</param>
/// <param name="PrefixesReceived">Prefixes it holds from the appliance now.</param>
internal sealed record EdgeSession(bool Established, long UpdatesReceived, int PrefixesReceived);

/// <summary>The edge router: the software may differ, the questions do not.</summary>
internal interface IEdgeRouter
{
    /// <summary>Writes its configuration and starts its daemons.</summary>
    Task<IReadOnlyList<Daemon>> StartAsync();

    /// <summary>All paths of exactly this prefix.</summary>
    Task<IReadOnlyList<EdgePath>> GetPathsAsync(LabPrefix prefix);

    /// <summary>The prefixes held from the appliance, both families, in text order.</summary>
    Task<IReadOnlyList<string>> GetOverridesAsync();

    /// <summary>The session to the appliance.</summary>
    Task<EdgeSession> GetSessionAsync();

    /// <summary>Routes received per provider session: three of IPv4, three of IPv6.</summary>
    Task<IReadOnlyList<int>> GetProviderRouteCountsAsync();

    /// <summary>A dump of its tables for the failure report.</summary>
    Task<string> DumpAsync();
}
