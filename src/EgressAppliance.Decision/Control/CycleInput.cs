using EgressAppliance.Net;

namespace EgressAppliance.Decision.Control;

/// <summary>Everything one cycle is given. A record, so that a journal of inputs replays to the same outcomes.</summary>
public sealed record CycleInput
{
    /// <summary>Now.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The time of day, by which bills are made, where <see cref="Now"/> is of a clock that nobody sets; null: the same.</summary>
    public DateTimeOffset? TimeOfDay { get; init; }

    /// <summary>The links.</summary>
    public required IReadOnlyList<LinkState> Links { get; init; }

    /// <summary>Demands with their paths. Prefixes under an override should be among them, however small.</summary>
    public required IReadOnlyList<PrefixDemand> Prefixes { get; init; }

    /// <summary>How good the inputs are.</summary>
    public InputHealth Health { get; init; } = new();

    /// <summary>
    /// For prefixes with traffic: the link on which the mirror saw at least half of their bytes since the last cycle; for overridden ones without, the link that the routers say they use,
    /// where they say so. It confirms overrides and the projection; a prefix without an entry is neither confirmed nor doubted.
    /// </summary>
    public IReadOnlyDictionary<IpPrefix, string> ObservedLinks { get; init; } = new Dictionary<IpPrefix, string>();
}
