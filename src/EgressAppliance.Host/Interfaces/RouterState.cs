using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>How the polling of one router goes. Immutable.</summary>
public sealed record RouterState
{
    /// <summary>The router's name.</summary>
    public required string Router { get; init; }

    /// <summary>True if the last poll succeeded.</summary>
    public bool Reachable { get; init; }

    /// <summary>When the router last answered.</summary>
    public DateTimeOffset? LastPoll { get; init; }

    /// <summary>Why the last poll failed; null if it did not.</summary>
    public string? LastError { get; init; }

    /// <summary>Polls since the start.</summary>
    public long Polls { get; init; }

    /// <summary>Polls that failed since the start.</summary>
    public long FailedPolls { get; init; }

    /// <summary>Counters of the SNMP client.</summary>
    public SnmpClientStatistics Client { get; init; }
}
