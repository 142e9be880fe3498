using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Demand;

/// <summary>What a link's mirror rate and its interface counter say of each other.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<RateCause>))]
public enum RateCause
{
    /// <summary>There is nothing to compare yet: too few polls, an idle link, or no counter.</summary>
    Unknown,

    /// <summary>They agree.</summary>
    Agree,

    /// <summary>The mirror shows less: frames are lost on the way to the appliance, or a part of the link is not mirrored.</summary>
    MirrorLoss,

    /// <summary>The mirror shows every frame several times, or the sampling rate is set too high by that factor.</summary>
    Duplicated,

    /// <summary>The mirror shows one frame in N, and nobody said so.</summary>
    Sampling,

    /// <summary>The mirror shows nothing of the link: its port or direction is not mirrored.</summary>
    MirrorSilent,

    /// <summary>The mirror shows more, and no whole multiple.</summary>
    MirrorExcess,

    /// <summary>The counter stands still while the mirror shows traffic.</summary>
    CounterStalled,

    /// <summary>The router no longer answers for the counter.</summary>
    CounterMissing,

    /// <summary>They differ by a few bytes a packet: the layer-2 overhead is set wrongly.</summary>
    Overhead,

    /// <summary>The mirror shows more than the link can carry and the counter stays at its capacity: the router drops the rest. An overload, not a fault.</summary>
    Shaped,

    /// <summary>The mirror has just jumped away from the counter, or back, and the averages have not; the next polls will tell whether the traffic did.</summary>
    Sudden,

    /// <summary>The mirror shows a link that is half full or more, and its counter has not given any rate yet that could confirm it.</summary>
    Unconfirmed,
}
