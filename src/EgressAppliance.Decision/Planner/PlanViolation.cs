namespace EgressAppliance.Decision.Planner;

/// <summary>A rule that a plan breaks.</summary>
/// <param name="Rule">Which rule, snake_case.</param>
/// <param name="Subject">The prefix or the link.</param>
/// <param name="Detail">In words.</param>
public sealed record PlanViolation(string Rule, string Subject, string Detail)
{
    /// <summary>One line.</summary>
    public override string ToString() => $"{Rule}: {Subject}: {Detail}";
}
