namespace EgressAppliance.Host.History.Store;

/// <summary>One rate of a packed step.</summary>
/// <param name="Prefix">Number of the prefix in the dictionary, at least 1.</param>
/// <param name="Link">Number of the link in the dictionary, 0 for none.</param>
/// <param name="Kbps">Rate, kbit/s.</param>
public readonly record struct PackedRate(int Prefix, int Link, long Kbps)
{
    /// <summary>Prefix and link in one number that sorts as they do.</summary>
    public long Key => ((long)Prefix << 16) | (uint)Link;

    /// <summary>The rate of a key.</summary>
    public static PackedRate Of(long key, long kbps) => new((int)(key >> 16), (int)(key & 0xffff), kbps);
}

/// <summary>
/// The rates of all prefixes in one step, packed: for each, in order of prefix and link, the difference to the number of the prefix before, the link and the rate in kbit/s, each as a
/// variable-length integer of seven bits an octet, the lowest first. A prefix takes five to six octets, where a row of a table with a key would take twenty.
/// </summary>
public static class PackedRates
{
    private const int LongestNumber = 10;

    /// <summary>Packs rates.</summary>
    /// <param name="rates">Sorted by <see cref="PackedRate.Key"/>, no key twice.</param>
    public static byte[] Pack(ReadOnlySpan<PackedRate> rates)
    {
        byte[] buffer = new byte[rates.Length * 3 * LongestNumber];
        int length = 0;
        int before = 0;
        foreach (PackedRate rate in rates)
        {
            Put(buffer, ref length, (ulong)(rate.Prefix - before));
            Put(buffer, ref length, (ulong)rate.Link);
            Put(buffer, ref length, (ulong)rate.Kbps);
            before = rate.Prefix;
        }

        return buffer[..length];
    }

    /// <summary>Unpacks one rate and moves on.</summary>
    /// <param name="packed">What is left.</param>
    /// <param name="prefix">Number of the prefix before, 0 at the begin; becomes that of this one.</param>
    /// <param name="rate">The rate.</param>
    /// <returns>False at the end, and where the octets are none of ours: what follows is not read.</returns>
    public static bool TryNext(ref ReadOnlySpan<byte> packed, ref int prefix, out PackedRate rate)
    {
        rate = default;
        if (!TryTake(ref packed, out ulong step) || !TryTake(ref packed, out ulong link) || !TryTake(ref packed, out ulong kbps)
            || step > int.MaxValue - (ulong)prefix || link > ushort.MaxValue || kbps > long.MaxValue)
        {
            return false;
        }

        prefix += (int)step;
        rate = new PackedRate(prefix, (int)link, (long)kbps);
        return true;
    }

    /// <summary>Adds each rate times a weight to its key's sum.</summary>
    /// <param name="packed">The rates.</param>
    /// <param name="weight">Seconds that they are of.</param>
    /// <param name="sums">Sums by key.</param>
    internal static void AddTo(ReadOnlySpan<byte> packed, long weight, Dictionary<long, long> sums)
    {
        int prefix = 0;
        while (TryNext(ref packed, ref prefix, out PackedRate rate))
        {
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(sums, rate.Key, out _) += rate.Kbps * weight;
        }
    }

    /// <summary>The largest averages, sorted by key. Rates that round to nothing are left out.</summary>
    /// <param name="sums">Sums of rate times seconds, by key.</param>
    /// <param name="seconds">What they are divided by, at least 1.</param>
    /// <param name="most">How many at most.</param>
    internal static PackedRate[] Largest(Dictionary<long, long> sums, long seconds, int most)
    {
        List<PackedRate> rates = new(sums.Count);
        foreach ((long key, long sum) in sums)
        {
            long kbps = (sum + (seconds / 2)) / seconds;
            if (kbps > 0)
            {
                rates.Add(PackedRate.Of(key, kbps));
            }
        }

        if (rates.Count > most)
        {
            rates.Sort((a, b) => a.Kbps != b.Kbps ? b.Kbps.CompareTo(a.Kbps) : a.Key.CompareTo(b.Key));
            rates.RemoveRange(most, rates.Count - most);
        }

        rates.Sort((a, b) => a.Key.CompareTo(b.Key));
        return [.. rates];
    }

    private static void Put(byte[] buffer, ref int length, ulong value)
    {
        while (value >= 0x80)
        {
            buffer[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        buffer[length++] = (byte)value;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> packed, out ulong value)
    {
        value = 0;
        for (int i = 0; i < packed.Length && i < LongestNumber; i++)
        {
            value |= (ulong)(packed[i] & 0x7f) << (7 * i);
            if (packed[i] < 0x80)
            {
                packed = packed[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
