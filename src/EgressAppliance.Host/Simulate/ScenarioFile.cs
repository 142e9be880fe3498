using System.Reflection;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Net;
using EgressAppliance.Simulator.ClosedLoop;

namespace EgressAppliance.Host.Simulate;

/// <summary>Reads scenario files: YAML with the keys of <see cref="ScenarioKeys"/>, and those that come with the program.</summary>
public static class ScenarioFile
{
    private const string Prefix = "scenarios.";
    private const string Suffix = ".yaml";
    private const int MaximumFileBytes = 1 << 20;

    // Keys of an event that go with some kinds only.
    private static readonly string[] EventKeys = ["link", "factor", "share", "prefixes"];

    // What policies of a router match by, and scenarios have not.
    private static readonly string[] AttributeKeys = ["origin_as", "community"];

    // Larger runs would take hours and gigabytes; nobody means them.
    private const double MostPrefixSeconds = 2e10;

    /// <summary>Names of the scenarios that come with the program, sorted.</summary>
    public static IReadOnlyList<string> Bundled { get; } =
    [
        .. typeof(Scenario).Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal) && n.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..^Suffix.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>Text of a bundled scenario.</summary>
    public static string ReadBundled(string name)
    {
        Assembly assembly = typeof(Scenario).Assembly;
        using Stream stream = assembly.GetManifestResourceStream(Prefix + name + Suffix) ?? throw new ArgumentException($"there is no bundled scenario '{name}'", nameof(name));
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Reads a bundled scenario by its name, or else a file.</summary>
    /// <param name="nameOrPath">What the user gave.</param>
    /// <returns>The scenario; null exactly if there are errors.</returns>
    public static (Scenario? Scenario, IReadOnlyList<ConfigError> Errors) Load(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        if (Bundled.Contains(nameOrPath, StringComparer.Ordinal))
        {
            return Parse(ReadBundled(nameOrPath), nameOrPath);
        }

        try
        {
            if (new FileInfo(nameOrPath) is { Exists: true, Length: > MaximumFileBytes })
            {
                return (null, [new ConfigError(nameOrPath, 1, 1, "the file is larger than 1 MiB", "check that it is a scenario")]);
            }

            return Parse(File.ReadAllText(nameOrPath), nameOrPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, [new ConfigError(nameOrPath, 1, 1, "cannot be read: " + e.Message, "give a file, or the name of a bundled scenario: " + string.Join(", ", Bundled))]);
        }
    }

    /// <summary>Reads a scenario's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">Its name for messages.</param>
    public static (Scenario? Scenario, IReadOnlyList<ConfigError> Errors) Parse(string text, string file)
    {
        ConfigDiagnostics diagnostics = new(file);
        YamlNode? root = ConfigYaml.Read(text, diagnostics);
        if (root is null && diagnostics.HasErrors)
        {
            return (null, diagnostics.Errors);
        }

        BoundSection bound = ConfigBinder.Bind(root ?? new YamlMapping(ConfigPosition.Start, []), ScenarioKeys.Schema, diagnostics);
        if (!diagnostics.HasErrors)
        {
            Check(bound, diagnostics);
        }

        return diagnostics.HasErrors ? (null, diagnostics.Errors) : (Map(bound), []);
    }

    private static void Check(BoundSection root, ConfigDiagnostics diagnostics)
    {
        HashSet<string> links = [];
        foreach (BoundSection link in root.Sections("links"))
        {
            string name = link.Value("name").Text;
            if (!links.Add(name))
            {
                diagnostics.Error(link.Value("name").At, $"there are two links named '{name}'", "give each its own name");
            }

            double threshold = link.Get<double>("threshold");
            double ceiling = link.Get<double>("ceiling");
            if (link.Get<double>("release") > ceiling || ceiling > threshold)
            {
                diagnostics.Error(link.At, $"'{link.Path}' must have release ≤ ceiling ≤ threshold", "change the one that is out of order");
            }
        }

        if (root.Sections("links").Sum(l => l.Get<double>("traffic")) <= 0)
        {
            diagnostics.Error(root.KeyAt("links"), "no link has any traffic", "give `traffic`, such as 50%, to the links that are native to prefixes");
        }

        TimeSpan duration = root.Get<TimeSpan>("duration");
        double size = duration.TotalSeconds * root.Section("traffic")!.Get<long>("prefixes");
        if (size > MostPrefixSeconds)
        {
            diagnostics.Error(root.KeyAt("duration"), "the run would take hours", "give a shorter duration or fewer prefixes");
        }

        WholeSeconds(root.Value("duration"), duration, diagnostics);
        WholeSeconds(root.Section("appliance")!.Value("cycle"), root.Section("appliance")!.Get<TimeSpan>("cycle"), diagnostics);
        WholeSeconds(root.Section("appliance")!.Value("poll"), root.Section("appliance")!.Get<TimeSpan>("poll"), diagnostics);
        foreach (BoundSection entry in root.Sections("events"))
        {
            CheckEvent(entry, links, diagnostics);
        }

        new PolicyChecks(root.Sections("policies"), links, diagnostics).Run();
        foreach (BoundSection match in root.Sections("policies").Select(p => p.Section("match")).OfType<BoundSection>())
        {
            foreach (string key in AttributeKeys.Where(match.IsGiven))
            {
                diagnostics.Error(match.KeyAt(key), $"'{match.Path}.{key}' means nothing in a scenario, whose prefixes have none", "match by prefix or link");
            }
        }

        foreach (BoundSection expected in root.Sections("expect"))
        {
            bool moment = expected.IsGiven("cause") || expected.IsGiven("verdict") || expected.IsGiven("overrides_at_most") || expected.IsGiven("overrides_at_least") || expected.IsGiven("prefix");
            if (expected.IsGiven("prefix") != expected.IsGiven("leaves_by"))
            {
                diagnostics.Error(expected.At, $"'{expected.Path}' has only one of prefix and leaves_by", "give both");
            }
            else if (expected.TryGet("leaves_by", out string link) && !links.Contains(link))
            {
                diagnostics.Error(expected.Value("leaves_by").At, $"there is no link '{link}'", "known: " + string.Join(", ", links));
            }

            if (expected.IsGiven("cause") != expected.IsGiven("link") || (expected.IsGiven("link") && !links.Contains(expected.Value("link").Text)))
            {
                diagnostics.Error(expected.At, $"'{expected.Path}' must name a cause and one of the links, or neither", "known links: " + string.Join(", ", links));
            }

            if (moment != expected.IsGiven("at"))
            {
                diagnostics.Error(
                    expected.At, moment ? $"'{expected.Path}' does not say when" : $"'{expected.Path}' says when but not what",
                    moment ? "add `at`" : "add verdict, cause, overrides_at_most, overrides_at_least or prefix, or remove `at`");
            }
            else if (moment && expected.Get<TimeSpan>("at") >= duration)
            {
                diagnostics.Error(expected.Value("at").At, $"'{expected.Path}.at' is after the end", "give a time within the duration");
            }
        }
    }

    private static void WholeSeconds(BoundValue value, TimeSpan time, ConfigDiagnostics diagnostics)
    {
        if (time.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            diagnostics.Error(value.At, $"'{value.Path}' is not a whole number of seconds", "virtual time goes by seconds: round it");
        }
    }

    private static void CheckEvent(BoundSection entry, HashSet<string> links, ConfigDiagnostics diagnostics)
    {
        ScenarioEventKind kind = entry.Get<ScenarioEventKind>("what");
        if (entry.IsGiven("link") && !links.Contains(entry.Value("link").Text))
        {
            diagnostics.Error(entry.Value("link").At, $"there is no link '{entry.Value("link").Text}'", "known: " + string.Join(", ", links));
        }

        string[] needed = kind switch
        {
            ScenarioEventKind.Step or ScenarioEventKind.Ramp => ["factor"],
            ScenarioEventKind.FlashCrowd => ["factor", "prefixes"],
            ScenarioEventKind.CounterLies => ["link", "factor"],
            ScenarioEventKind.MirrorLies => ["factor"],
            ScenarioEventKind.PathsWithdrawn => ["link", "share"],
            ScenarioEventKind.MirrorLoss => ["share"],
            ScenarioEventKind.LinkDown or ScenarioEventKind.Drain or ScenarioEventKind.RouterRefuses or ScenarioEventKind.RouterPrefers
                or ScenarioEventKind.MirrorLinkLost => ["link"],
            _ => [],
        };
        foreach (string key in needed.Where(k => !entry.IsGiven(k)))
        {
            diagnostics.Error(entry.At, $"'{entry.Path}' has no '{key}', which {ScenarioKeys.Code(kind)} needs", $"add `{key}`");
        }

        string[] optional = kind is ScenarioEventKind.Step or ScenarioEventKind.Ramp or ScenarioEventKind.FlashCrowd or ScenarioEventKind.MirrorLies ? ["link"] : [];
        foreach (string key in EventKeys.Where(k => entry.IsGiven(k) && !needed.Contains(k) && !optional.Contains(k)))
        {
            diagnostics.Error(entry.KeyAt(key), $"'{entry.Path}.{key}' means nothing for {ScenarioKeys.Code(kind)}", "remove it");
        }
    }

    private static Scenario Map(BoundSection root)
    {
        BoundSection traffic = root.Section("traffic")!;
        BoundSection appliance = root.Section("appliance")!;
        return new Scenario
        {
            Title = root.Get<string>("title"),
            Seed = (ulong)root.Get<long>("seed"),
            Duration = root.Get<TimeSpan>("duration"),
            StartsAt = root.Get<TimeSpan>("starts_at"),
            Links =
            [
                .. root.Sections("links").Select(l => new ScenarioLink(l.Value("name").Text, l.Get<long>("capacity"))
                {
                    Threshold = l.Get<double>("threshold"),
                    Ceiling = l.Get<double>("ceiling"),
                    Release = l.Get<double>("release"),
                }),
            ],
            Traffic = new ScenarioTraffic
            {
                TotalBps = traffic.Get<long>("total"),
                Prefixes = (int)traffic.Get<long>("prefixes"),
                Popularity = traffic.Get<double>("popularity"),
                NativeShares = root.Sections("links").ToDictionary(l => l.Value("name").Text, l => l.Get<double>("traffic")),
                Reach = traffic.Get<double>("reach"),
                PrefixNoise = traffic.Get<double>("prefix_noise"),
                LinkNoise = traffic.Get<double>("link_noise"),
                NoiseTime = traffic.Get<TimeSpan>("noise_time"),
                Night = traffic.Get<double>("night"),
                PeakAt = traffic.Get<TimeSpan>("peak_at"),
            },
            Appliance = new ScenarioAppliance
            {
                Count = (int)appliance.Get<long>("count"),
                Cycle = appliance.Get<TimeSpan>("cycle"),
                Window = appliance.Get<TimeSpan>("window"),
                Poll = appliance.Get<TimeSpan>("poll"),
            },
            Policies = PolicyChecks.Map(root.Sections("policies")),
            Events = [.. root.Sections("events").Select(Event)],
            Expectations = [.. root.Sections("expect").Select(Expect)],
        };
    }

    private static ScenarioEvent Event(BoundSection entry) => new(entry.Get<TimeSpan>("at"), entry.Get<ScenarioEventKind>("what"))
    {
        For = Given<TimeSpan>(entry, "for"),
        Link = entry.IsGiven("link") ? entry.Value("link").Text : null,
        Value = Given<double>(entry, "factor") ?? Given<double>(entry, "share") ?? 1,
        Count = (int)(Given<long>(entry, "prefixes") ?? 0),
        Appliance = (int)entry.Get<long>("appliance"),
    };

    private static Expectation Expect(BoundSection entry) => new()
    {
        OverloadToPlain = Given<double>(entry, "overload_to_plain"),
        OverloadSeconds = (int?)Given<long>(entry, "overload_seconds"),
        ChangesToGreedy = Given<double>(entry, "changes_to_greedy"),
        Changes = (int?)Given<long>(entry, "changes"),
        ChangesAtLeast = (int?)Given<long>(entry, "changes_at_least"),
        ChangesPerPrefixHour = (int?)Given<long>(entry, "changes_per_prefix_hour"),
        At = Given<TimeSpan>(entry, "at"),
        Verdict = Given<Verdict>(entry, "verdict"),
        Cause = Given<RateCause>(entry, "cause"),
        Link = entry.IsGiven("link") ? entry.Value("link").Text : null,
        OverridesAtMost = (int?)Given<long>(entry, "overrides_at_most"),
        OverridesAtLeast = (int?)Given<long>(entry, "overrides_at_least"),
        Prefix = Given<IpPrefix>(entry, "prefix"),
        LeavesBy = entry.TryGet("leaves_by", out string link) ? link : null,
    };

    private static T? Given<T>(BoundSection section, string key)
        where T : struct => section.TryGet(key, out T value) ? value : null;
}
