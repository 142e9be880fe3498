using EgressAppliance.Benchmarks;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Traffic;

/// <summary>The routing table that traffic is made for and counted by.</summary>
internal sealed class RoutedPrefixes : IDisposable
{
    private readonly PrefixTable _table = new();
    private readonly IpPrefix[] _ipv4;
    private readonly IpPrefix[] _ipv6;

    /// <param name="every">One prefix in this many is taken.</param>
    public RoutedPrefixes(int every)
    {
        _ipv4 = Load(IpFamily.IPv4, every);
        _ipv6 = Load(IpFamily.IPv6, every);
        _table.AddRange(_ipv4);
        _table.AddRange(_ipv6);
    }

    /// <summary>True for a real table, false for a generated one.</summary>
    public static bool IsReal => RoutingTable.RealFolder is not null;

    /// <summary>The prefixes of a family, sorted.</summary>
    public IpPrefix[] Of(IpFamily family) => family == IpFamily.IPv4 ? _ipv4 : _ipv6;

    /// <summary>A number for the longest match, 0 for none.</summary>
    public uint IdOf(IpAddr address) => _table.Lookup.Lookup(address);

    /// <summary>Writes all prefixes, one a line.</summary>
    public void Write(string path)
    {
        using StreamWriter writer = new(path) { NewLine = "\n" };
        foreach (IpPrefix prefix in _ipv4.Concat(_ipv6))
        {
            writer.WriteLine(prefix);
        }
    }

    public void Dispose() => _table.Dispose();

    private static IpPrefix[] Load(IpFamily family, int every) => [.. RoutingTable.Prefixes(family).Distinct().Where((_, i) => i % every == 0)];
}
