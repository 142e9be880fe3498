namespace EgressAppliance.Decision.Policies;

/// <summary>One policy: for which prefixes, and what.</summary>
/// <param name="Match">Which prefixes.</param>
/// <param name="Policy">What it says about them.</param>
public sealed record RoutingPolicy(PolicyMatch Match, PrefixPolicy Policy)
{
    /// <summary>As the configuration has it.</summary>
    public override string ToString() => $"{Match}, {Policy}";
}
