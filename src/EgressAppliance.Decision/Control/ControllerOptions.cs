using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Control;

/// <summary>What governs the control loop.</summary>
public sealed record ControllerOptions
{
    /// <summary>Limits and policies of planning.</summary>
    public PlannerOptions Planner { get; init; } = new();

    /// <summary>How long an override lasts without renewal by a cycle.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long overrides are kept on bad inputs before they are given back.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Overrides given back in one cycle once the grace period is over.</summary>
    public int GiveBackPerCycle { get; init; } = 4;

    /// <summary>How long a prefix whose move failed is left alone.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most prefixes in quarantine; the one that would leave first makes room.</summary>
    public int MaxQuarantined { get; init; } = 10_000;

    /// <summary>How long the mirror may show a moved prefix elsewhere before the override is rolled back.</summary>
    public TimeSpan ConfirmWithin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Capture counters older than this freeze decisions.</summary>
    public TimeSpan MaxCaptureAge { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A larger share of frames lost freezes decisions, 0–1.</summary>
    public double MaxCaptureLoss { get; init; } = 0.05;

    /// <summary>Interface counters older than this freeze decisions.</summary>
    public TimeSpan MaxCountersAge { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A smaller share of bytes attributed to links freezes decisions, 0–1.</summary>
    public double MinAttribution { get; init; } = 0.80;
}
