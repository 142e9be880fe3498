using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Json;

/// <summary>Turns the document of a file into a snapshot, naming everything that is missing or out of range.</summary>
internal sealed class SnapshotReader
{
    private const int MaxProblems = 20;
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems => _problems;

    public DecisionSnapshot Read(SnapshotDocument document)
    {
        DecisionSnapshot snapshot = new()
        {
            Time = document.Time ?? DateTimeOffset.UnixEpoch,
            Links = Each(document.Links, "links", required: true, Link),
            Prefixes = Each(document.Prefixes, "prefixes", required: true, Demand),
            Overrides = Each(document.Overrides, "overrides", required: false, Override),
            Quarantined = Each(document.Quarantined, "quarantined", required: false, Prefix),
        };
        if (_problems.Count == 0)
        {
            _problems.AddRange(SnapshotCheck.Problems(snapshot));
        }

        return snapshot;
    }

    private List<TOut> Each<TIn, TOut>(List<TIn?>? items, string name, bool required, Func<TIn, string, TOut> read)
        where TIn : class
    {
        if (items is null)
        {
            if (required)
            {
                Problem(name, "missing");
            }

            return [];
        }

        List<TOut> result = new(items.Count);
        for (int i = 0; i < items.Count; i++)
        {
            if (items[i] is { } item)
            {
                result.Add(read(item, $"{name}[{i}]"));
            }
            else
            {
                Problem($"{name}[{i}]", "null");
            }
        }

        return result;
    }

    private LinkState Link(LinkDocument link, string at)
    {
        LinkState defaults = new() { Name = Text(link.Name, at + ".name"), CapacityBps = Bps(link.CapacityBps, at + ".capacity_bps") };
        return defaults with
        {
            Up = link.Up ?? defaults.Up,
            Threshold = link.Threshold ?? defaults.Threshold,
            Release = link.Release ?? defaults.Release,
            Ceiling = link.Ceiling ?? defaults.Ceiling,
            MeasuredBps = link.MeasuredBps is null ? null : Bps(link.MeasuredBps, at + ".measured_bps"),
            ErrorRatio = link.ErrorRatio,
            PricePerMbps = link.PricePerMbps,
            CommitBps = link.CommitBps is null ? null : Bps(link.CommitBps, at + ".commit_bps"),
            Drain = link.Drain ?? defaults.Drain,
            Distrusted = link.Distrusted ?? defaults.Distrusted,
            Unconfirmed = link.Unconfirmed ?? defaults.Unconfirmed,
            NativePeakBps = link.NativePeakBps is null ? null : Bps(link.NativePeakBps, at + ".native_peak_bps"),
            ResidualBps = link.ResidualBps is null ? 0 : Bps(link.ResidualBps, at + ".residual_bps"),
        };
    }

    private PrefixDemand Demand(PrefixDocument demand, string at) => new(
        Prefix(demand.Prefix, at + ".prefix"),
        Bps(demand.RateBps, at + ".rate_bps"),
        Each(demand.Paths, at + ".paths", required: true, Text),
        demand.ErrorRatio,
        demand.MeanBps is null ? 0 : Bps(demand.MeanBps, at + ".mean_bps"))
    {
        Policy = demand.Policy is null ? null : Policy(demand.Policy, at + ".policy"),
    };

    private PrefixPolicy Policy(PolicyDocument policy, string at)
    {
        if (policy.Action is null)
        {
            Problem(at + ".action", "missing");
        }

        return new()
        {
            Number = policy.Number ?? 0,
            Action = policy.Action ?? PolicyAction.Deny,
            Links = Each(policy.Links, at + ".links", required: false, Text),
            Class = policy.Class ?? PrefixPolicy.DefaultClass,
        };
    }

    private ActiveOverride Override(OverrideDocument over, string at)
    {
        if (over.AgeSeconds is null)
        {
            Problem(at + ".age_seconds", "missing");
        }

        return new(Prefix(over.Prefix, at + ".prefix"), Text(over.Link, at + ".link"), over.AgeSeconds ?? 0, over.Pinned ?? false, over.Damped ?? false, over.ForCost ?? false);
    }

    private string Text(string? text, string at)
    {
        if (string.IsNullOrEmpty(text))
        {
            Problem(at, "missing");
        }

        return text ?? "";
    }

    private IpPrefix Prefix(string? text, string at)
    {
        if (!IpPrefix.TryParse(text, out IpPrefix prefix))
        {
            Problem(at, $"'{text}' is not a prefix (address/length, host bits zero)");
        }

        return prefix;
    }

    /// <summary>Whole bit/s; a fraction, as other tools may write, is rounded down.</summary>
    private long Bps(decimal? value, string at)
    {
        if (value is null)
        {
            Problem(at, "missing");
            return 0;
        }

        if (value is < 0 or > SnapshotCheck.MaxBps)
        {
            Problem(at, $"{value} is not between 0 and {SnapshotCheck.MaxBps} bit/s");
            return 0;
        }

        return (long)decimal.Floor(value.Value);
    }

    private void Problem(string at, string what)
    {
        if (_problems.Count < MaxProblems)
        {
            _problems.Add($"{at}: {what}");
        }
    }
}
