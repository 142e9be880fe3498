using System.Text.Json.Serialization;

namespace EgressAppliance.Decision.Policies;

/// <summary>What the first matching policy says about a prefix. Prefixes with the same policy share one object.</summary>
public sealed record PrefixPolicy
{
    /// <summary>Class of a prefix that no policy gives one.</summary>
    public const int DefaultClass = 5;

    /// <summary>Highest class; the lowest is 0.</summary>
    public const int MaxClass = 9;

    /// <summary>Number of the policy in the configuration, from 1; 0 if it is from elsewhere.</summary>
    public int Number { get; init; }

    /// <summary>What it does.</summary>
    public required PolicyAction Action { get; init; }

    /// <summary>The link of <see cref="PolicyAction.Pin"/>; those of <see cref="PolicyAction.Prefer"/>, best first; empty otherwise.</summary>
    public IReadOnlyList<string> Links { get; init; } = [];

    /// <summary>0–9: prefixes of lower classes are moved first.</summary>
    public int Class { get; init; } = DefaultClass;

    /// <summary>What contradicts itself in it, in words, or null.</summary>
    [JsonIgnore]
    public string? Problem =>
        Class is < 0 or > MaxClass ? $"class {Class} is not between 0 and {MaxClass}"
        : Action switch
        {
            PolicyAction.Pin when Links.Count != 1 => $"a pin has one link, not {Links.Count}",
            PolicyAction.Prefer when Links.Count == 0 => "no link is preferred",
            PolicyAction.Deny or PolicyAction.Class when Links.Count > 0 => "it has links, which mean nothing with its action",
            _ => null,
        };

    /// <summary>As the configuration has it, behind the match.</summary>
    public override string ToString() => Action switch
    {
        PolicyAction.Pin => $"action: pin, link: {string.Join(' ', Links)}",
        PolicyAction.Prefer => $"action: prefer, links: [{string.Join(", ", Links)}]",
        PolicyAction.Class => $"action: class, class: {Class}",
        _ => "action: deny",
    };
}
