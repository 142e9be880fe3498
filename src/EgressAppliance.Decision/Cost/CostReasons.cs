namespace EgressAppliance.Decision.Cost;

/// <summary>The words of <see cref="CostVerdict"/> and <see cref="CostReason"/>.</summary>
public static class CostReasons
{
    /// <summary>The verdict as a sentence.</summary>
    public static string Text(CostVerdict verdict) => verdict switch
    {
        CostVerdict.Off => "Cost mode is off.",
        CostVerdict.InvalidSnapshot => "The input contradicts itself; nothing is proposed.",
        CostVerdict.OverloadFirst => "A link is over its threshold, which has priority.",
        CostVerdict.NoPricedLinks => "Fewer than two links that are up have a price.",
        CostVerdict.TooManyLinks => "More links have a price than can be reckoned with.",
        CostVerdict.MonthsUnusable => "The billing months are not those of the time of day.",
        CostVerdict.Learning => "Less than a day of samples is known of all links together.",
        CostVerdict.NothingToSave => "No link carries more than costs nothing, or what it carries has nowhere cheaper to go.",
        CostVerdict.BelowLimit => "What could be saved is less than the limit.",
        CostVerdict.Proposed => "Prefixes are moved to where they cost nothing more.",
        CostVerdict.GiveBack => "Overrides are given back whose native links carry them at no additional cost.",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };

    /// <summary>The reason as a sentence.</summary>
    public static string Text(CostReason reason) => reason switch
    {
        CostReason.OverLevel => "Its link carries more than costs nothing; the other one has room.",
        CostReason.MakeRoom => "It makes room for a prefix of a link that carries more than costs nothing.",
        CostReason.NotNeeded => "Its native link carries it at no additional cost until this time tomorrow.",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };
}
