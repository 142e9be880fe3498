namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>What can happen in a scenario.</summary>
public enum ScenarioEventKind
{
    /// <summary>Traffic is multiplied by <see cref="ScenarioEvent.Value"/> at once: that whose native path is the link, or all.</summary>
    Step,

    /// <summary>Traffic goes to <see cref="ScenarioEvent.Value"/> times its rate in the event's time, evenly, and stays.</summary>
    Ramp,

    /// <summary>A few prefixes (<see cref="ScenarioEvent.Count"/>) rise to <see cref="ScenarioEvent.Value"/> times their rate within a minute and fade away.</summary>
    FlashCrowd,

    /// <summary>The link is down.</summary>
    LinkDown,

    /// <summary>The provider withdraws the share <see cref="ScenarioEvent.Value"/> of its paths.</summary>
    PathsWithdrawn,

    /// <summary>The link is drained: no prefix may be moved onto it.</summary>
    Drain,

    /// <summary>The interface counter of the link shows <see cref="ScenarioEvent.Value"/> times the truth.</summary>
    CounterLies,

    /// <summary>The router's agent does not answer.</summary>
    CountersStale,

    /// <summary>The share <see cref="ScenarioEvent.Value"/> of mirrored frames is lost, and the loss is noticed; all of them: silence.</summary>
    MirrorLoss,

    /// <summary>The mirror shows <see cref="ScenarioEvent.Value"/> times the truth of the link, or of all, and nobody says so: frames lost or doubled, or sampling.</summary>
    MirrorLies,

    /// <summary>The mirror no longer shows the link, and nobody says so.</summary>
    MirrorLinkLost,

    /// <summary>The router refuses overrides by the link (an import filter).</summary>
    RouterRefuses,

    /// <summary>Prefixes whose native path is by the link leave by their next one, whatever attributes and overrides say: a weight on the router.</summary>
    RouterPrefers,

    /// <summary>The BGP session to the appliance is down.</summary>
    SessionDown,

    /// <summary>The decision loop hangs; the process lives.</summary>
    LoopStuck,

    /// <summary>The appliance's process is dead.</summary>
    ProcessDead,

    /// <summary>An operator withdraws all overrides.</summary>
    WithdrawAll,

    /// <summary>An operator sets the mode to inject.</summary>
    Inject,

    /// <summary>An operator sets the mode to observe.</summary>
    Observe,
}

/// <summary>Something that happens.</summary>
/// <param name="At">When, from the beginning.</param>
/// <param name="Kind">What.</param>
public sealed record ScenarioEvent(TimeSpan At, ScenarioEventKind Kind)
{
    /// <summary>How long it lasts; null: to the end. For a ramp the time it takes.</summary>
    public TimeSpan? For { get; init; }

    /// <summary>The link, or null for all.</summary>
    public string? Link { get; init; }

    /// <summary>Which appliance, from 1; 0 for all.</summary>
    public int Appliance { get; init; }

    /// <summary>Factor or share, by kind.</summary>
    public double Value { get; init; } = 1;

    /// <summary>Number of prefixes, by kind.</summary>
    public int Count { get; init; }

    /// <summary>True while it is in force.</summary>
    public bool IsActive(TimeSpan time) => time >= At && (For is not { } length || time < At + length);
}
