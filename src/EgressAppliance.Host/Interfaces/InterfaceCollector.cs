using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.Interfaces;

/// <summary>
/// Knows state, capacity and outgoing rate of every link's interface, by polling IF-MIB of the routers.
/// </summary>
/// <remarks>
/// One task per router, so that one that is slow or dead delays no other. Each task publishes immutable snapshots by one
/// reference write; readers take no lock and never wait for the network.
///
/// What can be wrong and how it shows: a router that does not answer (<see cref="RouterState.LastError"/>, and the same words in
/// <see cref="InterfaceState.Error"/> of its links; after three periods rate and status become unknown), an interface name it
/// does not have (the nearest names are listed), missing 64-bit counters. A restart of the router, a renumbering of its
/// interfaces and a counter that went back are noticed and cost the rate until two changes of the counter were seen
/// (<see cref="CounterHistory"/>); they never produce a wrong rate. Capacity is believed when it was read
/// again after the time that an agent may keep it (<see cref="CapacityFilter"/>).
///
/// Memory: one short list per link. Load: about 25 variables per period and six links.
/// </remarks>
public sealed class InterfaceCollector : IAsyncDisposable
{
    private readonly IReadOnlyList<LinkConfig> _links;
    private readonly IReadOnlyList<RouterConfig> _routers;
    private readonly Dictionary<string, RouterPoller> _pollers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];

    /// <summary>Makes the collector; nothing is sent before <see cref="StartAsync"/>.</summary>
    /// <param name="routers">The routers; those without SNMP are not polled.</param>
    /// <param name="links">The links.</param>
    /// <param name="time">Clock of periods, rates and timeouts.</param>
    /// <param name="logger">Where changes are told.</param>
    public InterfaceCollector(
        IReadOnlyList<RouterConfig> routers, IReadOnlyList<LinkConfig> links, TimeProvider time, ILogger<InterfaceCollector> logger)
    {
        _links = links;
        _routers = routers;
        foreach (RouterConfig router in routers)
        {
            if (router.Snmp is { } snmp)
            {
                _pollers.Add(router.Name, new RouterPoller(router, snmp, links.Where(link => link.Router == router.Name), time, logger));
            }
        }
    }

    /// <summary>The links in order of configuration, those that cannot be polled included.</summary>
    public IReadOnlyList<InterfaceState> GetLinks()
    {
        Dictionary<string, InterfaceState> polled =
            _pollers.Values.SelectMany(poller => poller.Interfaces).ToDictionary(state => state.Link);
        return [.. _links.Select(link => polled.GetValueOrDefault(link.Name) ?? NotPolled(link))];
    }

    /// <summary>The polled routers in order of configuration.</summary>
    public IReadOnlyList<RouterState> GetRouters() =>
        [.. _routers.Where(router => _pollers.ContainsKey(router.Name)).Select(router => _pollers[router.Name].State)];

    /// <summary>Starts polling; does not wait for answers.</summary>
    /// <exception cref="InvalidOperationException">Already started.</exception>
    public Task StartAsync()
    {
        if (_tasks.Count > 0)
        {
            throw new InvalidOperationException("already started");
        }

        ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
        foreach (RouterPoller poller in _pollers.Values)
        {
            _tasks.Add(Task.Run(() => poller.RunAsync(_stop.Token)));
        }

        return Task.CompletedTask;
    }

    /// <summary>Stops polling. The last snapshots stay readable.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await Task.WhenAll(_tasks);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The way every poller ends.
        }

        foreach (RouterPoller poller in _pollers.Values)
        {
            await poller.DisposeAsync();
        }
    }

    private static InterfaceState NotPolled(LinkConfig link) => new()
    {
        Link = link.Name,
        Router = link.Router,
        Interface = link.Interface,
        Error = $"{link.Router} has no snmp section in the configuration",
    };
}
