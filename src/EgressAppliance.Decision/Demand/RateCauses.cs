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
    /// <param name="source">What is compared with the counter.</param>
    public static string Text(string link, RateCause cause, double? ratio, int factor, string source = "the mirror") => cause switch
    {
        RateCause.MirrorLoss => $"{source} shows {Percent(ratio)} of what the counter of {link} counts: the rest is lost on the way here, or not mirrored",
        RateCause.Duplicated => $"{source} shows {Number(factor)} times what the counter of {link} counts: every frame comes {Number(factor)} times",
        RateCause.Sampling => $"{source} shows one frame in {Number(factor)} of what the counter of {link} counts: it is sampled, beyond what is configured",
        RateCause.MirrorSilent => $"{source} shows nothing of what the counter of {link} counts",
        RateCause.MirrorExcess => $"{source} shows {Percent(ratio)} of what the counter of {link} counts",
        RateCause.CounterStalled => $"the counter of {link} stands still while {source} shows traffic",
        RateCause.CounterMissing => $"the router no longer answers for the counter of {link}",
        RateCause.Overhead => $"{source.Replace("the ", "", StringComparison.Ordinal)} and counter of {link} differ by a few bytes a packet",
        RateCause.Shaped => $"{link} is offered more than it carries: its counter stays at the capacity, and the router drops the rest",
        RateCause.Sudden => $"{source} of {link} has jumped away from its counter, or back to it; waiting for the next polls to tell whether the traffic did",
        RateCause.Unconfirmed => $"{source} shows much traffic on {link}, and its counter has given no rate yet; waiting for the next polls to confirm it",
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

    /// <summary>The same for a link that flow export tells of.</summary>
    /// <param name="judgement">The judgement.</param>
    public static string FlowRemedy(RateJudgement judgement) => judgement.Cause switch
    {
        RateCause.MirrorLoss => "Look in `show capture` for lost datagrams and refused records, and check that all interfaces by which traffic comes in (or this one, for egress flows) are exported.",
        RateCause.Duplicated => "Have each packet exported once: ingress flows on all interfaces, or egress flows on the provider interfaces, and from one place.",
        RateCause.Sampling => $"Set sampling of the exporter to {Number(judgement.Factor)} times its present value, or have it send its sampling interval.",
        RateCause.MirrorSilent => "Check in `show capture` that records come, and that the ifIndex of the link is the one that they name.",
        RateCause.MirrorExcess => "Check that no traffic is exported twice, and that the ifIndex of the link is the one that the records name.",
        _ => Remedy(judgement),
    };

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double? ratio) => ratio?.ToString("0 %", CultureInfo.InvariantCulture) ?? "a part";
}
