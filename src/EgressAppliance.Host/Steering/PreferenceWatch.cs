using System.Globalization;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// Compares the link that a prefix without an override is seen on with the one that the router should prefer by what its routes say. A router also weighs what
/// BGP does not show: weights of its own, IGP metrics, the age of a route, a policy. Then the native path of a prefix is guessed wrong, and what is planned on it
/// with it; that cannot be mended from outside, but it can be seen on the mirror and told.
/// </summary>
public sealed class PreferenceWatch
{
    /// <summary>A share of traffic that chance and changes under way do not explain.</summary>
    private const double Tolerated = 0.05;

    /// <summary>Weight of one cycle: some seconds in which routes and traffic disagree, as after a release, must not be told.</summary>
    private const double Weight = 0.2;
    private long _expected;
    private long _elsewhere;

    /// <summary>Share of the traffic seen that leaves by another link than expected, 0 to 1, over the last minute or so of cycles.</summary>
    public double Share { get; private set; }

    /// <summary>Adds a prefix of this cycle.</summary>
    /// <param name="rateBps">Its rate, bit/s.</param>
    /// <param name="asExpected">It was seen on the link that its best path leads to.</param>
    public void Add(long rateBps, bool asExpected)
    {
        _expected += asExpected ? rateBps : 0;
        _elsewhere += asExpected ? 0 : rateBps;
    }

    /// <summary>Ends the cycle. Returns what is to be told, or null.</summary>
    public string? EndCycle()
    {
        long all = _expected + _elsewhere;
        if (all > 0)
        {
            Share += Weight * (((double)_elsewhere / all) - Share);
        }

        (_expected, _elsewhere) = (0, 0);
        return Share <= Tolerated ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{Share:0 %} of the traffic leaves by another link than the routes' attributes say: the router weighs something that BGP does not show (weight, IGP metric, age of a route, a policy). The native paths of such prefixes are shown and planned wrongly.");
    }
}
