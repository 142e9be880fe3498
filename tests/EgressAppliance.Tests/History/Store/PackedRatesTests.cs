using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Tests.History.Store;

public sealed class PackedRatesTests
{
    [Fact]
    public void Pack_and_unpack_give_the_same_whatever_the_rates()
    {
        Random random = new(1);
        for (int round = 0; round < 200; round++)
        {
            PackedRate[] rates =
            [
                .. Enumerable.Range(0, random.Next(50)).Select(_ => new PackedRate(1 + random.Next(1 << random.Next(1, 31)), random.Next(1 << random.Next(1, 17)), random.NextInt64(1L << random.Next(1, 50))))
                    .DistinctBy(r => r.Key).OrderBy(r => r.Key),
            ];
            ReadOnlySpan<byte> packed = PackedRates.Pack(rates);
            int prefix = 0;
            List<PackedRate> read = [];
            while (PackedRates.TryNext(ref packed, ref prefix, out PackedRate rate))
            {
                read.Add(rate);
            }

            Assert.Equal(rates, read);
            Assert.True(packed.IsEmpty);
        }
    }

    [Fact]
    public void Unpack_of_anything_ends_and_stays_in_range()
    {
        Random random = new(2);
        byte[] garbage = new byte[300];
        for (int round = 0; round < 2000; round++)
        {
            random.NextBytes(garbage);
            ReadOnlySpan<byte> packed = garbage.AsSpan(0, random.Next(garbage.Length));
            int prefix = 0;
            int count = 0;
            while (PackedRates.TryNext(ref packed, ref prefix, out PackedRate rate))
            {
                Assert.True(rate is { Prefix: >= 0, Link: >= 0 and <= ushort.MaxValue, Kbps: >= 0 });
                Assert.True(++count <= garbage.Length / 3);
            }
        }
    }

    [Fact]
    public void Pack_takes_six_octets_for_a_prefix_of_a_large_site()
    {
        Random random = new(3);
        PackedRate[] rates = [.. Enumerable.Range(0, 1000).Select(i => new PackedRate(1 + (i * 20), random.Next(1, 64), random.Next(1000, 2_000_000)))];
        Assert.InRange(PackedRates.Pack(rates).Length, 4000, 6000);
    }
}
