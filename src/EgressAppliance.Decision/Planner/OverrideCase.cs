namespace EgressAppliance.Decision.Planner;

/// <summary>An override of the snapshot with what the projection found out about it.</summary>
internal sealed class OverrideCase(ActiveOverride active)
{
    public ActiveOverride Active { get; } = active;

    /// <summary>Its link's index, −1 if unknown.</summary>
    public int Link { get; set; } = -1;

    /// <summary>Index of its demand, −1 if the snapshot has none.</summary>
    public int Demand { get; set; } = -1;

    /// <summary>Native link's index, −1 if none.</summary>
    public int Native { get; set; } = -1;

    public long RateBps { get; set; }

    /// <summary>What must fit where it is given back: the higher of rate and mean, at the upper end of its error bar.</summary>
    public long FitBps { get; set; }

    /// <summary>Why it must end at once; None if it can go on.</summary>
    public ReasonCode Lost { get; set; }

    /// <summary>Why it may not be changed for convenience (in hold, pinned by an operator or a policy); None if it may.</summary>
    public ReasonCode Fixed { get; set; }
}
