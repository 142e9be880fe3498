using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>A table of routes beside a dictionary that is told the same. All that is known here of the table's making is in the constructor.</summary>
internal sealed class RibUnderTest : IRibListener
{
    private readonly RibTable _table;
    private readonly int _peers;
    private readonly Dictionary<(IpPrefix Prefix, int Peer, uint PathId), PathAttributes> _expected = [];
    private readonly HashSet<IpPrefix> _told = [];
    private readonly List<RibPath> _paths = [];

    public RibUnderTest(int peers)
    {
        _peers = peers;
        _table = new RibTable(peers);
        _table.Attach(this);
    }

    public void Announce(int peer, Nlri nlri, PathAttributes attributes)
    {
        bool known = _expected.TryGetValue((nlri.Prefix, peer, nlri.PathId), out PathAttributes? old);
        RibChange change = _table.Announce(peer, nlri.Prefix, nlri.PathId, attributes);
        RibChange expected = !known ? RibChange.Added : old!.Equals(attributes) ? RibChange.None : RibChange.Replaced;
        Check.That(change == expected, $"announcing {nlri} is {change} instead of {expected}");
        _expected[(nlri.Prefix, peer, nlri.PathId)] = attributes;
    }

    public void Withdraw(int peer, Nlri nlri)
    {
        bool removed = _table.Withdraw(peer, nlri.Prefix, nlri.PathId);
        Check.That(removed == _expected.Remove((nlri.Prefix, peer, nlri.PathId)), $"withdrawing {nlri} is {removed}");
    }

    /// <summary>The peer's session ended.</summary>
    public void Down(int peer)
    {
        _table.Hide(peer, true);
        List<IpPrefix> prefixes = _table.PrefixesOf(peer);
        Check.That(prefixes.Count == prefixes.Distinct().Count(), $"a prefix of peer {peer} is listed twice");
        foreach (IpPrefix prefix in prefixes)
        {
            int removed = _table.WithdrawPeer(peer, prefix);
            int expected = 0;
            foreach ((IpPrefix Prefix, int Peer, uint PathId) key in _expected.Keys.Where(k => k.Prefix == prefix && k.Peer == peer).ToList())
            {
                _expected.Remove(key);
                expected++;
            }

            Check.That(removed == expected, $"{removed} paths of {prefix} were removed instead of {expected}");
        }

        _table.Hide(peer, false);
        Check.That(Count(peer) == 0 && !_expected.Keys.Any(k => k.Peer == peer), $"{Count(peer)} routes of peer {peer} are left");
    }

    public int Count(int peer) => _table.PathCount(peer, IpFamily.IPv4) + _table.PathCount(peer, IpFamily.IPv6);

    /// <summary>Compares everything. Returns a hash over all routes, whatever their order.</summary>
    public ulong Compare()
    {
        Check.That(_table.PrefixCount == _expected.Keys.Select(k => k.Prefix).Distinct().Count(), $"{_table.PrefixCount} prefixes");
        Check.That(_table.AttributeSetCount == _expected.Values.Distinct().Count(), $"{_table.AttributeSetCount} attribute sets");
        Check.That(_told.SetEquals(_expected.Keys.Select(k => k.Prefix)), $"the listener knows [{string.Join(' ', _told)}]");
        for (int peer = 0; peer < _peers; peer++)
        {
            foreach (IpFamily family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
            {
                int count = _expected.Keys.Count(k => k.Peer == peer && k.Prefix.Family == family);
                Check.That(_table.PathCount(peer, family) == count, $"{_table.PathCount(peer, family)} {family} paths of peer {peer} instead of {count}");
            }
        }

        ulong sum = 0;
        foreach (IpPrefix prefix in _told)
        {
            _paths.Clear();
            _table.CopyPaths(prefix, _paths);
            Check.That(_paths.Count == _expected.Keys.Count(k => k.Prefix == prefix), $"{_paths.Count} paths of {prefix}");
            foreach (RibPath path in _paths)
            {
                bool same = _expected.TryGetValue((prefix, path.Peer, path.PathId), out PathAttributes? attributes) && attributes.Equals(path.Attributes);
                Check.That(same, $"{prefix} has {RouteChecks.Describe(path.Attributes)} instead of {RouteChecks.Describe(attributes)}");
                Digest digest = default;
                RouteChecks.Add(ref digest, prefix);
                digest.Add(((ulong)path.Peer << 32) | path.PathId);
                RouteChecks.Add(ref digest, path.Attributes);
                sum += digest.Value;
            }
        }

        return sum;
    }

    /// <summary>Nothing is left, attribute sets included.</summary>
    public void CheckEmpty()
    {
        Compare();
        Check.That(_expected.Count == 0 && _table.PrefixCount == 0 && _table.AttributeSetCount == 0, $"{Describe()} is left");
    }

    public string Describe() => string.Join("; ", _expected.OrderBy(e => e.Key).Select(e => $"{e.Key.Prefix} peer {e.Key.Peer} id {e.Key.PathId} {RouteChecks.Describe(e.Value)}"));

    public void PrefixAdded(IpPrefix prefix) => Check.That(_told.Add(prefix), $"{prefix} was added twice");

    public void PrefixRemoved(IpPrefix prefix) => Check.That(_told.Remove(prefix), $"{prefix} was removed and not there");
}
