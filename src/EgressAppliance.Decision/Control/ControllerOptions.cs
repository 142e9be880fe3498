using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Control;

/// <summary>What governs the control loop.</summary>
public sealed record ControllerOptions
{
    /// <summary>Limits and policies of planning.</summary>
    public PlannerOptions Planner { get; init; } = new();

    /// <summary>Limits of cost mode, which is off unless <see cref="CostOptions.Enabled"/>.</summary>
    public CostOptions Cost { get; init; } = new();

    /// <summary>How each link with a price is billed, by name; their months are kept whether or not cost mode is on.</summary>
    public IReadOnlyDictionary<string, BillingOptions> Billing { get; init; } = new Dictionary<string, BillingOptions>();

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

    /// <summary>An overload within a link's capacity is acted on when it was there in this many of the last <see cref="ConfirmOf"/> cycles; 1: at once.</summary>
    public int ConfirmCycles { get; init; } = 1;

    /// <summary>See <see cref="ConfirmCycles"/>.</summary>
    public int ConfirmOf { get; init; } = 1;

    /// <summary>An override is given back only if its native link would have had room for it throughout this time.</summary>
    public TimeSpan PeakWindow { get; init; }

    /// <summary>Changes of a prefix, each counted as 1 and halved every <see cref="FlapHalfLife"/>, from which on its override is kept; 0: never.</summary>
    public double FlapSuppress { get; init; }

    /// <summary>What that penalty must have decayed to before the override is given back or moved on for convenience again.</summary>
    public double FlapReuse { get; init; } = 0.75;

    /// <summary>See <see cref="FlapSuppress"/>.</summary>
    public TimeSpan FlapHalfLife { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Difference between a link's projected load and what is counted or seen on it, as a share of its capacity, that must not last, 0–1.</summary>
    public double MaxMisprojection { get; init; } = 0.05;

    /// <summary>Cycles in a row for which such a difference freezes decisions, and without which they go on.</summary>
    public int MisprojectionCycles { get; init; } = 24;

    /// <summary>A larger share of a link's capacity that its counter shows and the mirror does not freezes decisions, 0–1.</summary>
    public double MaxUnseen { get; init; } = 0.20;

    /// <summary>Moves onto a link that were rolled back in a row, none being confirmed, before the link is left alone.</summary>
    public int DistrustAfter { get; init; } = 3;

    /// <summary>How long it is left alone the first time; twice as long each time after.</summary>
    public TimeSpan DistrustFor { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time that it is left alone.</summary>
    public TimeSpan DistrustAtMost { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Capture counters older than this freeze decisions.</summary>
    public TimeSpan MaxCaptureAge { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A larger share of frames lost freezes decisions, 0–1.</summary>
    public double MaxCaptureLoss { get; init; } = 0.05;

    /// <summary>Interface counters older than this freeze decisions.</summary>
    public TimeSpan MaxCountersAge { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A smaller share of bytes attributed to links freezes decisions, 0–1.</summary>
    public double MinAttribution { get; init; } = 0.80;

    /// <summary>Overrides of another box's controller whose leases ended longer ago are not taken over.</summary>
    public TimeSpan ResumeWithin { get; init; } = TimeSpan.FromMinutes(1);
}
