using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

public class RestingIdsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Does_what_a_dictionary_does_in_any_order_of_adding_taking_and_ticks(int seed)
    {
        Random random = new(seed);
        PrefixPages pages = new();
        RestingIds resting = new(pages);
        IdSet free = new();
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 20_000).Select(i => PrefixOf(i, random))];
        for (int i = 0; i < prefixes.Length; i++)
        {
            pages.Set((uint)i + 1, prefixes[i]);
        }

        Dictionary<IpPrefix, (uint Id, int Age)> expected = [];
        HashSet<uint> expectedFree = [];
        for (int step = 0; step < 60; step++)
        {
            // Runs that let most rest at once and runs that take most back: tables grow, empty and shrink.
            int adding = random.Next(prefixes.Length);
            foreach (int i in Enumerable.Range(0, adding).Select(_ => random.Next(prefixes.Length)))
            {
                uint id = (uint)i + 1;
                if (!expectedFree.Contains(id) && expected.TryAdd(prefixes[i], (id, 0)))
                {
                    resting.Add(id, prefixes[i]);
                }
            }

            int taking = random.Next(2) == 0 ? random.Next(100) : random.Next(prefixes.Length);
            foreach (int i in Enumerable.Range(0, taking).Select(_ => random.Next(prefixes.Length)))
            {
                bool there = expected.Remove(prefixes[i], out (uint Id, int Age) held);
                Assert.Equal((there, held.Id), (resting.TryTake(prefixes[i], out uint id), id));
            }

            if (random.Next(3) == 0)
            {
                resting.Tick(free);
                foreach ((IpPrefix prefix, (uint id, int age)) in expected.ToArray())
                {
                    if (age == 1)
                    {
                        expected.Remove(prefix);
                        expectedFree.Add(id);
                    }
                    else
                    {
                        expected[prefix] = (id, 1);
                    }
                }
            }

            Assert.Equal((expected.Count, expectedFree.Count), (resting.Count, free.Count));
            if (expectedFree.Count > prefixes.Length / 2)
            {
                Assert.All(expectedFree, id => Assert.True(free.Remove(id)));
                expectedFree.Clear();
            }
        }
    }

    [Fact]
    public void Gives_back_the_room_of_a_table_that_was_lost()
    {
        PrefixPages pages = new();
        RestingIds resting = new(pages);
        IdSet free = new();
        for (uint id = 1; id <= 100_000; id++)
        {
            IpPrefix prefix = IpPrefix.Create(IpAddr.FromIPv4(id << 8), 24);
            pages.Set(id, prefix);
            resting.Add(id, prefix);
        }

        Assert.InRange(resting.MemoryBytes, 100_000 * 4L * 4 / 3, 100_000 * 4L * 3);
        resting.Tick(free);
        resting.Tick(free);

        Assert.Equal((0, 100_000), (resting.Count, free.Count));
        Assert.InRange(resting.MemoryBytes, 0, 120_000);
    }

    private static IpPrefix PrefixOf(int i, Random random) => (i % 3) switch
    {
        0 => IpPrefix.Create(IpAddr.FromIPv4((uint)i << 8), 24),
        1 => IpPrefix.Create(IpAddr.FromIPv6(((ulong)i << 20) | (0x2001UL << 48), 0), 48),
        _ => IpPrefix.Create(IpAddr.FromIPv6(0x2001UL << 48, ((ulong)i << 32) | (uint)random.Next()), 128),
    };
}
