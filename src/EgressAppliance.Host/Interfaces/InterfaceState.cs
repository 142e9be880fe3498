using EgressAppliance.Net;

namespace EgressAppliance.Host.Interfaces;

/// <summary>What the router last said about the interface of one link. Immutable.</summary>
public sealed record InterfaceState
{
    /// <summary>The link's name.</summary>
    public required string Link { get; init; }

    /// <summary>The router's name.</summary>
    public required string Router { get; init; }

    /// <summary>The interface as the configuration names it (<see cref="InterfaceSelector"/>); where it does not, the ifName that was found, empty before.</summary>
    public required string Interface { get; init; }

    /// <summary>ifIndex, or null while the name is not resolved.</summary>
    public uint? IfIndex { get; init; }

    /// <summary>ifOperStatus; <see cref="OperStatus.Unknown"/> while there is no recent answer.</summary>
    public OperStatus OperStatus { get; init; } = OperStatus.Unknown;

    /// <summary>Capacity by ifHighSpeed, of an aggregate by that of its members that are up, bit/s; null while unknown. A capacity in the configuration is not looked at here.</summary>
    public long? CapacityBps { get; init; }

    /// <summary>Outgoing rate by ifHCOutOctets, or ifOutOctets where there is no other, bit/s; null while unknown or without a recent answer.</summary>
    public double? OutBps { get; init; }

    /// <summary>When the router last answered for this interface.</summary>
    public DateTimeOffset? LastPoll { get; init; }

    /// <summary>Time since the counter was last seen to move; null if it has not.</summary>
    public TimeSpan? CounterAge { get; init; }

    /// <summary>Members of an aggregate that are up; null if it is none, or its members are not known.</summary>
    public int? MembersUp { get; init; }

    /// <summary>Members of an aggregate; null if it is none, or they are not known.</summary>
    public int? Members { get; init; }

    /// <summary>ifInErrors since the first poll; null if the router does not tell.</summary>
    public long? InErrors { get; init; }

    /// <summary>ifOutErrors since the first poll; null if the router does not tell.</summary>
    public long? OutErrors { get; init; }

    /// <summary>ifOutDiscards since the first poll; null if the router does not tell.</summary>
    public long? OutDiscards { get; init; }

    /// <summary>MAC addresses of the next hops as the router knows them, in order; asked for only where the configuration does not say how to match the link's frames.</summary>
    public IReadOnlyList<MacAddress> Macs { get; init; } = [];

    /// <summary>Why these are not known, in words; null if they are, or are not asked for.</summary>
    public string? MatchProblem { get; init; }

    /// <summary>What is wrong, in words; null if nothing is.</summary>
    public string? Error { get; init; }
}
