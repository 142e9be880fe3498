using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>A route to announce: made only by <see cref="IBgpSpeaker.TryCreateOverride"/> from a live Adj-RIB-In path.</summary>
public sealed class Override
{
    internal Override(IpPrefix prefix, RibPath path)
    {
        Prefix = prefix;
        Path = path;
    }

    /// <summary>The prefix, exactly as learned.</summary>
    public IpPrefix Prefix { get; }

    /// <summary>The learned path.</summary>
    public RibPath Path { get; }
}
