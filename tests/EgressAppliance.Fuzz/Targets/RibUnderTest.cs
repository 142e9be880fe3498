using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>A table of routes beside a dictionary that is told the same. All that is known here of the table's making is in the constructor.</summary>
internal sealed class RibUnderTest : IRibListener, IDisposable
{
    private readonly PrefixTable _prefixes = new();
    private readonly RibTable _table;
    private readonly RouteIntake[] _intakes;
    private readonly int _peers;
    private readonly Dictionary<(IpPrefix Prefix, int Peer, uint PathId), PathAttributes> _expected = [];
    private readonly HashSet<IpPrefix> _told = [];
    private readonly List<RibPath> _paths = [];

    public RibUnderTest(int peers)
    {
        _peers = peers;
        _table = new RibTable(peers, _prefixes);
        var gate = new Lock();
        var queue = new LockQueue();
        _intakes = [.. Enumerable.Range(0, peers).Select(peer => new RouteIntake(_table, peer, gate, queue, static (_, _, _) => { }))];
        _table.Attach(this);
    }

    /// <summary>Announces a route with the octets of its attributes, as the speaker does; <see cref="Flush"/> brings it into the table.</summary>
    public void Announce(int peer, Nlri nlri, PathAttributes attributes, ReadOnlySpan<byte> block)
    {
        uint set = _table.Hold(block);
        _intakes[peer].Announce(nlri.Prefix, nlri.PathId, set);
        _table.Release(set);
        _expected[(nlri.Prefix, peer, nlri.PathId)] = attributes;
    }

    /// <summary>Withdraws a route; <see cref="Flush"/> takes it out of the table.</summary>
    public void Withdraw(int peer, Nlri nlri)
    {
        _intakes[peer].Withdraw(nlri.Prefix, nlri.PathId);
        _expected.Remove((nlri.Prefix, peer, nlri.PathId));
    }

    /// <summary>Applies what was gathered.</summary>
    public void Flush(int peer) => _intakes[peer].Flush();

    /// <summary>The peer's session ended.</summary>
    public void Down(int peer)
    {
        _intakes[peer].Clear();
        _table.Hide(peer, true);
        uint cursor = 0;
        while (_table.Purge(peer, ref cursor, 64))
        {
        }

        foreach ((IpPrefix Prefix, int Peer, uint PathId) key in _expected.Keys.Where(k => k.Peer == peer).ToList())
        {
            _expected.Remove(key);
        }

        _table.Hide(peer, false);
        Check.That(Count(peer) == 0, $"{Count(peer)} routes of peer {peer} are left");
    }

    /// <inheritdoc/>
    public void Dispose() => _prefixes.Dispose();

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
