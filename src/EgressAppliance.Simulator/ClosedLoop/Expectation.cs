using System.Globalization;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>
/// What a scenario says of its outcome. Each member that is given is a condition of its own.
/// </summary>
public sealed record Expectation
{
    /// <summary>Overload-seconds of the appliance: at most this share of plain BGP's, which must have some.</summary>
    public double? OverloadToPlain { get; init; }

    /// <summary>Moves and releases of the appliance: at most this share of the greedy controller's, at no more overload than that one has.</summary>
    public double? ChangesToGreedy { get; init; }

    /// <summary>Moves and releases of the appliance: at most this many.</summary>
    public int? Changes { get; init; }

    /// <summary>Moves and releases of the appliance: at least this many, so that a scenario cannot pass by doing nothing.</summary>
    public int? ChangesAtLeast { get; init; }

    /// <summary>Moves and releases of any one prefix within any hour: at most this many.</summary>
    public int? ChangesPerPrefixHour { get; init; }

    /// <summary>Overload-seconds of the appliance: at most this many.</summary>
    public int? OverloadSeconds { get; init; }

    /// <summary>The moment that the following are about, from the beginning.</summary>
    public TimeSpan? At { get; init; }

    /// <summary>The verdict that must be in force at <see cref="At"/>.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Overrides at <see cref="At"/>: at most this many.</summary>
    public int? OverridesAtMost { get; init; }

    /// <summary>Overrides at <see cref="At"/>: at least this many.</summary>
    public int? OverridesAtLeast { get; init; }

    /// <summary>A prefix that must leave by <see cref="LeavesBy"/> at <see cref="At"/>.</summary>
    public IpPrefix? Prefix { get; init; }

    /// <summary>See <see cref="Prefix"/>.</summary>
    public string? LeavesBy { get; init; }

    /// <summary>What must be taken for the cause on <see cref="Link"/> at <see cref="At"/>; the error bars of all links must cover the truth then.</summary>
    public RateCause? Cause { get; init; }

    /// <summary>The link that <see cref="Cause"/> is about.</summary>
    public string? Link { get; init; }

    /// <summary>Judges each condition.</summary>
    public IEnumerable<ExpectationOutcome> Judge(SimulationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        ContestantScore plain = result.Plain;
        ContestantScore greedy = result.Greedy;
        ContestantScore own = result.Appliance;
        if (OverloadToPlain is { } share)
        {
            yield return Of($"overload-seconds at most {Percent(share)} of plain BGP's", own.OverloadSeconds <= share * plain.OverloadSeconds && plain.OverloadSeconds > 0, $"{own.OverloadSeconds} of {plain.OverloadSeconds}");
        }

        if (OverloadSeconds is { } seconds)
        {
            yield return Of($"at most {seconds} overload-seconds", own.OverloadSeconds <= seconds, $"{own.OverloadSeconds}");
        }

        if (ChangesToGreedy is { } less)
        {
            yield return Of(
                $"changes at most {Percent(less)} of the greedy controller's, at no more overload",
                own.Changes <= less * greedy.Changes && own.OverloadSeconds <= greedy.OverloadSeconds,
                $"{own.Changes} of {greedy.Changes}, overload-seconds {own.OverloadSeconds} and {greedy.OverloadSeconds}");
        }

        if (Changes is { } most)
        {
            yield return Of($"at most {most} changes", own.Changes <= most, $"{own.Changes}");
        }

        if (ChangesAtLeast is { } least)
        {
            yield return Of($"at least {least} changes", own.Changes >= least, $"{own.Changes}");
        }

        if (ChangesPerPrefixHour is { } hourly)
        {
            yield return Of($"at most {hourly} changes of any prefix in any hour", own.MostChangesPerHour <= hourly, $"{own.MostChangesPerHour}");
        }

        if (At is { } at)
        {
            foreach (ExpectationOutcome outcome in JudgeMoment(result.MomentAt(at), at).Concat(JudgeBelief(result, at)))
            {
                yield return outcome;
            }

            if (Prefix is { } prefix)
            {
                string? link = result.Places.GetValueOrDefault((at, prefix));
                yield return Of($"{prefix} leaves by {LeavesBy} at {at}", link == LeavesBy, link ?? "none of the links");
            }
        }
    }

    private IEnumerable<ExpectationOutcome> JudgeMoment(SimulationMoment moment, TimeSpan at)
    {
        if (Verdict is { } verdict)
        {
            yield return Of($"verdict {Reasons.Code(verdict)} at {at}", moment.Verdicts.All(v => v == verdict), string.Join(", ", moment.Verdicts.Select(Reasons.Code)));
        }

        if (OverridesAtMost is { } most)
        {
            yield return Of($"at most {most} overrides at {at}", moment.Overrides <= most, $"{moment.Overrides}");
        }

        if (OverridesAtLeast is { } least)
        {
            yield return Of($"at least {least} overrides at {at}", moment.Overrides >= least, $"{moment.Overrides}");
        }
    }

    private IEnumerable<ExpectationOutcome> JudgeBelief(SimulationResult result, TimeSpan at)
    {
        if (Cause is { } cause)
        {
            int link = result.Scenario.Links.ToList().FindIndex(l => l.Name == Link);
            IReadOnlyList<SimulationBelief> beliefs = result.BeliefsAt(at);
            yield return Of(
                $"cause {RateCauses.Code(cause)} on {Link} at {at}", beliefs.Count > 0 && link >= 0 && beliefs.All(b => b.Causes[link] == cause),
                string.Join(", ", beliefs.Select(b => link < 0 ? "" : RateCauses.Code(b.Causes[link]))));
            yield return Of($"error bars cover the truth at {at}", beliefs.Count > 0 && beliefs.All(b => b.Covered), string.Join(", ", beliefs.Select(b => b.Covered)));
        }
    }

    private static ExpectationOutcome Of(string text, bool met, string seen) => new(text, met, seen);

    private static string Percent(double ratio) => ratio.ToString("0.##%", CultureInfo.InvariantCulture);
}

/// <summary>What became of a condition.</summary>
/// <param name="Text">The condition in words.</param>
/// <param name="Met">Whether it holds.</param>
/// <param name="Seen">What was seen.</param>
public sealed record ExpectationOutcome(string Text, bool Met, string Seen);
