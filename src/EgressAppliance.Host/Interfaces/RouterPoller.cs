using System.Net.Sockets;
using EgressAppliance.Host.Config;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>
/// Polls one router for its links. One task calls <see cref="PollAsync"/>; the snapshots may be read from anywhere.
/// </summary>
/// <remarks>
/// A poll is: resolve names that have no ifIndex yet by a walk of ifName, then one Get per group of links with sysUpTime and,
/// per link, ifName, ifHighSpeed, ifHCOutOctets and ifOperStatus. ifName in the same PDU proves that the index still means the
/// same interface: a router may renumber on restart or when a card is changed. If it does not, or sysUpTime went back, names
/// are resolved again and the links read once more in the same poll. A name that the router does not have is looked for again
/// each minute only, as walks of large routers are costly.
/// </remarks>
public sealed class RouterPoller : IAsyncDisposable
{
    /// <summary>Links in one PDU: 1 + 4 * 6 bindings stay below 484 bytes as asked and below a frame as answered.</summary>
    private const int LinksPerRequest = 6;

    private const int MostInterfaces = 50_000;

    private static readonly TimeSpan WalkAgain = TimeSpan.FromMinutes(1);

    private readonly RouterConfig _router;
    private readonly SnmpConfig _snmp;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _start;
    private readonly LinkPoll[] _links;
    private readonly UptimeWatch _uptime = new();
    private SnmpClient? _client;
    private TimeSpan? _lastWalk;
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
            _client ??= SnmpAccess.Open(_router.Address, _snmp, ClientTimeout, _time);
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
            if (_links.Any(link => link.IfIndex is null) && (_lastWalk is null || Now - _lastWalk >= WalkAgain))
            {
                error = await ResolveAsync(_client, stop);
            }

            error ??= await ReadAsync(_client, done, stop);
            if (_lastWalk is not null)
            {
                break;
            }
        }

        Publish(error is null, error);
    }

    /// <summary>Frees the socket. Not while a poll runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }
    }

    private async Task<string?> ResolveAsync(SnmpClient client, CancellationToken stop)
    {
        SnmpResult walk = await client.WalkAsync(IfMib.IfName, MostInterfaces, cancel: stop);
        if (!walk.IsOk)
        {
            return walk.Message;
        }

        _lastWalk = Now;
        Dictionary<string, uint> indexes = [];
        foreach (VarBind binding in walk.Bindings)
        {
            if (binding.Value.TryGetText(out string name))
            {
                indexes.TryAdd(name, binding.Name.Last);
            }
        }

        foreach (LinkPoll link in _links.Where(link => link.IfIndex is null))
        {
            if (indexes.TryGetValue(link.Config.Interface, out uint index))
            {
                link.IfIndex = index;
                InterfaceLog.InterfaceResolved(_logger, link.Config.Name, link.Config.Interface, index, _router.Name);
                continue;
            }

            link.Fail(_logger, indexes.Count == 0
                ? $"{_router.Name} shows no interface names: the community's view lacks ifXTable (1.3.6.1.2.1.31.1.1)"
                : $"no interface {link.Config.Interface} on {_router.Name}; nearest names: {string.Join(", ", NearestName.Rank(link.Config.Interface, indexes.Keys, 3))}");
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
                uint index = link.IfIndex!.Value;
                names.AddRange(
                    [IfMib.IfName.Append(index), IfMib.IfHighSpeed.Append(index), IfMib.IfHCOutOctets.Append(index), IfMib.IfOperStatus.Append(index)]);
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
                if (Take(group[i], now, [.. result.Bindings.Skip(1 + 4 * i).Take(4).Select(binding => binding.Value)]))
                {
                    done.Add(group[i]);
                }
            }
        }

        return null;
    }

    /// <summary>Takes ifName, ifHighSpeed, ifHCOutOctets and ifOperStatus of a link. False if the number is another interface's by now.</summary>
    private bool Take(LinkPoll link, TimeSpan now, SnmpValue[] values)
    {
        if (values[0].TryGetText(out string name) && name == link.Config.Interface)
        {
            link.Take(_logger, now, _time.GetUtcNow(), values[1], values[2], values[3]);
            return true;
        }

        InterfaceLog.InterfaceMoved(_logger, link.Config.Interface, link.IfIndex!.Value, _router.Name);
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
