namespace EgressAppliance.Comparison.Running;

/// <summary>The comparison cannot go on, or must not: a program failed, or two that should agree do not.</summary>
internal sealed class ComparisonException(string message) : Exception(message);
