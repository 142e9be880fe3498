using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Net;

public class PrefixIdsTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void History_random_equals_oracle(IpFamily family)
    {
        Arbitrary<TableStep[]> histories = PrefixGenerators.History(family).ToArbitrary();
        Prop.ForAll(histories, steps =>
        {
            IdOracle oracle = new();
            for (int i = 0; i < steps.Length; i++)
            {
                oracle.Toggle(steps[i].Prefix, steps[i].Remove);
                if (i % 8 == 7)
                {
                    oracle.Tick();
                }
            }

            return oracle.Check();
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void History_of_thousands_with_mass_removals_equals_oracle(int seed)
    {
        Random random = new(seed);
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 4000).Select(i => i % 5 == 0
            ? IpPrefix.Create(IpAddr.FromIPv6(0x2001_0DB8_0000_0000, (ulong)i), 128)
            : IpPrefix.Create(IpAddr.FromIPv4((uint)i << 8), 24))];
        IdOracle oracle = new();
        for (int round = 0; round < 40; round++)
        {
            bool remove = random.Next(2) == 0;
            int share = random.Next(1, 101);
            foreach (IpPrefix prefix in prefixes)
            {
                if (random.Next(100) < share)
                {
                    oracle.Toggle(prefix, remove);
                }
            }

            if (random.Next(3) > 0)
            {
                oracle.Tick();
            }

            Assert.True(oracle.Check());
        }
    }

    [Fact]
    public void Tick_after_a_mass_removal_gives_the_memory_back()
    {
        PrefixIds ids = new();
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 100_000).Select(i => IpPrefix.Create(IpAddr.FromIPv4((uint)i << 8), 24))];
        uint[] given = [.. prefixes.Select(ids.Take)];
        long before = ids.MemoryBytes;
        for (int cycle = 0; cycle < 5; cycle++)
        {
            for (int i = 0; i < prefixes.Length; i++)
            {
                ids.Release(prefixes[i], given[i]);
            }

            Assert.Equal(prefixes.Length, ids.Resting);
            Assert.InRange(ids.MemoryBytes, before + (4 * prefixes.Length), before + (16 * prefixes.Length));
            if (cycle % 2 == 0)
            {
                ids.Tick();
                ids.Tick();
                Assert.Equal(0, ids.Resting);
                Assert.InRange(ids.MemoryBytes, before, before + prefixes.Length);
            }

            Assert.Equal(given, prefixes.Select(ids.Take));
            Assert.InRange(ids.MemoryBytes, before, before + prefixes.Length);
        }
    }

    [Fact]
    public void Take_of_other_long_prefixes_again_and_again_takes_no_more_memory()
    {
        PrefixIds ids = new();
        long most = 0;
        for (ulong cycle = 0; cycle < 10; cycle++)
        {
            IpPrefix[] prefixes = [.. Enumerable.Range(0, 1000).Select(i => IpPrefix.Create(IpAddr.FromIPv6(cycle, (ulong)i), 128))];
            uint[] given = [.. prefixes.Select(ids.Take)];
            Assert.Equal(prefixes, given.Select(ids.PrefixOf));
            for (int i = 0; i < prefixes.Length; i++)
            {
                ids.Release(prefixes[i], given[i]);
            }

            // An id that passes on takes its new place before it gives up the old one.
            most = cycle == 1 ? ids.MemoryBytes : most;
            Assert.True(cycle < 2 || ids.MemoryBytes == most);
            ids.Tick();
            ids.Tick();
        }

        Assert.Equal(1001, ids.Capacity);
    }

    [Fact]
    public void Take_gives_the_lowest_free_id()
    {
        PrefixIds ids = new();
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 200).Select(i => IpPrefix.Create(IpAddr.FromIPv4((uint)i << 8), 24))];
        uint[] given = [.. prefixes.Select(ids.Take)];
        foreach (int i in (int[])[150, 3, 77])
        {
            ids.Release(prefixes[i], given[i]);
        }

        ids.Tick();
        ids.Tick();
        uint[] again = [.. Enumerable.Range(0, 4).Select(i => ids.Take(IpPrefix.Create(IpAddr.FromIPv4((uint)i << 8), 25)))];
        Assert.Equal([given[3], given[77], given[150], 201], again);
    }

    /// <summary>Ids and what must be true of them, told by dictionaries.</summary>
    private sealed class IdOracle
    {
        private readonly PrefixIds _ids = new();
        private readonly Dictionary<IpPrefix, uint> _held = [];
        private readonly Dictionary<IpPrefix, (uint Id, int Since)> _resting = [];
        private readonly SortedSet<uint> _free = [];
        private int _ticks;
        private uint _next = 1;

        public void Toggle(IpPrefix prefix, bool remove)
        {
            if (remove)
            {
                if (_held.Remove(prefix, out uint id))
                {
                    _ids.Release(prefix, id);
                    _resting.Add(prefix, (id, _ticks));
                }
            }
            else if (!_held.ContainsKey(prefix))
            {
                uint id = _ids.Take(prefix);
                Assert.Equal(Expected(prefix), id);
                _held.Add(prefix, id);
            }
        }

        public void Tick()
        {
            _ids.Tick();
            _ticks++;
            foreach ((IpPrefix prefix, (uint id, int since)) in _resting.ToArray())
            {
                if (_ticks - since == 2)
                {
                    _resting.Remove(prefix);
                    _free.Add(id);
                }
            }
        }

        public bool Check()
        {
            Assert.Equal((_resting.Count, (int)_next), (_ids.Resting, _ids.Capacity));
            Assert.All(_held, e => Assert.Equal(e.Key, _ids.PrefixOf(e.Value)));
            Assert.All(_resting, e => Assert.Equal(e.Key, _ids.PrefixOf(e.Value.Id)));
            return true;
        }

        private uint Expected(IpPrefix prefix)
        {
            if (_resting.Remove(prefix, out (uint Id, int Since) rest))
            {
                return rest.Id;
            }

            if (_free.Count == 0)
            {
                return _next++;
            }

            uint lowest = _free.Min;
            _free.Remove(lowest);
            return lowest;
        }
    }
}
