namespace EgressAppliance.Host.Steering;

/// <summary>Whom the order to withdraw everything has reached.</summary>
public enum StopReach
{
    /// <summary>This box decides, and has withdrawn everything.</summary>
    Here,

    /// <summary>Another box decides: the order waits for it in the database of the site, where it looks every second.</summary>
    Told,

    /// <summary>Another box may decide, and cannot be told now: this box tells it as soon as it can, and obeys the order itself if it comes to lead.</summary>
    Waiting,

    /// <summary>This box never decides and cannot tell the ones that do.</summary>
    Nowhere,
}

/// <summary>What became of an operator's order to withdraw everything.</summary>
/// <param name="Withdrawn">How many overrides this box had announced.</param>
/// <param name="Reach">Whom it has reached.</param>
/// <param name="Detail">In words, where it is more than this box; else empty.</param>
public sealed record StopNotice(int Withdrawn, StopReach Reach, string Detail = "");
