namespace EgressAppliance.SystemTests.Interop;

/// <summary>A route from us as the router holds it.</summary>
/// <param name="Prefix">Its prefix.</param>
/// <param name="NextHop">Next hop, the global one for IPv6.</param>
/// <param name="LocalPref">LOCAL_PREF.</param>
/// <param name="AsPath">AS_PATH, numbers separated by blanks.</param>
/// <param name="Communities">Communities as numbers, <c>65535:65281</c> being NO_EXPORT.</param>
/// <param name="Best">The router's choice; null where the software makes none.</param>
internal sealed record ReceivedRoute(string Prefix, string NextHop, uint LocalPref, string AsPath, IReadOnlyList<string> Communities, bool? Best)
{
    /// <inheritdoc/>
    public override string ToString() => $"{(Best == true ? "*" : " ")}{Prefix} {NextHop} [{AsPath}] local_pref {LocalPref} {string.Join(',', Communities)}";
}

/// <summary>A real router: the software differs, what is asked of it does not.</summary>
internal interface IInteropRouter
{
    /// <summary>Its configuration for us and the providers, as a file of its own syntax.</summary>
    string Config { get; }

    /// <summary>
    /// The part of the configuration that an operator writes for the appliance, in a network where it is easy to read; shown in the documentation. What it says is
    /// what <see cref="Config"/> contains for other addresses.
    /// </summary>
    string ApplianceSection { get; }

    /// <summary>Writes the configuration and starts the daemons; returns before they are ready.</summary>
    Task StartAsync();

    /// <summary>Ends all its processes by SIGKILL.</summary>
    Task KillAsync();

    /// <summary>Stops all its processes with SIGSTOP: they keep their sockets and read nothing.</summary>
    Task FreezeAsync();

    /// <summary>Lets them go on.</summary>
    Task ThawAsync();

    /// <summary>Its session with us is established, as it sees it.</summary>
    Task<bool> IsEstablishedAsync();

    /// <summary>Every route it holds from us, both families.</summary>
    Task<IReadOnlyList<ReceivedRoute>> GetReceivedAsync();

    /// <summary>UPDATE messages, or routes in them, received from us so far; only its growth means anything.</summary>
    Task<long> CountUpdatesAsync();

    /// <summary>Makes it send ROUTE-REFRESH for both families.</summary>
    Task RequestRefreshAsync();

    /// <summary>Ends the session administratively with a shutdown communication (RFC 9003); returns the text that we should be told.</summary>
    Task<string> ShutDownAsync(string text);

    /// <summary>Announces what the providers have: only for software that has no table to take it from.</summary>
    /// <returns>False if the providers' own sessions do that.</returns>
    Task<bool> TryAnnounceAsync(IReadOnlyCollection<FeedRoute> routes);

    /// <summary>Its state for a failure report.</summary>
    Task<string> DumpAsync();

    /// <summary>Removes what it leaves outside the bed's folder.</summary>
    void CleanUp();
}
