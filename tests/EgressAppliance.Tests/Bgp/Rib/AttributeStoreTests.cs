using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class AttributeStoreTests
{
    [Fact]
    public void Set_comes_back_out_of_its_octets_as_it_went_in() =>
        Prop.ForAll<int>(seed =>
        {
            var generators = new WireGenerators(seed);
            PathAttributes attributes = generators.Attributes(seed % 2 == 0 ? IpFamily.IPv4 : IpFamily.IPv6);
            byte[] block = AttributeBlock.From(attributes);
            var view = new AttributeView(block);

            Assert.Equal(attributes, AttributeBlock.ToAttributes(block));
            Assert.Equal(attributes.Origin, view.Origin);
            Assert.Equal(attributes.Med, view.Med);
            Assert.Equal(attributes.LocalPref, view.LocalPref);
            Assert.Equal(attributes.OriginatorId, view.OriginatorId);
            Assert.Equal(attributes.Aggregator, view.Aggregator);
            Assert.Equal(attributes.NextHop, view.NextHop);
            Assert.Equal(attributes.AsPath.Length, view.AsPathLength);
            Assert.Equal(attributes.ClusterList.Length * 4, view.List(BlockLists.ClusterList).Length);
            foreach (uint community in attributes.Communities)
            {
                Assert.True(view.HasCommunity(community));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Next_hop_of_a_block_can_be_changed()
    {
        var parts = new BlockParts { Med = 7, Communities = [0, 0, 0, 1, 0, 0, 0, 2] };
        byte[] room = new byte[AttributeBlock.Bound(parts)];
        int length = AttributeBlock.Write(parts, room);
        foreach (NextHop nextHop in new NextHop[]
        {
            new(IpAddr.Parse("192.0.2.1")), new(IpAddr.Parse("2001:db8::1"), IpAddr.Parse("fe80::1")), default, new(IpAddr.Parse("2001:db8::2")),
        })
        {
            int whole = AttributeBlock.SetNextHop(room, length, nextHop);
            PathAttributes read = AttributeBlock.ToAttributes(room.AsSpan(0, whole));

            Assert.Equal(nextHop, read.NextHop);
            Assert.Equal(7u, read.Med);
            Assert.Equal([1u, 2u], read.Communities.AsEnumerable());
        }
    }

    [Fact]
    public void Store_agrees_with_a_counting_dictionary_after_any_run_of_uses() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var store = new AttributeStore();
            var users = new Dictionary<int, (uint Set, int Users)>();
            for (int step = 0; step < 3000; step++)
            {
                // Kinds of very different lengths, so that freed places are of the right size and no other.
                int kind = random.Next(400);
                byte[] block = AttributeBlock.From(new PathAttributes { Med = (uint)kind, Communities = [.. Enumerable.Range(0, kind % 7 * 20).Select(i => (uint)i)] });
                if (random.Next(2) == 0)
                {
                    uint set = store.Acquire(block);
                    Assert.True(!users.TryGetValue(kind, out (uint Set, int Users) known) || known.Set == set);
                    users[kind] = (set, known.Users + 1);
                }
                else if (users.TryGetValue(kind, out (uint Set, int Users) known))
                {
                    Assert.True(store.Block(known.Set).SequenceEqual(block));
                    store.Release(known.Set);
                    if (known.Users == 1)
                    {
                        users.Remove(kind);
                    }
                    else
                    {
                        users[kind] = (known.Set, known.Users - 1);
                    }
                }

                Assert.Equal(users.Count, store.Count);
            }

            Assert.Equal(users.Count, users.Values.Select(u => u.Set).Distinct().Count());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Memory_does_not_grow_when_sets_come_and_go()
    {
        var store = new AttributeStore();
        long after = 0;
        for (int round = 0; round < 20; round++)
        {
            uint[] sets = [.. Enumerable.Range(0, 20_000).Select(i => store.Acquire(AttributeBlock.From(new PathAttributes { Med = (uint)(i + (round * 7)) })))];
            foreach (uint set in sets)
            {
                store.Release(set);
            }

            after = round == 0 ? store.MemoryBytes : after;
        }

        Assert.Equal(0, store.Count);
        Assert.Equal(after, store.MemoryBytes);
    }
}
