using EgressAppliance.Net;

namespace EgressAppliance.Simulator.Routing;

/// <summary>
/// The edge router of the demo and of the scenarios: provider links, a RIB with the providers' paths and the appliance's overrides,
/// best-path selection as in RFC 4271, and forwarding by longest match over the best paths.
/// <para>
/// It does what was measured on real routers. An override is one more path, iBGP-learned, that wins by LOCAL_PREF alone. One whose next
/// hop is on no link that is up, or whose AS_PATH holds the router's own AS, is kept but not used. When the session that brought it ends, it is gone
/// at once (no graceful restart). When the provider behind an override withdraws the prefix, the router does not notice: the override stays
/// best and the packets are lost, so taking it back is the appliance's duty. A port that goes down takes its provider's session along.
/// </para>
/// <para>
/// Everything is under one lock. The traffic model asks for decisions only when <see cref="Version"/> changed; the lock is not on the path
/// of a frame. Observers are called under the lock, which keeps the order of changes the order of UPDATEs.
/// </para>
/// </summary>
public sealed class SimulatedRouter
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IpPrefix, Entry> _rib = [];
    private readonly Dictionary<IpAddr, int> _linkOfNextHop = [];
    private readonly LinkState[] _links;
    private readonly List<IPathObserver> _observers = [];
    private UInt128 _lengthsIPv4;
    private (UInt128 Low, bool Full) _lengthsIPv6;
    private long _version;

    /// <summary>A router with these links and no routes.</summary>
    /// <exception cref="ArgumentException">No link, more than 60, or two links that share a next hop.</exception>
    public SimulatedRouter(uint localAs, uint routerId, IReadOnlyList<SimulatedLinkOptions> links)
    {
        ArgumentNullException.ThrowIfNull(links);
        if (links.Count is 0 or > 60)
        {
            throw new ArgumentException("A router has 1 to 60 links.", nameof(links));
        }

        LocalAs = localAs;
        RouterId = routerId;
        Links = links;
        _links = new LinkState[links.Count];
        for (int i = 0; i < links.Count; i++)
        {
            _links[i] = new LinkState(new EgressInterface(links[i].CapacityBps));
            if (!_linkOfNextHop.TryAdd(links[i].NextHopIPv4, i) || !_linkOfNextHop.TryAdd(links[i].NextHopIPv6, i))
            {
                throw new ArgumentException("Two links share a next hop.", nameof(links));
            }
        }
    }

    /// <summary>The router's AS.</summary>
    public uint LocalAs { get; }

    /// <summary>The router's BGP identifier, host order.</summary>
    public uint RouterId { get; }

    /// <summary>The links; their indices here are those of every other member.</summary>
    public IReadOnlyList<SimulatedLinkOptions> Links { get; }

    /// <summary>Grows with every change that may alter forwarding.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Overrides held, used or not.</summary>
    public int OverrideCount
    {
        get
        {
            lock (_gate)
            {
                return _rib.Values.Count(e => e.Injected is not null);
            }
        }
    }

    /// <summary>Raised for each change of an override, under the router's lock: handlers are quick and do not call back.</summary>
    public event Action<OverrideChange>? OverrideChanged;

    /// <summary>The transmit side of a link's port.</summary>
    public EgressInterface Interface(int link) => _links[link].Interface;

    /// <summary>Whether a link's port is up.</summary>
    public bool IsLinkUp(int link)
    {
        lock (_gate)
        {
            return _links[link].Up;
        }
    }

    /// <summary>A provider announces a route; an earlier one of the same provider is replaced. Kept while its session is down, and announced when it comes back.</summary>
    /// <exception cref="ArgumentException">The next hop is not of the prefix's family.</exception>
    public void AnnounceFromProvider(int link, IpPrefix prefix, SimulatedRoute route)
    {
        ArgumentNullException.ThrowIfNull(route);
        if (route.NextHop.Family != prefix.Family)
        {
            throw new ArgumentException("The next hop is not of the prefix's family.", nameof(route));
        }

        lock (_gate)
        {
            Entry entry = GetOrAdd(prefix);
            entry.Offered[link] = route;
            if (_links[link].HasSession)
            {
                Notify(prefix, link, route);
            }

            Reselect(prefix, entry);
        }
    }

    /// <summary>A provider withdraws a prefix; false if it had not announced it.</summary>
    public bool WithdrawByProvider(int link, IpPrefix prefix)
    {
        lock (_gate)
        {
            if (!_rib.TryGetValue(prefix, out Entry? entry) || entry.Offered[link] is null)
            {
                return false;
            }

            entry.Offered[link] = null;
            if (_links[link].HasSession)
            {
                Notify(prefix, link, null);
            }

            Reselect(prefix, entry);
            return true;
        }
    }

    /// <summary>A provider's eBGP session goes down or comes up; the port stays as it is.</summary>
    public void SetProviderSession(int link, bool up)
    {
        lock (_gate)
        {
            ChangeLink(link, _links[link].Up, up);
        }
    }

    /// <summary>A provider port goes down or comes up, and its provider's session with it.</summary>
    public void SetLinkUp(int link, bool up)
    {
        lock (_gate)
        {
            ChangeLink(link, up, up);
        }
    }

    /// <summary>Takes an override from the appliance's session; an earlier one for the prefix is replaced. False if it cannot be used.</summary>
    public bool InstallOverride(IpPrefix prefix, SimulatedRoute route)
    {
        ArgumentNullException.ThrowIfNull(route);
        lock (_gate)
        {
            Entry entry = GetOrAdd(prefix);
            int before = entry.Injected is null ? -1 : entry.InjectedLink;
            entry.Injected = route;
            Reselect(prefix, entry);
            bool usable = entry.InjectedLink >= 0;
            if (!usable || before != entry.InjectedLink)
            {
                OverrideChanged?.Invoke(new(
                    usable ? OverrideChangeKind.Installed : OverrideChangeKind.Ignored, prefix, entry.NativeLink, entry.InjectedLink));
            }

            return usable;
        }
    }

    /// <summary>The appliance withdraws an override; false if there was none.</summary>
    public bool WithdrawOverride(IpPrefix prefix)
    {
        lock (_gate)
        {
            return _rib.TryGetValue(prefix, out Entry? entry) && Drop(prefix, entry, OverrideChangeKind.Withdrawn);
        }
    }

    /// <summary>The appliance's session ended: all its routes go at once. Returns how many.</summary>
    public int DropOverrides()
    {
        lock (_gate)
        {
            (IpPrefix, Entry)[] injected = [.. _rib.Where(p => p.Value.Injected is not null).Select(p => (p.Key, p.Value))];
            foreach ((IpPrefix prefix, Entry entry) in injected)
            {
                Drop(prefix, entry, OverrideChangeKind.SessionLost);
            }

            return injected.Length;
        }
    }

    /// <summary>Where a packet to this address goes, by longest match over the best paths; and where plain BGP would send it.</summary>
    public ForwardingDecision Forward(IpAddr destination)
    {
        lock (_gate)
        {
            int link = -1;
            int native = -1;
            bool hasProviderRoute = false;
            for (int length = destination.BitLength; length >= 0 && (link < 0 || native < 0 || !hasProviderRoute); length--)
            {
                if (!HasLength(destination.Family, length)
                    || !_rib.TryGetValue(IpPrefix.Create(destination, length), out Entry? entry))
                {
                    continue;
                }

                link = link < 0 ? entry.BestLink : link;
                native = native < 0 ? entry.NativeLink : native;
                hasProviderRoute |= link >= 0 && entry.External(link, _links) is not null;
            }

            return new(link, native, link >= 0 && !hasProviderRoute);
        }
    }

    /// <summary>The best path of exactly this prefix and its link, or null and -1.</summary>
    public (SimulatedRoute? Route, int Link) BestOf(IpPrefix prefix)
    {
        lock (_gate)
        {
            return _rib.TryGetValue(prefix, out Entry? entry) ? (entry.Best, entry.BestLink) : (null, -1);
        }
    }

    /// <summary>The prefixes that have a route of a provider, sorted: a covering prefix before what it covers.</summary>
    public IpPrefix[] GetPrefixes()
    {
        lock (_gate)
        {
            return [.. _rib.Where(p => p.Value.NativeLink >= 0).Select(p => p.Key).Order()];
        }
    }

    /// <summary>Tells an observer all paths as they stand, and from then on every change.</summary>
    public void Observe(IPathObserver observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        lock (_gate)
        {
            _observers.Add(observer);
            foreach ((IpPrefix prefix, Entry entry) in _rib)
            {
                for (int link = 0; link < _links.Length; link++)
                {
                    if (entry.External(link, _links) is { } route)
                    {
                        observer.PathChanged(new(prefix, PathId(link), route));
                    }
                }

                observer.BestChanged(prefix);
            }
        }
    }

    /// <summary>Ends <see cref="Observe"/>.</summary>
    public void Unobserve(IPathObserver observer)
    {
        lock (_gate)
        {
            _observers.Remove(observer);
        }
    }

    private bool Drop(IpPrefix prefix, Entry entry, OverrideChangeKind kind)
    {
        if (entry.Injected is null)
        {
            return false;
        }

        int was = entry.InjectedLink;
        entry.Injected = null;
        Reselect(prefix, entry);
        OverrideChanged?.Invoke(new(kind, prefix, entry.NativeLink, was));
        return true;
    }

    private void ChangeLink(int link, bool up, bool session)
    {
        ref LinkState state = ref _links[link];
        bool had = state.HasSession;
        LinkState next = state with { Up = up, Session = session };
        bool has = next.HasSession;
        if (has && !had)
        {
            next = next with { Generation = next.Generation + 1 };
        }

        foreach ((IpPrefix prefix, Entry entry) in _rib)
        {
            if (had != has && entry.Offered[link] is { } route)
            {
                uint id = has ? PathId(link, next.Generation) : PathId(link);
                Notify(new(prefix, id, has ? route : null));
            }
        }

        state = next;
        foreach ((IpPrefix prefix, Entry entry) in _rib.ToArray())
        {
            Reselect(prefix, entry);
        }
    }

    private Entry GetOrAdd(IpPrefix prefix)
    {
        if (!_rib.TryGetValue(prefix, out Entry? entry))
        {
            entry = new Entry(_links.Length);
            _rib.Add(prefix, entry);
            UInt128 bit = UInt128.One << (prefix.Length & 127);
            if (prefix.Family == IpFamily.IPv4)
            {
                _lengthsIPv4 |= bit;
            }
            else if (prefix.Length == 128)
            {
                _lengthsIPv6.Full = true;
            }
            else
            {
                _lengthsIPv6.Low |= bit;
            }
        }

        return entry;
    }

    private bool HasLength(IpFamily family, int length) =>
        family == IpFamily.IPv4 ? (_lengthsIPv4 >> length & 1) != 0
        : length == 128 ? _lengthsIPv6.Full : (_lengthsIPv6.Low >> length & 1) != 0;

    private void Reselect(IpPrefix prefix, Entry entry)
    {
        SimulatedRoute?[] candidates = new SimulatedRoute?[_links.Length + 1];
        for (int i = 0; i < _links.Length; i++)
        {
            candidates[i] = entry.External(i, _links);
        }

        entry.NativeLink = BestPath.Select(candidates);
        entry.InjectedLink = entry.Injected is null ? -1 : UsableLink(prefix, entry.Injected);
        candidates[^1] = entry.InjectedLink >= 0 ? entry.Injected : null;
        int best = BestPath.Select(candidates);
        SimulatedRoute? previous = entry.Best;
        entry.Best = best < 0 ? null : candidates[best];
        entry.BestLink = best == _links.Length ? entry.InjectedLink : best;
        if (entry.Best is null && entry.Injected is null && !entry.Offered.AsSpan().ContainsAnyExcept((SimulatedRoute?)null))
        {
            _rib.Remove(prefix);
        }

        Volatile.Write(ref _version, _version + 1);
        if (!ReferenceEquals(previous, entry.Best))
        {
            foreach (IPathObserver observer in _observers)
            {
                observer.BestChanged(prefix);
            }
        }
    }

    private int UsableLink(IpPrefix prefix, SimulatedRoute route) =>
        route.NextHop.Family == prefix.Family && !route.AsPath.Contains(LocalAs)
        && _linkOfNextHop.TryGetValue(route.NextHop, out int link) && _links[link].Up ? link : -1;

    private uint PathId(int link) => PathId(link, _links[link].Generation);

    private static uint PathId(int link, uint generation) => generation << 8 | (uint)(link + 1);

    private void Notify(IpPrefix prefix, int link, SimulatedRoute? route) => Notify(new PathChange(prefix, PathId(link), route));

    private void Notify(in PathChange change)
    {
        foreach (IPathObserver observer in _observers)
        {
            observer.PathChanged(change);
        }
    }

    private readonly record struct LinkState(EgressInterface Interface)
    {
        public bool Up { get; init; } = true;

        public bool Session { get; init; } = true;

        public uint Generation { get; init; }

        public bool HasSession => Up && Session;
    }

    private sealed class Entry(int links)
    {
        public SimulatedRoute?[] Offered { get; } = new SimulatedRoute?[links];

        public SimulatedRoute? Injected { get; set; }

        public int InjectedLink { get; set; } = -1;

        public SimulatedRoute? Best { get; set; }

        public int BestLink { get; set; } = -1;

        public int NativeLink { get; set; } = -1;

        public SimulatedRoute? External(int link, LinkState[] states) => states[link].HasSession ? Offered[link] : null;
    }
}
