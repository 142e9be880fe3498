using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.Steering;

/// <summary>Maps the configuration to the decision maker's options.</summary>
public static class SteeringOptions
{
    /// <summary>Limits and policies of planning.</summary>
    public static PlannerOptions ForPlanner(DecisionConfig config) => new()
    {
        Hold = config.Hold,
        MaxMovesPerCycle = config.MaxMovesPerCycle,
        MaxOverrides = config.MaxOverrides,
        MaxSharePerCycle = config.MaxSharePerCycle,
        MaxShare = config.MaxShare,
        MinPrefixShare = config.MinPrefixShare,
        Denied = [.. config.Policies.Where(p => p.Action == PolicyAction.Deny).Select(p => p.Prefix)],
    };

    /// <summary>
    /// The control loop's options. Ages beyond which inputs freeze decisions follow from the periods at which they are read: three missed
    /// reads are a fault, one is not.
    /// </summary>
    public static ControllerOptions ForController(ApplianceConfig config)
    {
        ControllerOptions defaults = new();
        TimeSpan cycle = config.Decision.Cycle;
        TimeSpan poll = config.Routers.Max(r => r.Snmp?.Poll) ?? TimeSpan.Zero;
        return defaults with
        {
            Planner = ForPlanner(config.Decision),
            Lease = config.Decision.Lease,
            MaxCaptureAge = Max(defaults.MaxCaptureAge, 3 * cycle),
            MaxCountersAge = Max(defaults.MaxCountersAge, 3 * poll),
            ConfirmWithin = Max(defaults.ConfirmWithin, 3 * cycle),
        };
    }

    /// <summary>Silence of the control loop after which the speaker sends no keepalives: three cycles, at least three seconds.</summary>
    public static TimeSpan HeartbeatTimeout(DecisionConfig config) => Max(TimeSpan.FromSeconds(3), 3 * config.Cycle);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
