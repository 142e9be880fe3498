using EgressAppliance.Benchmarks;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Traffic;

/// <summary>One flow: what its packets have in common.</summary>
/// <param name="Destination">Where to.</param>
/// <param name="Link">Index into <see cref="TrafficMix.Links"/>.</param>
/// <param name="SourceHost">Host number of the sender.</param>
/// <param name="Port">The client's port.</param>
/// <param name="IsTcp">TCP; else UDP.</param>
internal readonly record struct Flow(IpAddr Destination, byte Link, ushort SourceHost, ushort Port, bool IsTcp);

/// <summary>
/// Flows of one family by popularity: the n-th gets packets with weight 1/n (Zipf). Each flow's destination is in a random prefix, and all flows of
/// the prefix that is the longest match leave by the same link, as a router would send them.
/// </summary>
internal sealed class FlowSet
{
    private const double TcpShare = 0.7;
    private readonly Flow[] _flows;
    private readonly double[] _cumulative;

    public FlowSet(IpFamily family, int count, RoutedPrefixes table, Random random)
    {
        IpAddr[] destinations = RoutingTable.Destinations(table.Of(family), zipf: false, count);
        _flows = new Flow[count];
        _cumulative = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            IpAddr destination = random.NextDouble() < TrafficMix.UnroutedShare ? Unrouted(family, random) : destinations[i];
            uint id = table.IdOf(destination);
            byte link = (byte)((id * 2654435761u) >> 30);
            _flows[i] = new(destination, link, (ushort)random.Next(4096), (ushort)random.Next(1024, 65536), random.NextDouble() < TcpShare);
            _cumulative[i] = sum += 1.0 / (i + 1);
        }
    }

    /// <summary>A flow, popular ones more often.</summary>
    public ref readonly Flow Draw(Random random)
    {
        int at = Array.BinarySearch(_cumulative, random.NextDouble() * _cumulative[^1]);
        return ref _flows[at < 0 ? Math.Min(~at, _flows.Length - 1) : at];
    }

    /// <summary>Reserved for future use (RFC 1112), or unique local: in no table of the Internet.</summary>
    private static IpAddr Unrouted(IpFamily family, Random random) => family == IpFamily.IPv4
        ? IpAddr.FromIPv4(0xF000_0000 | (uint)random.Next(1 << 28))
        : IpAddr.FromIPv6(0xFD00_0000_0000_0000 | (ulong)random.NextInt64(1L << 56), (ulong)random.NextInt64());
}
