using System.Net.Sockets;
using EgressAppliance.Host.Config;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>
/// Polls one router for its links. One task calls <see cref="PollAsync"/>; the snapshots may be read from anywhere.
/// </summary>
/// <remarks>
/// A poll is: resolve names that have no ifIndex yet by a walk of ifName (and of ifAlias, if a link is known by that), read the members of aggregates, then one
/// Get per group of links with sysUpTime and, per link, ifName, ifHighSpeed, ifHCOutOctets, ifOperStatus, ifCounterDiscontinuityTime and the counters of errors and
/// discards. ifName in the same PDU proves that the index still means the same interface: a router may renumber on restart or when a card is changed. If it does not, or sysUpTime went back, names
/// are resolved again and the links read once more in the same poll. A name that the router does not have is looked for again
/// each minute only, as walks of large routers are costly. For links that the configuration does not say how to match, the rows of their next hops in the router's
/// neighbour table are read in each poll: the provider's MAC address may change.
/// </remarks>
public sealed class RouterPoller : IAsyncDisposable
{
    /// <summary>Links in one PDU: 1 + 8 * 3 bindings stay below 484 bytes as asked by version 2c, and below a frame as answered.</summary>
    private const int LinksPerRequest = 3;

    private const int MostInterfaces = 50_000;

    private static readonly TimeSpan WalkAgain = TimeSpan.FromMinutes(1);

    private readonly RouterConfig _router;
    private readonly SnmpConfig _snmp;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _start;
    private readonly LinkPoll[] _links;
    private readonly UptimeWatch _uptime = new();
    private SnmpCredentials? _credentials;
    private SnmpClient? _client;
    private TimeSpan? _lastWalk;
    private TimeSpan? _lastMemberWalk;
    private bool? _wasReachable;

    private volatile RouterState _state;
    private volatile InterfaceState[] _interfaces;

    /// <summary>Makes the poller; nothing is sent before the first poll.</summary>
    /// <param name="router">The router.</param>
    /// <param name="snmp">How it is asked.</param>
    /// <param name="links">Its links.</param>
    /// <param name="time">Clock of periods, rates and timeouts.</param>
    /// <param name="logger">Where changes are told.</param>
    public RouterPoller(RouterConfig router, SnmpConfig snmp, IEnumerable<LinkConfig> links, TimeProvider time, ILogger logger)
    {
        _router = router;
        _snmp = snmp;
        _time = time;
        _logger = logger;
        _start = time.GetTimestamp();
        _links = [.. links.Select(link => new LinkPoll(link, snmp.Poll))];
        _state = new RouterState { Router = router.Name };
        _interfaces = [.. _links.Select(link => link.State)];
    }

    /// <summary>How polling goes.</summary>
    public RouterState State => _state;

    /// <summary>The links' states, with those of a router that has not answered for three polls taken back to unknown.</summary>
    public IEnumerable<InterfaceState> Interfaces
    {
        get
        {
            DateTimeOffset now = _time.GetUtcNow();
            foreach (InterfaceState state in _interfaces)
            {
                // CounterAge in the snapshot is as of LastPoll.
                TimeSpan since = now - (state.LastPoll ?? now);
                InterfaceState aged = state with { CounterAge = state.CounterAge + since };
                yield return since <= 3 * _snmp.Poll + ClientTimeout * 2
                    ? aged
                    : aged with
                    {
                        OperStatus = OperStatus.Unknown,
                        OutBps = null,
                        Error = state.Error ?? $"no answer for {since.TotalSeconds:0} s",
                    };
            }
        }
    }

