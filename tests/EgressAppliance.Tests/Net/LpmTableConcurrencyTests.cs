using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

/// <summary>
/// A writer lets more-specifics come and go under covers that stay, and reuses the memory they leave at every tick, while readers look up. The ids stay
/// the same because every prefix is back before its rest ends, so for each address the right answers are known: a prefix that contains it.
/// </summary>
public class LpmTableConcurrencyTests
{
    private const int Rounds = 600;

    [Theory]
    [InlineData("10.0.0.0/8", "0.0.127.255", 20)]
    [InlineData("2001:db8::/30", "0:3:3:3:8000::3", 36)]
    // Few under each /20, so that whole tables come and go.
    [InlineData("2000::/8", "ff:f880:3::", 21)]
    public async Task Lookup_during_changes_gives_only_prefixes_that_contain_the_address(string coverText, string varyingText, int shortest)
    {
        using PrefixTable table = new();
        Random random = new(42);
        IpPrefix cover = IpPrefix.Parse(coverText);
        IpAddr varying = IpAddr.Parse(varyingText);
        table.Add(cover);
        IpAddr[] addresses = [.. Enumerable.Range(0, 512).Select(_ => RandomAddress(random, cover, varying))];
        IpPrefix[] specifics = [.. addresses.Select(a => IpPrefix.Create(a, random.Next(shortest, a.BitLength + 1))).Distinct()];
        table.AddRange(specifics);
        IpPrefix[] byId = [.. Enumerable.Range(0, table.IdCapacity).Select(id => table.PrefixOf((uint)id))];
        using CancellationTokenSource done = new();

        Task<long>[] readers = [Task.Run(() => ReadBatches(table, addresses, byId, done.Token)), Task.Run(() => ReadSingly(table, addresses, byId, done.Token))];
        try
        {
            for (int round = 0; round < Rounds; round++)
            {
                random.Shuffle(specifics);
                ReadOnlySpan<IpPrefix> some = specifics.AsSpan(0, random.Next(1, specifics.Length / 2));
                foreach (IpPrefix prefix in some)
                {
                    Assert.True(table.Remove(prefix));
                }

                table.Tick();
                table.AddRange(some);
            }
        }
        finally
        {
            await done.CancelAsync();
        }

        Assert.All(await Task.WhenAll(readers), looked => Assert.True(looked > 0));
        Assert.Equal(byId.Length, table.IdCapacity);
        Assert.True(table.Lookup.GetStatistics().Reclaims > Rounds / 2);
    }

    [Fact]
    public async Task PrefixOf_while_ids_pass_to_other_prefixes_is_never_torn()
    {
        using PrefixTable table = new();
        // Some fit in a word beside the id, some do not: the id passes between the two kinds in every way.
        int[] lengths = [128, 128, 48, 56, 57];
        IpPrefix[] prefixes = [.. Enumerable.Range(1, 64).Select(i => IpPrefix.Create(IpAddr.FromIPv6((ulong)i * 0x0101_0101_0101_0101, (ulong)i * 0x0101_0101_0101_0101), lengths[i % lengths.Length]))];
        using CancellationTokenSource done = new();
        uint first = table.Add(prefixes[0]);
        Task<int> reader = Task.Run(() =>
        {
            HashSet<IpPrefix> seen = [];
            do
            {
                seen.Add(table.PrefixOf(first));
            }
            while (!done.IsCancellationRequested);
            return seen.Except(prefixes).Count();
        });
        for (int i = 1; i < 5_000; i++)
        {
            table.Remove(prefixes[(i - 1) % prefixes.Length]);
            table.Tick();
            table.Tick();
            Assert.Equal(first, table.Add(prefixes[i % prefixes.Length]));
        }

        await done.CancelAsync();
        Assert.Equal(0, await reader);
    }

    [Fact]
    public async Task TryLongestMatch_and_Entries_from_other_threads_agree_with_a_state_of_the_table()
    {
        using PrefixTable table = new();
        IpPrefix cover = IpPrefix.Parse("10.0.0.0/8");
        IpPrefix specific = IpPrefix.Parse("10.1.0.0/16");
        table.Add(cover);
        using CancellationTokenSource done = new();
        Task reader = Task.Run(() =>
        {
            do
            {
                Assert.True(table.TryLongestMatch(IpAddr.Parse("10.1.2.3"), out IpPrefix match, out _));
                Assert.True(match == cover || match == specific);
                Assert.InRange(table.Entries().Count(), 1, 2);
                Assert.True(table.TryGetId(cover, out _));
            }
            while (!done.IsCancellationRequested);
        });
        for (int i = 0; i < 5000; i++)
        {
            table.Add(specific);
            table.Remove(specific);
        }

        await done.CancelAsync();
        await reader;
        Assert.Equal(1, table.Count);
    }

    private static long ReadBatches(PrefixTable table, IpAddr[] addresses, IpPrefix[] byId, CancellationToken done)
    {
        uint[] v4 = [.. addresses.Select(a => a.IPv4Value)];
        ulong[] high = [.. addresses.Select(a => a.High)];
        ulong[] low = [.. addresses.Select(a => a.Low)];
        uint[] ids = new uint[addresses.Length];
        long looked = 0;
        do
        {
            if (addresses[0].Family == IpFamily.IPv4)
            {
                table.Lookup.LookupIPv4(v4, ids);
            }
            else
            {
                table.Lookup.LookupIPv6(high, low, ids);
            }

            for (int i = 0; i < ids.Length; i++)
            {
                Check(addresses[i], ids[i], byId);
            }

            looked += ids.Length;
        }
        while (!done.IsCancellationRequested);
        return looked;
    }

    private static long ReadSingly(PrefixTable table, IpAddr[] addresses, IpPrefix[] byId, CancellationToken done)
    {
        long looked = 0;
        do
        {
            foreach (IpAddr address in addresses)
            {
                Check(address, table.Lookup.Lookup(address), byId);
            }

            looked += addresses.Length;
        }
        while (!done.IsCancellationRequested);
        return looked;
    }

    private static void Check(IpAddr address, uint id, IpPrefix[] byId)
    {
        if (id == 0 || id >= byId.Length || !byId[id].Contains(address))
        {
            Assert.Fail($"{address} gave id {id:x}, which is {(id < byId.Length ? byId[id] : "no id")}.");
        }
    }

    // An address in the cover of which only the bits of a mask vary.
    private static IpAddr RandomAddress(Random random, IpPrefix cover, IpAddr varying)
    {
        ulong high = cover.Address.High | (((ulong)random.NextInt64() << 1) & varying.High);
        ulong low = ((ulong)random.NextInt64() << 1) & varying.Low;
        return IpAddr.FromBits(cover.Family, high, low | (varying.Low & (ulong)random.Next(2)));
    }
}
