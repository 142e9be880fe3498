using EgressAppliance.Decision.Control;

namespace EgressAppliance.Host.Steering;

/// <summary>Whether a controller could decide well, as the others of its site want to know.</summary>
internal static class Readiness
{
    /// <summary>The words for a session that has ended.</summary>
    public const string SessionDown = "a BGP session is down";

    /// <summary>What keeps this box from deciding well although another one of the site may be able to; null: nothing.</summary>
    public static string? Problem(CycleInputs inputs)
    {
        InputHealth health = inputs.Input.Health;
        return !health.RouteFeedUp ? SessionDown
            : !health.RibComplete ? "a routing table is not complete"
            : health.MissingCollectors is { } missing && missing.Count == inputs.Statistics.Sources.Count ? "no collector is heard"
            : null;
    }
}