    // Two tries must fit into a period.
    private TimeSpan ClientTimeout => TimeSpan.FromTicks(Math.Min(TimeSpan.FromSeconds(2).Ticks, _snmp.Poll.Ticks / 3));

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Polls at once and then each period until stopped, which ends it with <see cref="OperationCanceledException"/>.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using PeriodicTimer timer = new(_snmp.Poll, _time);
        do
        {
            try
            {
                await PollAsync(stop);
            }
#pragma warning disable CA1031 // A defect met with one router must not end its polling for good: it is logged, shown and counted.
            catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
            {
                InterfaceLog.PollCrashed(_logger, e, _router.Name);
                Publish(false, "internal error: " + e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    /// <summary>One poll of all links.</summary>
    public async Task PollAsync(CancellationToken stop)
    {
        try
        {
            _credentials ??= SnmpAccess.Credentials(_snmp);
            _client ??= SnmpAccess.Open(_router.Address, _snmp.Port, _credentials, ClientTimeout, _time);
        }
        catch (SocketException e)
        {
            Publish(false, "no socket: " + e.Message);
            return;
        }

        string? error = null;
        HashSet<LinkPoll> done = [];
        for (int pass = 0; pass < 2 && error is null; pass++)
        {
            if (_links.Any(link => link.IfIndex is null || link.IsDeserted) && (_lastWalk is null || Now - _lastWalk >= WalkAgain))
            {
                error = await ResolveAsync(_client, stop);
            }

            error ??= await ReadMembersAsync(_client, stop);
            error ??= await ReadAsync(_client, done, stop);
            if (_lastWalk is not null)
            {
                break;
            }
        }

        error ??= await ReadNeighboursAsync(_client, stop);
        Publish(error is null, error);
    }

    /// <summary>Frees the socket and overwrites the keys. Not while a poll runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        (_credentials as IDisposable)?.Dispose();
    }

    private async Task<string?> ResolveAsync(SnmpClient client, CancellationToken stop)
    {
        SnmpResult walk = await client.WalkAsync(IfMib.IfName, MostInterfaces, cancel: stop);
        if (!walk.IsOk)
        {
            return walk.Message;
        }

        SnmpResult? aliases = _links.Any(link => link.IfIndex is null && link.Selector.Key == InterfaceKey.Alias)
            ? await client.WalkAsync(IfMib.IfAlias, MostInterfaces, cancel: stop)
            : null;
        if (aliases is { IsOk: false })
        {
            return aliases.Message;
        }

        NeighbourTable? neighbours = null;
        if (_links.Any(link => (link.IfIndex is null || link.IsDeserted) && link.Selector.Key == InterfaceKey.NextHop))
        {
            (neighbours, string? refused) = await NeighbourTable.ReadAsync(client, stop);
            if (refused is not null)
            {
                return refused;
            }
        }

        _lastWalk = Now;
        _lastMemberWalk = null;
        Dictionary<uint, string> names = Texts(walk);
        Dictionary<uint, string> descriptions = aliases is null ? [] : Texts(aliases);
        foreach (LinkPoll link in _links)
        {
            if (neighbours is not null && link.Selector.Key == InterfaceKey.NextHop)
            {
                ResolveByNextHop(link, names, neighbours);
            }
            else if (link.IfIndex is null)
            {
                Resolve(link, names, descriptions);
            }
        }

        return null;

        static Dictionary<uint, string> Texts(SnmpResult result)
        {
            Dictionary<uint, string> texts = [];
            foreach (VarBind binding in result.Bindings)
            {
                if (binding.Value.TryGetText(out string text))
                {
                    texts[binding.Name.Last] = text;
                }
            }

            return texts;
        }
    }

    private void Resolve(LinkPoll link, Dictionary<uint, string> names, Dictionary<uint, string> aliases)
    {
        InterfaceSelector wanted = link.Selector;
        uint[] found = wanted.Key switch
        {
            InterfaceKey.Index => names.ContainsKey(wanted.Index!.Value) ? [wanted.Index.Value] : [],
            InterfaceKey.Alias => [.. aliases.Where(pair => pair.Value == wanted.Text).Select(pair => pair.Key).Order()],
            _ => [.. names.Where(pair => pair.Value == wanted.Text).Select(pair => pair.Key).Order().Take(1)],
        };
        if (found.Length == 1)
        {
            link.Found(found[0], names.GetValueOrDefault(found[0], ""));
            InterfaceLog.InterfaceResolved(_logger, link.Config.Name, link.Config.Interface, found[0], _router.Name);
            return;
        }

        link.Fail(
            _logger,
            names.Count == 0 ? $"{_router.Name} shows no interface names: the view lacks ifXTable (1.3.6.1.2.1.31.1.1)"
            : found.Length > 1
                ? $"{found.Length} interfaces on {_router.Name} have the alias '{wanted.Text}' (ifIndex {string.Join(", ", found.Take(5))}): give one by its name, {string.Join(" or ", found.Take(5).Select(i => names.GetValueOrDefault(i, "?")))}"
            : wanted.Key == InterfaceKey.Index ? $"no interface with ifIndex {wanted.Text} on {_router.Name}"
            : $"no interface {link.Config.Interface} on {_router.Name}; nearest {(wanted.Key == InterfaceKey.Alias ? "aliases" : "names")}: "
                + string.Join(", ", NearestName.Rank(wanted.Text, (wanted.Key == InterfaceKey.Alias ? aliases : names).Values.Where(text => text.Length > 0).Distinct(), 3)));
    }

    /// <summary>Finds the interface behind which the next hops are. One that was found stays while they are behind no other: rows age.</summary>
    private void ResolveByNextHop(LinkPoll link, Dictionary<uint, string> names, NeighbourTable neighbours)
    {
        uint[] found = [.. link.Config.NextHops.SelectMany(neighbours.Of).Select(n => n.Interface).Distinct().Order()];
        string hops = string.Join(", ", link.Config.NextHops);
        if (found.Length == 1 && found[0] != link.IfIndex && names.TryGetValue(found[0], out string? name))
        {
            if (link.IfIndex is { } before)
            {
                InterfaceLog.InterfaceMoved(_logger, link.State.Interface, before, _router.Name);
                link.Forget();
            }

            link.Found(found[0], name);
            InterfaceLog.InterfaceResolved(_logger, link.Config.Name, name, found[0], _router.Name);
        }
        else if (link.IfIndex is null)
        {
            link.Fail(
                _logger,
                found.Length == 0 ? $"{hops} is not among the neighbours of {_router.Name}: ping it from the router, have 1.3.6.1.2.1.4 in the view, or give links[].interface"
                : found.Length > 1 ? $"{hops} are behind several interfaces of {_router.Name} (ifIndex {string.Join(", ", found)}): make a link of each, or give links[].interface"
                : $"{_router.Name} shows no name of ifIndex {found[0]}: have 1.3.6.1.2.1.31 in the view");
        }
    }

    /// <summary>Reads which MAC addresses the next hops have.</summary>
    private async Task<string?> ReadNeighboursAsync(SnmpClient client, CancellationToken stop)
    {
        LinkPoll[] finding = [.. _links.Where(link => link.IfIndex is not null && (link.Config.FindsMac || link.Selector.Key == InterfaceKey.NextHop))];
        (NeighbourTable table, string? error) = await NeighbourTable.ReadAsync(
            client, finding.SelectMany(link => link.Config.NextHops.Select(hop => (link.IfIndex!.Value, hop))), stop);
        if (error is null)
        {
            foreach (LinkPoll link in finding)
            {
                link.TakeNeighbours(_logger, table);
            }
        }

        return error;
    }

    /// <summary>Finds the members of aggregates, each minute, and reads what they carry, in each poll. An agent that does not tell is no failure of the poll.</summary>
    private async Task<string?> ReadMembersAsync(SnmpClient client, CancellationToken stop)
    {
        LinkPoll[] known = [.. _links.Where(link => link.IfIndex is not null)];
        if (known.Length > 0 && (_lastMemberWalk is null || Now - _lastMemberWalk >= WalkAgain))
        {
            (Dictionary<uint, uint[]> members, string? error) = await LagReader.FindAsync(client, known.Select(link => link.IfIndex!.Value), stop);
            if (error is not null)
            {
                return error;
            }

            _lastMemberWalk = Now;
            foreach (LinkPoll link in known)
            {
                // An aggregate that has lost all of its members keeps them: they are down, or attached elsewhere.
                link.Members = members.GetValueOrDefault(link.IfIndex!.Value, link.Members);
            }
        }

        foreach (LinkPoll link in known.Where(link => link.Members.Length > 0))
        {
            ((ulong, int)? carried, string? error) = await LagReader.ReadAsync(client, link.IfIndex!.Value, link.Members, stop);
            if (error is not null)
            {
                return error;
            }

            link.Carried = carried;
        }

        return null;
    }

    /// <summary>Reads the links that have an index and are not done. Numbers that proved wrong are forgotten, and the next walk is due at once.</summary>
    private async Task<string?> ReadAsync(SnmpClient client, HashSet<LinkPoll> done, CancellationToken stop)
    {
        LinkPoll[] open = [.. _links.Where(link => link.IfIndex is not null && !done.Contains(link))];

        // Without any link to read, sysUpTime alone tells that the router is there.
        foreach (LinkPoll[] group in open.Length == 0 ? [[]] : open.Chunk(LinksPerRequest))
        {
            List<ObjectIdentifier> names = [IfMib.SysUpTime];
            foreach (LinkPoll link in group)
            {
                names.AddRange(link.Names());
            }

            SnmpResult result = await client.GetAsync(names, stop);
            if (!result.IsOk)
            {
                return result.Message;
            }

            TimeSpan now = Now;
            if (result.Bindings[0].Value.TryGetUnsigned(out ulong ticks) && _uptime.Add(now, (uint)ticks))
            {
                InterfaceLog.RouterRestarted(_logger, _router.Name);
                done.Clear();
                _lastWalk = null;
                foreach (LinkPoll link in _links)
                {
                    link.Forget();
                }

                return null;
            }

            for (int i = 0; i < group.Length; i++)
            {
                if (Take(group[i], now, [.. result.Bindings.Skip(1 + (LinkPoll.Variables * i)).Take(LinkPoll.Variables).Select(binding => binding.Value)]))
                {
                    done.Add(group[i]);
                }
            }
        }

        return null;
    }

    /// <summary>Takes the values of a link. False if the number is another interface's by now.</summary>
    private bool Take(LinkPoll link, TimeSpan now, SnmpValue[] values)
    {
        if (link.IsStill(values[0]))
        {
            link.Take(_logger, now, _time.GetUtcNow(), values);
            return true;
        }

        InterfaceLog.InterfaceMoved(_logger, link.State.Interface, link.IfIndex!.Value, _router.Name);
        link.Forget();
        _lastWalk = null;
        return false;
    }

    private void Publish(bool reachable, string? error)
    {
        RouterState before = _state;
        if (reachable != _wasReachable)
        {
            _wasReachable = reachable;
            if (reachable)
            {
                InterfaceLog.RouterReachable(_logger, _router.Name);
            }
            else
            {
                InterfaceLog.RouterFailed(_logger, _router.Name, error ?? "");
            }
        }

        _interfaces = [.. _links.Select(link => reachable ? link.State : link.State with { Error = error })];
        _state = before with
        {
            Reachable = reachable,
            LastPoll = reachable ? _time.GetUtcNow() : before.LastPoll,
            LastError = error,
            Polls = before.Polls + 1,
            FailedPolls = before.FailedPolls + (reachable ? 0 : 1),
            Client = _client?.Statistics ?? default,
        };
    }
}
