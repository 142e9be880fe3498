using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>Prefixes with everything more specific; one hash look-up per distinct length.</summary>
internal sealed class PrefixSet
{
    private readonly HashSet<IpPrefix> _prefixes;
    private readonly int[] _lengths;

    public PrefixSet(IReadOnlyList<IpPrefix> prefixes)
    {
        _prefixes = [.. prefixes];
        _lengths = [.. prefixes.Select(p => (int)p.Length).Distinct().Order()];
    }

    public bool Covers(IpPrefix prefix)
    {
        foreach (int length in _lengths)
        {
            if (length > prefix.Length)
            {
                break;
            }

            if (_prefixes.Contains(IpPrefix.Create(prefix.Address, length)))
            {
                return true;
            }
        }

        return false;
    }
}
