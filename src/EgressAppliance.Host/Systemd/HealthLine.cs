using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Systemd;

/// <summary>The health of the appliance in one line, for <c>systemctl status</c>.</summary>
public static class HealthLine
{
    /// <summary>Makes the line.</summary>
    /// <param name="state">What the latest cycle published.</param>
    public static string From(StateEventDto state)
    {
        ArgumentNullException.ThrowIfNull(state);
        StatusDto status = state.Status;
        string health = status switch
        {
            { Healthy: true } => "healthy",
            { Problems: [string only] } => "1 problem: " + only,
            { Problems: [string first, ..] } => $"{status.Problems.Count} problems: {first}",
            _ => "not healthy yet",
        };
        int up = status.Bgp.Count(p => p.State == "Established");
        return Human.Clean($"{status.Mode}, {health}; {up} of {status.Bgp.Count} sessions up, {Human.Rate(status.Capture.BitsPerSecond)}, "
            + $"{state.Overrides.Count} overrides; {status.Verdict}");
    }
}
