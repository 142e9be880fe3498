using System.Globalization;
using System.Text.Json;

namespace EgressAppliance.Decision.Demand;

/// <summary>The words for causes: codes of API and metrics, sentences for people.</summary>
public static class RateCauses
{
    // So much more than the counter shows is no difference of measurement, though it may be no whole number: a link that is full lowers it, for instance.
    private const double FarInExcess = 1.8;

    /// <summary>The cause in snake_case.</summary>
    public static string Code(RateCause cause) => JsonNamingPolicy.SnakeCaseLower.ConvertName(cause.ToString());

    /// <summary>
    /// True if rates that are wrong for this cause must not be decided on. Loss is not among them, since what is lost is known from the counter and widens the error
    /// bars (beyond a limit it freezes decisions as unattributed traffic does); nor is an overload, nor a small excess, which is left to the comparison with the projection.
    /// </summary>
    public static bool Forbids(RateJudgement judgement) =>
        judgement.Cause is RateCause.Duplicated or RateCause.Sampling or RateCause.MirrorSilent or RateCause.CounterStalled or RateCause.Sudden or RateCause.Unconfirmed
        || judgement is { Cause: RateCause.MirrorExcess, Ratio: >= FarInExcess };

    /// <summary>True if somebody should do something.</summary>
    public static bool IsFault(RateCause cause) => cause is not (RateCause.Unknown or RateCause.Agree);

    /// <summary>What is wrong, in words; empty if nothing is.</summary>
    /// <param name="link">The link.</param>
    /// <param name="cause">The cause.</param>
    /// <param name="ratio">Mirror rate divided by counter rate, if known.</param>
    /// <param name="factor">See <see cref="RateJudgement.Factor"/>.</param>
    public static string Text(string link, RateCause cause, double? ratio, int factor) => cause switch
    {
        RateCause.MirrorLoss => $"the mirror shows {Percent(ratio)} of what the counter of {link} counts: the rest is lost on the way here, or not mirrored",
        RateCause.Duplicated => $"the mirror shows {Number(factor)} times what the counter of {link} counts: every frame comes {Number(factor)} times",
        RateCause.Sampling => $"the mirror shows one frame in {Number(factor)} of what the counter of {link} counts: it is sampled, beyond what is configured",
        RateCause.MirrorSilent => $"the mirror shows nothing of what the counter of {link} counts",
        RateCause.MirrorExcess => $"the mirror shows {Percent(ratio)} of what the counter of {link} counts",
        RateCause.CounterStalled => $"the counter of {link} stands still while the mirror shows traffic",
        RateCause.CounterMissing => $"the router no longer answers for the counter of {link}",
        RateCause.Overhead => $"mirror and counter of {link} differ by a few bytes a packet",
        RateCause.Shaped => $"{link} is offered more than it carries: its counter stays at the capacity, and the router drops the rest",
        RateCause.Sudden => $"the mirror of {link} has jumped away from its counter, or back to it; waiting for the next polls to tell whether the traffic did",
        RateCause.Unconfirmed => $"the mirror shows much traffic on {link}, and its counter has given no rate yet; waiting for the next polls to confirm it",
        _ => "",
    };

    /// <summary>What to do about it, a sentence; empty if nothing.</summary>
    /// <param name="judgement">The judgement.</param>
    public static string Remedy(RateJudgement judgement) => judgement.Cause switch
    {
        RateCause.MirrorLoss => "Look for discards on the switch's mirror port, which may be slower than what it mirrors, for losses in `show capture`, and for a member port that is not mirrored.",
        RateCause.Duplicated => "Mirror one direction of one port only (egress of the provider port); if capture.sources sets sampling, check that the switch samples at all.",
        RateCause.Sampling => $"Set capture.sources[].sampling to {Number(judgement.Factor)} times its present value, or switch sampling off on the mirror.",
        RateCause.MirrorSilent => "Add the port to the mirror session, egress direction, and check that `match` of the link fits its frames.",
        RateCause.MirrorExcess => "Check that `match` of the link fits no other link's frames, and that the interface is the one that is mirrored.",
        RateCause.CounterStalled => "Check that the link's interface is the right one, and the router's line card; some count in a parent or child interface.",
        RateCause.CounterMissing => "Check that the router is reachable by SNMP from here, and the community or user that it is asked with.",
        RateCause.Overhead => $"Set overhead of the link to {judgement.OverheadBytes.ToString(CultureInfo.InvariantCulture)}.",
        RateCause.Shaped => "Nothing is wrong with the measurement: relieve the link, or buy capacity.",
        RateCause.Unconfirmed => "Nothing; two changes of the counter give a rate.",
        RateCause.Sudden => "Nothing; if it stays, the cause will be named within a minute or two.",
        _ => "",
    };

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double? ratio) => ratio?.ToString("0 %", CultureInfo.InvariantCulture) ?? "a part";
}
