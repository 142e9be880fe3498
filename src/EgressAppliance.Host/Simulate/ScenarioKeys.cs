using System.Globalization;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Simulator.ClosedLoop;
using static EgressAppliance.Host.Config.ConfigKeys;
using static EgressAppliance.Host.Config.ConfigType;

namespace EgressAppliance.Host.Simulate;

/// <summary>Every key of a scenario file, in the form of those of the configuration: bound, checked and described by the same code.</summary>
public static class ScenarioKeys
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>All keys, sections before what is in them.</summary>
    public static IReadOnlyList<ConfigKey> All { get; } =
    [
        Required("title", Text("text", 200), "What the scenario shows, one line."),
        Value("seed", WholeNumber(0, long.MaxValue), "1", "Seed of all randomness. The same seed gives the same run."),
        Required("duration", Duration(TimeSpan.FromMinutes(1), Longest), "Length in virtual time."),
        Value("starts_at", Duration(TimeSpan.Zero, TimeSpan.FromDays(1)), "0s", "Time of day at which it begins; day patterns go by it."),

        Sections("links[]", "The provider links.") with { Required = true, MinimumItems = 1, MaximumItems = 32 },
        Required("links[].name", Identifier, "Its name."),
        Required("links[].capacity", Rate(1_000_000, 1L << 50), "Its capacity."),
        Value("links[].traffic", Ratio(0, 1), "0%", "Share of all traffic whose native path it is; scaled so that all shares add up to the whole."),
        Value("links[].threshold", Ratio(0.01, 1), "95%", "Relieve above; overload is measured against it for all contestants."),
        Value("links[].ceiling", Ratio(0.01, 1), "90%", "Never filled beyond by our own moves."),
        Value("links[].release", Ratio(0.01, 1), "85%", "Give back below."),

        Section("traffic", "The traffic before events.") with { Required = true },
        Required("traffic.total", Rate(1_000_000, 1L << 50), "All of it at the peak of the day."),
        Value("traffic.prefixes", WholeNumber(1, 65536), "2000", "Prefixes with traffic."),
        Value("traffic.popularity", Number(0, 3), "1", "Exponent of the power law that their rates follow."),
        Value("traffic.reach", Ratio(0, 1), "90%", "Share of prefixes that have a path by each link that is not their native one."),
        Value("traffic.prefix_noise", Ratio(0, 1), "10%", "Standard deviation of each prefix's rate."),
        Value("traffic.link_noise", Ratio(0, 1), "0%", "All traffic of a native link wanders within plus or minus this."),
        Value("traffic.noise_time", Duration(Second, TimeSpan.FromHours(1)), "20s", "Time in which noise forgets itself."),
        Value("traffic.night", Ratio(0, 1), "100%", "Rate in the deepest night relative to the peak; 100%: no day at all."),
        Value("traffic.peak_at", Duration(TimeSpan.Zero, TimeSpan.FromDays(1)), "20.5h", "Time of day of the peak."),

        Section("appliance", "The appliance; what is not given here is as the configuration's defaults have it."),
        Value("appliance.count", WholeNumber(1, 2), "1", "How many stand side by side at the same router."),
        Value("appliance.cycle", Duration(Second, TimeSpan.FromMinutes(1)), "5s", "Decision cycle, whole seconds."),
        Value("appliance.window", Duration(Second, TimeSpan.FromHours(1)), "60s", "Averaging window of demands."),
        Value("appliance.poll", Duration(Second, TimeSpan.FromMinutes(10)), "10s", "Period at which interface counters are polled, whole seconds."),

        .. PolicyKeys("policies[]"),

        Sections("events[]", "What happens.") with { MaximumItems = 1000 },
        Required("events[].at", Duration(TimeSpan.Zero, Longest), "When, from the beginning."),
        Required("events[].what", Choice([.. Enum.GetValues<ScenarioEventKind>().Select(k => (Code(k), (object)k))]), "What."),
        Optional("events[].for", Duration(Second, Longest), "How long; without it: to the end. For a ramp the time it takes."),
        Optional("events[].link", Identifier, "The link; without it: all."),
        Optional("events[].factor", Number(0, 1000), "Multiple of the rate (step, ramp, flash_crowd) or of the truth (counter_lies, mirror_lies)."),
        Optional("events[].share", Ratio(0, 1), "Share of paths (paths_withdrawn) or frames (mirror_loss)."),
        Optional("events[].prefixes", WholeNumber(1, 65536), "How many prefixes (flash_crowd)."),
        Value("events[].appliance", WholeNumber(0, 2), "0", "Which appliance it concerns, 0 for all."),

        Sections("expect[]", "What must come of it.") with { MaximumItems = 1000 },
        Optional("expect[].overload_to_plain", Ratio(0, 1), "Overload-seconds at most this share of plain BGP's."),
        Optional("expect[].overload_seconds", WholeNumber(0, int.MaxValue), "At most so many overload-seconds."),
        Optional("expect[].changes_to_greedy", Ratio(0, 1), "Moves and releases at most this share of the greedy controller's, at no more overload."),
        Optional("expect[].changes", WholeNumber(0, int.MaxValue), "At most so many moves and releases."),
        Optional("expect[].changes_at_least", WholeNumber(0, int.MaxValue), "At least so many."),
        Optional("expect[].changes_per_prefix_hour", WholeNumber(0, int.MaxValue), "At most so many of any prefix in any hour."),
        Optional("expect[].at", Duration(TimeSpan.Zero, Longest), "The moment that verdict, overrides and prefix are about."),
        Optional("expect[].verdict", Choice([.. Enum.GetValues<Verdict>().Select(v => (Reasons.Code(v), (object)v))]), "The verdict at that moment."),
        Optional("expect[].cause", Choice([.. Enum.GetValues<RateCause>().Select(c => (RateCauses.Code(c), (object)c))]), "What mirror and counter of `link` must be taken to say of each other at that moment; the error bars of all links must cover the truth then."),
        Optional("expect[].link", Identifier, "The link that the cause is about."),
        Optional("expect[].overrides_at_most", WholeNumber(0, int.MaxValue), "At most so many overrides at that moment."),
        Optional("expect[].overrides_at_least", WholeNumber(0, int.MaxValue), "At least so many overrides at that moment."),
        Optional("expect[].prefix", ConfigType.Prefix, "A prefix that leaves by `leaves_by` at that moment; they are 20.0.0.0/24, 20.0.1.0/24 and so on, the largest first."),
        Optional("expect[].leaves_by", Identifier, "The link, of `prefix`."),
    ];

    /// <summary>The schema of a scenario file.</summary>
    public static ConfigSchema Schema { get; } = ConfigSchema.Of(All);

    /// <summary>The word for a kind of event.</summary>
    public static string Code(ScenarioEventKind kind) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());

    private static ConfigType Number(double minimum, double maximum) => new("number", string.Create(CultureInfo.InvariantCulture, $"{minimum}–{maximum}"), text =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value >= minimum && value <= maximum
            ? ParsedValue.Of(value)
            : ParsedValue.Bad($"'{text}' is not a number from {minimum} to {maximum}", "write it like 1.5"));
}
