using System.Net;
using System.Reflection;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

/// <summary>A speaker without sessions: paths are what the test says, and every call is noted in order.</summary>
internal sealed class FakeSpeaker : IBgpSpeaker
{
    private static readonly ConstructorInfo MakeOverride = typeof(Override).GetConstructors(BindingFlags.NonPublic | BindingFlags.Instance).Single();
    private readonly Lock _gate = new();
    private readonly Dictionary<IpPrefix, RibPath[]> _paths = [];
    private readonly Dictionary<IpPrefix, Override> _overrides = [];
    private readonly List<string> _calls = [];

    public event Action<IpPrefix, string>? OverrideLost;

    public List<PeerStatus> Peers { get; } = [MakePeer("edge1")];

    /// <summary>Refusals by prefix, of <see cref="TryCreateOverride"/> and of <see cref="Announce"/>.</summary>
    public Dictionary<IpPrefix, OverrideRefusal> RefuseToCreate { get; } = [];

    public Dictionary<IpPrefix, OverrideRefusal> RefuseToAnnounce { get; } = [];

    /// <summary>Runs inside the next call of <see cref="Announce"/>.</summary>
    public Action? OnAnnounce { get; set; }

    /// <summary>Runs inside each call of <see cref="GetPeers"/>.</summary>
    public Action? OnGetPeers { get; set; }

    public int Heartbeats { get; private set; }

    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_gate)
            {
                return [.. _calls];
            }
        }
    }

    public static PeerStatus MakePeer(string name) => new(
        name, IPAddress.Loopback, SessionState.Established, default, true, true, 1, 0, 0, 0, 0, 1, 0, null);

    public static RibPath Path(string nextHop, uint localPref = 100, uint origin = 64500) => new(0, 1, new PathAttributes
    {
        NextHop = new NextHop(IpAddr.Parse(nextHop)),
        LocalPref = localPref,
        AsPath = AsPath.Sequence(64496, origin),
        Communities = [(64496u << 16) | 7],
    });

    /// <summary>Sets the paths of a prefix by their next hops, the preferred first.</summary>
    public void Learn(string prefix, params string[] nextHops)
    {
        lock (_gate)
        {
            _paths[IpPrefix.Parse(prefix)] = [.. nextHops.Select(n => Path(n))];
        }
    }

    /// <summary>Sets the paths of a prefix, the preferred first.</summary>
    public void Learn(string prefix, params RibPath[] paths)
    {
        lock (_gate)
        {
            _paths[IpPrefix.Parse(prefix)] = paths;
        }
    }

    /// <summary>Ends an override as the speaker does when its path goes, and tells of it on the calling thread.</summary>
    public void Lose(string prefix)
    {
        Drop(prefix);
        OverrideLost?.Invoke(IpPrefix.Parse(prefix), "path withdrawn");
    }

    /// <summary>The same before anybody was told.</summary>
    public void Drop(string prefix)
    {
        lock (_gate)
        {
            _overrides.Remove(IpPrefix.Parse(prefix));
        }
    }

    /// <summary>Announces what nobody asked for.</summary>
    public void Stray(string prefix, string nextHop)
    {
        lock (_gate)
        {
            _overrides[IpPrefix.Parse(prefix)] = New(IpPrefix.Parse(prefix), Path(nextHop));
        }
    }

    public IReadOnlyDictionary<string, string> Announced()
    {
        lock (_gate)
        {
            return _overrides.ToDictionary(o => o.Key.ToString(), o => o.Value.Path.NextHop.Address.ToString());
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public IReadOnlyList<PeerStatus> GetPeers()
    {
        OnGetPeers?.Invoke();
        return [.. Peers];
    }

    public IReadOnlyList<RibPath> GetPaths(IpPrefix prefix)
    {
        lock (_gate)
        {
            return _paths.GetValueOrDefault(prefix) ?? [];
        }
    }

    /// <summary>What the routers have chosen themselves.</summary>
    public Dictionary<IpPrefix, RibPath[]> LocRib { get; } = [];

    public IReadOnlyList<RibPath> GetLocRib(IpPrefix prefix) => LocRib.GetValueOrDefault(prefix) ?? [];

    public bool TryCreateOverride(IpPrefix prefix, IpAddr nextHop, out Override? created, out OverrideRefusal refusal)
    {
        RibPath path = GetPaths(prefix).FirstOrDefault(p => p.NextHop.Address == nextHop);
        refusal = path.Attributes is null ? OverrideRefusal.PathNotLearned : RefuseToCreate.GetValueOrDefault(prefix);
        created = refusal == OverrideRefusal.None ? New(prefix, path) : null;
        return created is not null;
    }

    public IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Announce(IReadOnlyCollection<Override> overrides)
    {
        Action? action = OnAnnounce;
        OnAnnounce = null;
        action?.Invoke();
        List<(IpPrefix, OverrideRefusal)> refused = [];
        lock (_gate)
        {
            _calls.Add("announce " + string.Join(' ', overrides.Select(o => o.Prefix)));
            foreach (Override route in overrides)
            {
                if (RefuseToAnnounce.TryGetValue(route.Prefix, out OverrideRefusal refusal))
                {
                    refused.Add((route.Prefix, refusal));
                }
                else
                {
                    _overrides[route.Prefix] = route;
                }
            }
        }

        return refused;
    }

    public void Withdraw(IReadOnlyCollection<IpPrefix> prefixes)
    {
        lock (_gate)
        {
            _calls.Add("withdraw " + string.Join(' ', prefixes));
            foreach (IpPrefix prefix in prefixes)
            {
                _overrides.Remove(prefix);
            }
        }
    }

    public int WithdrawAll()
    {
        lock (_gate)
        {
            _calls.Add("withdraw-all");
            int count = _overrides.Count;
            _overrides.Clear();
            return count;
        }
    }

    public IReadOnlyList<Override> GetOverrides()
    {
        lock (_gate)
        {
            return [.. _overrides.Values];
        }
    }

    public RefreshOutcome RequestRefresh(string peer, IpFamily? family)
    {
        lock (_gate)
        {
            _calls.Add($"refresh {peer} {family?.ToString() ?? "all"}");
        }

        return Peers.Exists(p => p.Name == peer) ? RefreshOutcome.Sent : RefreshOutcome.UnknownPeer;
    }

    public void Heartbeat() => Heartbeats++;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Override New(IpPrefix prefix, RibPath path) => (Override)MakeOverride.Invoke([prefix, path]);
}
