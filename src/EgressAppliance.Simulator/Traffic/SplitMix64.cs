namespace EgressAppliance.Simulator.Traffic;

/// <summary>
/// The SplitMix64 generator (Steele, Lea, Flood 2014). Same seed, same numbers on every platform and version of the framework, which
/// System.Random does not promise; and it is a value, so that a copy replays.
/// </summary>
public struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    /// <summary>A number from 0 to <paramref name="bound"/> − 1; the bias of at most bound / 2^32 does not matter for traffic.</summary>
    public int Next(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);

    /// <summary>A number from 0 (inclusive) to 1 (exclusive).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));
}
