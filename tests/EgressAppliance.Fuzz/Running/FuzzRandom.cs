namespace EgressAppliance.Fuzz.Running;

/// <summary>
/// xoshiro256** seeded by splitmix64. Our own, because a seed must give the same inputs on every machine and with every version of the framework.
/// </summary>
public sealed class FuzzRandom
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    /// <summary>A sequence that depends on nothing but the seed.</summary>
    public FuzzRandom(ulong seed) => Seed(seed);

    /// <summary>Begins the sequence of another seed.</summary>
    public void Seed(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        ulong result = ulong.RotateLeft(_s1 * 5, 7) * 9;
        ulong t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = ulong.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>0 to <paramref name="limit"/> − 1; 0 if the limit is not positive.</summary>
    public int Below(int limit) => limit <= 0 ? 0 : (int)(((Next() >> 32) * (ulong)limit) >> 32);

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public int Between(int low, int high) => low + Below(high - low + 1);

    /// <summary>True once in so many times.</summary>
    public bool OneIn(int times) => Below(times) == 0;

    /// <summary>An octet.</summary>
    public byte Octet() => (byte)(Next() >> 56);

    /// <summary>One of the list.</summary>
    public T Pick<T>(IReadOnlyList<T> list)
    {
        ArgumentNullException.ThrowIfNull(list);
        return list[Below(list.Count)];
    }

    /// <summary>Fills the span.</summary>
    public void Fill(Span<byte> span)
    {
        foreach (ref byte octet in span)
        {
            octet = Octet();
        }
    }

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
