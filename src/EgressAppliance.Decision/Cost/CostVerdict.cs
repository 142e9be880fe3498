using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Cost;

/// <summary>What cost mode comes to.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<CostVerdict>))]
public enum CostVerdict
{
    /// <summary>It is not enabled.</summary>
    Off,

    /// <summary>The snapshot contradicts itself.</summary>
    InvalidSnapshot,

    /// <summary>A link is over its threshold: relief has priority and nothing is moved to save money.</summary>
    OverloadFirst,

    /// <summary>Fewer than two links that are up have a price.</summary>
    NoPricedLinks,

    /// <summary>More than eight links have a price.</summary>
    TooManyLinks,

    /// <summary>A priced link has no month or two, one that is not the current one, or one of another interval than the others.</summary>
    MonthsUnusable,

    /// <summary>Less than a day of samples is known of all links together.</summary>
    Learning,

    /// <summary>Nothing is above a level that it could be brought under.</summary>
    NothingToSave,

    /// <summary>There is something to save, but less than the limit.</summary>
    BelowLimit,

    /// <summary>Moves are proposed.</summary>
    Proposed,

    /// <summary>Overrides are proposed to be given back.</summary>
    GiveBack,
}
