namespace EgressAppliance.Bgp.Session;

/// <summary>Jitter of timers (RFC 4271 section 10).</summary>
internal static class Jitter
{
    /// <summary>Least share of a time that is waited.</summary>
    public const double Least = 0.75;

    /// <summary>75 to 100 % of the time, at random, so that speakers do not keep step.</summary>
    public static TimeSpan Apply(TimeSpan time) => Apply(time, Random.Shared.NextDouble());

    /// <summary>The same with the random number, 0 to 1, given.</summary>
    public static TimeSpan Apply(TimeSpan time, double random) => time * (Least + (random * (1 - Least)));
}
