using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.Steering;

/// <summary>Maps the configuration to the decision maker's options.</summary>
public static class SteeringOptions
{
    // Longer than it takes an override to land or be rolled back, counters to be polled, and averages to follow.
    private static readonly TimeSpan MisprojectionTime = TimeSpan.FromMinutes(2);

    // Two changes within a half-life: the second one still counts 1, the first at least a half.
    private const double FlapSuppress = 1.5;

    /// <summary>Limits and policies of planning.</summary>
    public static PlannerOptions ForPlanner(DecisionConfig config) => new()
    {
        Hold = config.Hold,
        MaxMovesPerCycle = config.MaxMovesPerCycle,
        MaxOverrides = config.MaxOverrides,
        MaxSharePerCycle = config.MaxSharePerCycle,
        MaxShare = config.MaxShare,
        MinPrefixShare = config.MinPrefixShare,
        ReliefMargin = config.ReliefMargin,
    };

    /// <summary>
    /// The control loop's options. Ages beyond which inputs freeze decisions follow from the periods at which they are read: three missed
    /// reads are a fault, one is not.
    /// </summary>
    public static ControllerOptions ForController(ApplianceConfig config)
    {
        ControllerOptions options =
            ForController(config.Decision, config.Routers.Max(r => r.Snmp?.Poll) ?? TimeSpan.Zero) with { Billing = ForBilling(config.Links) };
        if (config.Flow is not { } flow)
        {
            return options;
        }

        // A record of the new link comes when it has ended, and one of the old link is paid out until then: only thereafter does what is seen say where a prefix goes.
        TimeSpan lag = 2 * flow.ActiveTimeout;
        return options with
        {
            ConfirmWithin = options.ConfirmWithin + lag,
            MisprojectionCycles = options.MisprojectionCycles + (int)(lag / config.Decision.Cycle),
        };
    }

    /// <summary>How the links with a price are billed.</summary>
    public static IReadOnlyDictionary<string, BillingOptions> ForBilling(IReadOnlyList<LinkConfig> links) =>
        links.Where(l => l.PricePerMbit is not null).ToDictionary(l => l.Name, l => new BillingOptions
        {
            BillingDay = l.BillingDay,
            TimeZone = l.BillingZone,
            FreeRatio = (100 - l.BillingPercentile) / 100.0,
        });

    /// <summary>Limits of cost mode. Half of what overrides may be altogether stays for the relief of overload unless the configuration says otherwise.</summary>
    public static CostOptions ForCost(DecisionConfig config) => new()
    {
        Enabled = config.CostMode.Enabled,
        MinSavingPerMonth = (decimal)config.CostMode.MinSaving,
        Hold = config.CostMode.Hold,
        MaxMoves = config.MaxMovesPerCycle,
        MaxMovesPerDay = config.CostMode.MaxMovesPerDay,
        MaxOverrides = config.CostMode.MaxOverrides ?? config.MaxOverrides / 2,
        MaxShareAtOnce = config.MaxSharePerCycle,
        MaxShare = config.CostMode.MaxShare ?? config.MaxShare / 2,
        MinPrefixShare = config.MinPrefixShare,
    };

    /// <summary>The same for a <c>decision</c> section by itself.</summary>
    /// <param name="decision">The section.</param>
    /// <param name="poll">Longest period at which interface counters are read; zero where none are.</param>
    public static ControllerOptions ForController(DecisionConfig decision, TimeSpan poll)
    {
        ControllerOptions defaults = new();
        TimeSpan cycle = decision.Cycle;
        return defaults with
        {
            Planner = ForPlanner(decision),
            Cost = ForCost(decision),
            Lease = decision.Lease,
            ConfirmCycles = decision.ConfirmCycles,
            ConfirmOf = decision.ConfirmOf,
            PeakWindow = decision.ReleaseWindow,
            FlapSuppress = FlapSuppress,
            FlapHalfLife = decision.FlapHalfLife,
            MaxMisprojection = decision.MaxMisprojection,
            MisprojectionCycles = Math.Max(defaults.MisprojectionCycles, (int)(MisprojectionTime / cycle)),
            MaxUnseen = decision.MaxUnseen,
            MaxCaptureAge = Max(defaults.MaxCaptureAge, 3 * cycle),
            MaxCountersAge = Max(defaults.MaxCountersAge, 3 * poll),
            ConfirmWithin = Max(defaults.ConfirmWithin, 3 * cycle),
        };
    }

    /// <summary>Silence of the control loop after which the speaker sends no keepalives: three cycles, at least three seconds.</summary>
    public static TimeSpan HeartbeatTimeout(DecisionConfig config) => Max(TimeSpan.FromSeconds(3), 3 * config.Cycle);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
