using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Routers;

/// <summary>What all routers have in common: processes in a namespace, a folder, a configuration.</summary>
internal abstract class InteropRouter(InteropSite site) : IInteropRouter, IAsyncDisposable
{
    /// <summary>AS of the router and of the appliance, one that needs four octets.</summary>
    public const uint LocalAs = 4_200_000_100;

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);
    private readonly List<Daemon> _daemons = [];

    /// <inheritdoc/>
    public abstract string Config { get; }

    /// <inheritdoc/>
    public abstract string ApplianceSection { get; }

    /// <summary>Where it runs and how it is configured.</summary>
    protected InteropSite Site => site;

    /// <summary>The namespace it runs in.</summary>
    protected NetNamespace Network => site.Network ?? throw new InvalidOperationException("this router only shows its configuration");

    /// <summary>Our address of the session.</summary>
    protected string Peer => site.Addresses.Speaker(site.Options);

    /// <summary>Its own address of the session.</summary>
    protected string Local => site.Addresses.Router(site.Options);

    /// <summary>The daemons that are meant to run.</summary>
    protected IReadOnlyList<Daemon> Daemons => _daemons;

    /// <inheritdoc/>
    public abstract Task StartAsync();

    /// <inheritdoc/>
    public async Task KillAsync()
    {
        // Stopped first: of several processes none must see the end of another and say goodbye.
        await SignalAllAsync(PosixSignalNumber.Stop);
        await SignalAllAsync(PosixSignalNumber.Kill);
        foreach (Daemon daemon in _daemons)
        {
            await daemon.WaitForExitAsync(EndLimit);
            await daemon.DisposeAsync();
        }

        _daemons.Clear();
    }

    /// <inheritdoc/>
    public Task FreezeAsync() => SignalAllAsync(PosixSignalNumber.Stop);

    /// <inheritdoc/>
    public Task ThawAsync() => SignalAllAsync(PosixSignalNumber.Continue);

    /// <inheritdoc/>
    public abstract Task<bool> IsEstablishedAsync();

    /// <inheritdoc/>
    public abstract Task<IReadOnlyList<ReceivedRoute>> GetReceivedAsync();

    /// <inheritdoc/>
    public abstract Task<long> CountUpdatesAsync();

    /// <inheritdoc/>
    public virtual Task RequestRefreshAsync() => throw new NotSupportedException();

    /// <inheritdoc/>
    public abstract Task<string> ShutDownAsync(string text);

    /// <inheritdoc/>
    public virtual Task<bool> TryAnnounceAsync(IReadOnlyCollection<FeedRoute> routes) => Task.FromResult(false);

    /// <inheritdoc/>
    public abstract Task<string> DumpAsync();

    /// <inheritdoc/>
    public virtual void CleanUp()
    {
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Daemon daemon in Enumerable.Reverse(_daemons))
        {
            await daemon.DisposeAsync();
        }

        // Daemons that changed into several processes, should one have outlived its parent.
        await SignalAllAsync(PosixSignalNumber.Kill);
    }

    /// <summary>A path in the bed's folder.</summary>
    protected string FilePath(string name) => Path.Combine(site.Folder, name);

    /// <summary>Starts a daemon in the namespace.</summary>
    protected void Launch(string name, params string[] command) => _daemons.Add(Daemon.Start(name, site.Folder, Network.Command(command)));

    /// <summary>Normal form of a community: two decimal numbers.</summary>
    protected static string CommunityText(string text) => text.ToUpperInvariant() switch
    {
        "NO-EXPORT" or "NO_EXPORT" => "65535:65281",
        "NO-ADVERTISE" or "NO_ADVERTISE" => "65535:65282",
        _ => text,
    };

    private async Task SignalAllAsync(PosixSignalNumber signal)
    {
        string pids = (await Shell.RunAsync(["ip", "netns", "pids", Network.Name])).Output;
        string[] list = pids.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (list.Length > 0)
        {
            // One of them may end with its parent before its turn comes.
            await Shell.RunAsync(["kill", $"-{(int)signal}", .. list]);
        }
    }
}

/// <summary>Where a router runs and how.</summary>
/// <param name="Name">The bed's name, unique on the machine.</param>
/// <param name="Network">The router's namespace; null for one that is only asked for its configuration.</param>
/// <param name="Folder">For configurations, sockets and logs.</param>
/// <param name="Addresses">Addresses of the bed.</param>
/// <param name="Options">What the row wants.</param>
internal sealed record InteropSite(string Name, NetNamespace? Network, string Folder, InteropAddresses Addresses, InteropOptions Options);
