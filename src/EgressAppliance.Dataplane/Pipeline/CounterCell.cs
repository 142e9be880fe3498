using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>What one (prefix, link) cell gained since the previous snapshot.</summary>
/// <param name="PrefixId">Id in the <see cref="PrefixTable"/>; 0: no prefix matched (unrouted).</param>
/// <param name="Link">The link; <see cref="LinkId.None"/> if no rule matched.</param>
/// <param name="Packets">Packets.</param>
/// <param name="IpBytes">IP bytes: IPv4 total length, or IPv6 payload length + 40.</param>
public readonly record struct CounterCell(uint PrefixId, LinkId Link, long Packets, long IpBytes)
{
    /// <summary>
    /// Null: packets and bytes are as they were captured, to be scaled up by the sampling rate of capture. Else they are scaled already, and one packet in this
    /// many, on average, was looked at.
    /// </summary>
    public double? Sampling { get; init; }
}
