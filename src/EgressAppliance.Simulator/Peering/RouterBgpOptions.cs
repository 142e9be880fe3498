using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.Peering;

/// <summary>When the simulated router sends End-of-RIB (RFC 4724 section 2).</summary>
public enum EndOfRibMode
{
    /// <summary>Only to a peer that offers graceful restart for the family, as FRR and BIRD do.</summary>
    WithGracefulRestart,

    /// <summary>Always.</summary>
    Always,
}

/// <summary>How the simulated router speaks BGP to the appliance.</summary>
public sealed record RouterBgpOptions
{
    /// <summary>Where it listens; port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>Hold time it proposes; zero or at least 3 s.</summary>
    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>Families it offers.</summary>
    public IReadOnlyList<IpFamily> Families { get; init; } = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>Offers to send all paths (RFC 7911). Otherwise, and to a peer that does not take them, only the best path is sent, and none while an override is best.</summary>
    public bool AddPath { get; init; } = true;

    /// <summary>When End-of-RIB is sent.</summary>
    public EndOfRibMode EndOfRib { get; init; }
}
