using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

/// <summary>The naive longest-prefix match that the real ones are held to: a dictionary, tried from the longest length down.</summary>
internal sealed class PrefixOracle
{
    private readonly Dictionary<IpPrefix, uint> _values = [];

    public IReadOnlyDictionary<IpPrefix, uint> Values => _values;

    public void Set(IpPrefix prefix, uint value) => _values[prefix] = value;

    public bool Remove(IpPrefix prefix) => _values.Remove(prefix);

    public (IpPrefix Prefix, uint Value) LongestMatch(IpAddr address)
    {
        for (int length = address.BitLength; length >= 0; length--)
        {
            IpPrefix candidate = IpPrefix.Create(address, length);
            if (_values.TryGetValue(candidate, out uint value))
            {
                return (candidate, value);
            }
        }

        return default;
    }

    public IEnumerable<PrefixEntry> Ordered(IpFamily family) =>
        _values.Where(p => p.Key.Family == family).Select(p => new PrefixEntry(p.Key, p.Value)).OrderBy(e => e.Prefix);
}
