using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Host.Config;

/// <summary>Checks of a list of policies: what each asks for, what goes with its action, and the links it names.</summary>
/// <param name="policies">The list.</param>
/// <param name="links">Names of the links; empty if there is none to hold them against.</param>
/// <param name="diagnostics">Takes the errors.</param>
internal sealed class PolicyChecks(IReadOnlyList<BoundSection> policies, IReadOnlyCollection<string> links, ConfigDiagnostics diagnostics)
{
    // What each action is given beside the match.
    private static readonly (PolicyAction Action, string Key, string Remedy)[] Parameters =
    [
        (PolicyAction.Pin, "link", "add link: the one that the prefixes are to leave by"),
        (PolicyAction.Prefer, "links", "add links: those to be tried first, best first"),
        (PolicyAction.Class, "class", "add class: 0 to 9, where 0 is moved first and 5 is what all others have"),
    ];

    public void Run()
    {
        foreach (BoundSection policy in policies)
        {
            if (policy.Section("match") is { } match)
            {
                CheckMatch(match);
            }

            CheckParameters(policy);
            CheckLink(policy.Value("link"));
            CheckLinks(policy.Value("links"));
        }
    }

    /// <summary>What checked policies say.</summary>
    public static IReadOnlyList<RoutingPolicy> Map(IReadOnlyList<BoundSection> policies) => [.. policies.Select((policy, i) => Map(policy, i + 1))];

    private static RoutingPolicy Map(BoundSection policy, int number)
    {
        BoundSection match = policy.Section("match")!;
        PolicyAction action = policy.Get<PolicyAction>("action");
        return new(
            new PolicyMatch
            {
                Prefix = match.TryGet("prefix", out Net.IpPrefix prefix) ? prefix : null,
                OriginAs = match.TryGet("origin_as", out long origin) ? (uint)origin : null,
                Community = match.TryGet("community", out CommunityMatch community) ? community : null,
                Link = match.TryGet("link", out string native) ? native : null,
            },
            new PrefixPolicy
            {
                Number = number,
                Action = action,
                Links = action switch
                {
                    PolicyAction.Pin => [policy.Get<string>("link")],
                    PolicyAction.Prefer => [.. policy.Items<string>("links").Select(l => l.Value)],
                    _ => [],
                },
                Class = policy.TryGet("class", out long ofClass) ? (int)ofClass : PrefixPolicy.DefaultClass,
            });
    }

    private void CheckMatch(BoundSection match)
    {
        string[] keys = [.. match.Schema.Children.Select(c => c.Key.Name)];
        if (!keys.Any(match.IsGiven))
        {
            diagnostics.Error(match.At, $"'{match.Path}' is empty", $"give at least one of {string.Join(", ", keys)}; a policy for every prefix is none");
        }

        CheckLink(match.Value("link"));
    }

    private void CheckParameters(BoundSection policy)
    {
        if (!policy.TryGet("action", out PolicyAction action))
        {
            return;
        }

        foreach ((PolicyAction of, string key, string remedy) in Parameters)
        {
            // An empty list says nothing; `check --defaults` writes it.
            bool given = policy.IsGiven(key) && policy.Value(key) is not { Valid: true, Key.Shape: ConfigShape.Values, Items.Count: 0 };
            if (of == action && !given)
            {
                diagnostics.Error(policy.At, $"'{policy.Path}.{key}' is missing: action {policy.Value("action").Text} needs it", remedy);
            }
            else if (of != action && given)
            {
                string word = of.ToString().ToLowerInvariant();
                diagnostics.Error(
                    policy.KeyAt(key), $"'{policy.Path}.{key}' has no meaning with action {policy.Value("action").Text}", $"remove it, or use action: {word}; a policy has one action");
            }
        }
    }

    private void CheckLinks(BoundValue names)
    {
        if (!names.Given || !names.Valid)
        {
            return;
        }

        foreach (BoundValue name in names.Items)
        {
            CheckLink(name);
        }

        foreach (BoundValue repeated in names.Items.GroupBy(n => n.Text).SelectMany(g => g.Skip(1)))
        {
            diagnostics.Error(repeated.At, $"'{repeated.Path}': '{repeated.Text}' is listed twice", "list each link once, the best first");
        }
    }

    private void CheckLink(BoundValue bound)
    {
        if (bound is not { Given: true, Value: string name } || links.Count == 0 || links.Contains(name))
        {
            return;
        }

        IReadOnlyList<string> nearest = NearestName.Rank(name, links, 3);
        diagnostics.Error(
            bound.At, $"'{bound.Path}': there is no link '{name}'",
            NearestName.Find(name, links) is { } near ? $"did you mean '{near}'?" : "use one of " + string.Join(", ", nearest) + (links.Count > nearest.Count ? ", …" : ""));
    }
}
