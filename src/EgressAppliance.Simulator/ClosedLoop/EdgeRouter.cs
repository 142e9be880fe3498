namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>
/// The router of one contestant: native paths, and the overrides that were announced to it, which win while it takes them and their path is there.
/// It keeps the contestant's score.
/// </summary>
public sealed class EdgeRouter
{
    private const int Hour = 3600;

    private readonly TrafficWorld _world;
    private readonly SortedDictionary<int, int>[] _overrides;
    private readonly int[] _links;
    private readonly long[] _thresholds;
    private readonly Dictionary<int, List<int>> _changes = [];
    private int _routingVersion;

    /// <summary>A router without overrides.</summary>
    /// <param name="world">The truth.</param>
    /// <param name="announcers">How many may announce to it.</param>
    public EdgeRouter(TrafficWorld world, int announcers = 1)
    {
        ArgumentNullException.ThrowIfNull(world);
        _world = world;
        _overrides = [.. Enumerable.Range(0, announcers).Select(_ => new SortedDictionary<int, int>())];
        _links = new int[world.Rate.Length];
        Load = new double[world.LinkUp.Length];
        Peak = new double[Load.Length];
        _thresholds = [.. world.Scenario.Links.Select(l => (long)(l.CapacityBps * l.Threshold))];
        Route();
    }

    /// <summary>Raised when an override goes with its path: announcer, prefix. The speaker notices at once.</summary>
    public event Action<int, int>? Lost;

    /// <summary>Load of each link in this second, bit/s.</summary>
    public double[] Load { get; }

    /// <summary>Highest load of each link so far, bit/s.</summary>
    public double[] Peak { get; }

    /// <summary>Σ over links of the seconds above threshold.</summary>
    public int OverloadSeconds { get; private set; }

    /// <summary>Σ over links and time of what exceeded the threshold, bit.</summary>
    public double OverloadBits { get; private set; }

    /// <summary>Σ over links and time of what exceeded the capacity, bit.</summary>
    public double LostBits { get; private set; }

    /// <summary>Announcements that put a prefix on another link.</summary>
    public int Moves { get; private set; }

    /// <summary>Overrides that ended.</summary>
    public int Releases { get; private set; }

    /// <summary>Most moves and releases of one prefix within any hour.</summary>
    public int MostChangesPerHour { get; private set; }

    /// <summary>Overrides held, of all announcers.</summary>
    public int Overrides => _overrides.Sum(o => o.Count);

    /// <summary>The link that a prefix leaves by, −1 for none.</summary>
    public int LinkOf(int prefix) => _links[prefix];

    /// <summary>The overrides of an announcer: prefix → link.</summary>
    public IReadOnlyDictionary<int, int> OverridesOf(int announcer) => _overrides[announcer];

    /// <summary>Takes a route for a prefix by a link.</summary>
    /// <returns>False if there is no such path.</returns>
    public bool Announce(int announcer, int prefix, int link)
    {
        if (!_world.Paths[prefix].Contains(link))
        {
            return false;
        }

        if (!_overrides[announcer].TryGetValue(prefix, out int before) || before != link)
        {
            _overrides[announcer][prefix] = link;
            Moves++;
            Count(prefix);
            _links[prefix] = Choose(prefix);
        }

        return true;
    }

    /// <summary>Drops a route.</summary>
    public void Withdraw(int announcer, int prefix)
    {
        if (_overrides[announcer].Remove(prefix))
        {
            Releases++;
            Count(prefix);
            _links[prefix] = Choose(prefix);
        }
    }

    /// <summary>Drops all routes of an announcer: its session is gone.</summary>
    public void Clear(int announcer)
    {
        foreach (int prefix in _overrides[announcer].Keys.ToArray())
        {
            Withdraw(announcer, prefix);
        }
    }

    /// <summary>Forwards a second's traffic.</summary>
    public void Forward()
    {
        if (_routingVersion != _world.RoutingVersion)
        {
            Route();
        }

        Array.Clear(Load);
        for (int i = 0; i < _links.Length; i++)
        {
            if (_links[i] >= 0)
            {
                Load[_links[i]] += _world.Rate[i];
            }
        }

        for (int l = 0; l < Load.Length; l++)
        {
            Peak[l] = Math.Max(Peak[l], Load[l]);
            double over = Load[l] - _thresholds[l];
            if (over > 0)
            {
                OverloadSeconds++;
                OverloadBits += over;
                LostBits += Math.Max(0, Load[l] - _world.Scenario.Links[l].CapacityBps);
            }
        }
    }

    private void Route()
    {
        _routingVersion = _world.RoutingVersion;
        for (int a = 0; a < _overrides.Length; a++)
        {
            foreach ((int prefix, int link) in _overrides[a].ToArray())
            {
                if (!_world.Paths[prefix].Contains(link))
                {
                    Withdraw(a, prefix);
                    Lost?.Invoke(a, prefix);
                }
            }
        }

        for (int i = 0; i < _links.Length; i++)
        {
            _links[i] = Choose(i);
        }
    }

    private int Choose(int prefix)
    {
        int[] paths = _world.Paths[prefix];
        if (paths.Length == 0)
        {
            return -1;
        }

        int native = paths[0];
        if (paths.Length > 1 && _world.Find(ScenarioEventKind.RouterPrefers, link: native) is { Link: not null })
        {
            // Weight beats LOCAL_PREF, so overrides do not count for these prefixes either.
            return paths[1];
        }

        foreach (SortedDictionary<int, int> announced in _overrides)
        {
            if (announced.TryGetValue(prefix, out int link) && _world.Find(ScenarioEventKind.RouterRefuses, link: link) is null)
            {
                return link;
            }
        }

        return native;
    }

    private void Count(int prefix)
    {
        if (!_changes.TryGetValue(prefix, out List<int>? times))
        {
            _changes[prefix] = times = [];
        }

        times.RemoveAll(t => t <= _world.Second - Hour);
        times.Add(_world.Second);
        MostChangesPerHour = Math.Max(MostChangesPerHour, times.Count);
    }
}
