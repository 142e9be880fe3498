using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Control;

/// <summary>
/// Cost mode as a part of the controller. It keeps the months of the links that have a price, whether or not cost mode is on, and once in each of their samples has
/// <see cref="CostPlanner"/> propose what to move. What it proposes becomes part of the cycle's plan, all of it or nothing, and goes the same way as any other move: validator, ledger, confirmation.
/// </summary>
/// <param name="options">Limits of cost mode.</param>
/// <param name="billing">How each link with a price is billed, by name.</param>
internal sealed class CostMode(CostOptions options, IReadOnlyDictionary<string, BillingOptions> billing)
{
    // A clock this far behind a month's begin was ahead when the month began: the month is none.
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(40);

    // No clock that was set shows less: a box without a battery begins in 1970.
    private static readonly DateTimeOffset Credible = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SortedDictionary<string, BillingMonth> _months = new(StringComparer.Ordinal);
    private CostMemory? _memory;
    private CostVerdict _verdict = CostVerdict.Off;
    private DateTimeOffset? _decided;
    private long _refused;

    /// <summary>Its overrides are its own to give back; without it they are the relief's.</summary>
    public bool InCharge => _verdict is CostVerdict.NothingToSave or CostVerdict.BelowLimit or CostVerdict.Proposed or CostVerdict.GiveBack or CostVerdict.OverloadFirst;

    /// <summary>All that is remembered.</summary>
    public CostModeState State => new()
    {
        Months = [.. _months.Values.Select(m => m.ToRecord())],
        Memory = _memory,
        Verdict = _verdict,
        Decided = _decided,
        Refused = _refused,
    };

    /// <summary>How the months stand, by link.</summary>
    public IReadOnlyList<BillingStatus> Status => [.. _months.Values.Select(m => new BillingStatus(
        m.Link, m.Start, m.End, m.SampleCount, m.Measured, m.FreeSamples, m.StandingBps, m.PercentileSoFarBps))];

    /// <summary>Goes on from what another one remembered; months of links that have no price any more, or are billed otherwise, are dropped.</summary>
    public void Restore(CostModeState state)
    {
        foreach (BillingRecord record in state.Months)
        {
            if (billing.TryGetValue(record.Link, out BillingOptions? how) && BillingMonth.TryRestore(record, how, out BillingMonth? month))
            {
                _months[record.Link] = month!;
            }
        }

        (_memory, _verdict, _decided, _refused) = (state.Memory, state.Verdict, state.Decided, state.Refused);
    }

    /// <summary>Adds the rates by the interface counters to the months. A rate that is not known is not measured.</summary>
    public void Measure(DateTimeOffset timeOfDay, IReadOnlyList<LinkState> links)
    {
        foreach ((string link, BillingOptions how) in billing)
        {
            if (timeOfDay < Credible)
            {
                _refused++;
                continue;
            }

            if (!_months.TryGetValue(link, out BillingMonth? month) || timeOfDay < month.Start - Ahead)
            {
                _months[link] = month = new(link, how, timeOfDay);
            }

            month.AdvanceTo(timeOfDay);
            if (links.FirstOrDefault(l => l.Name == link)?.MeasuredBps is { } bps && month.Add(timeOfDay, bps) is BillingAddResult.TooOld or BillingAddResult.OutOfRange)
            {
                _refused++;
            }
        }
    }

    /// <summary>True once in each sample, until <see cref="Propose"/> was able to decide.</summary>
    public bool IsDue(DateTimeOffset timeOfDay) => options.Enabled && _decided != SampleOf(timeOfDay);

    /// <summary>Proposes what to move.</summary>
    /// <param name="snapshot">What the cycle's plan was made from.</param>
    /// <param name="timeOfDay">The time of day.</param>
    public CostPlan Propose(DecisionSnapshot snapshot, DateTimeOffset timeOfDay)
    {
        CostPlan plan = CostPlanner.Propose(snapshot with { Time = timeOfDay }, [.. _months.Values], options, _memory);
        _verdict = plan.Verdict;
        if (_verdict != CostVerdict.OverloadFirst)
        {
            _decided = SampleOf(timeOfDay);
        }

        return plan;
    }

    /// <summary>Tells that a proposal is carried out, or had nothing to carry out.</summary>
    public void Accept(CostPlan plan) => _memory = plan.Memory ?? _memory;

    /// <summary>The cycle's plan, which moves nothing by itself, with the moves of a proposal.</summary>
    public static Plan Merge(Plan plan, CostPlan proposal)
    {
        Dictionary<string, long> change = new(StringComparer.Ordinal);
        HashSet<IpPrefix> changed = [];
        HashSet<IpPrefix> keeps = [.. proposal.Keeps];
        foreach (CostProposal move in proposal.Moves)
        {
            changed.Add(move.Prefix);
            change[move.From] = change.GetValueOrDefault(move.From) - move.RateBps;
            change[move.To] = change.GetValueOrDefault(move.To) + move.RateBps;
        }

        return plan with
        {
            Verdict = proposal.Moves.Count > 0 ? Verdict.SavingCost : plan.Verdict,
            Moves = [.. proposal.Moves.Where(m => !m.GivesBack).Select(m => new PlannedMove(m.Prefix, m.From, m.To, m.RateBps, ReasonCode.SaveCost))],
            Releases = [.. proposal.Moves.Where(m => m.GivesBack).Select(m => new PlannedRelease(m.Prefix, m.From, m.To, m.RateBps, ReasonCode.CostFits))],
            Kept = [.. plan.Kept.Where(k => !changed.Contains(k.Prefix)).Select(k => keeps.Contains(k.Prefix) ? k with { Reason = ReasonCode.SavesCost } : k)],
            Links = [.. plan.Links.Select(l => l with { PlannedBps = l.PlannedBps + change.GetValueOrDefault(l.Name) })],
        };
    }

    /// <summary>Makes the relief's overrides that cost mode wants kept its own.</summary>
    public static void Adopt(OverrideLedger ledger, CostPlan proposal)
    {
        foreach (IpPrefix prefix in proposal.Keeps)
        {
            ledger.SetReason(prefix, ReasonCode.SaveCost);
        }
    }

    /// <summary>Begin of the sample that a time falls into; null without a link that has a price.</summary>
    private DateTimeOffset? SampleOf(DateTimeOffset time)
    {
        TimeSpan? interval = _months.Values.FirstOrDefault()?.Options.Interval;
        return interval is { } length ? new DateTimeOffset(time.UtcTicks - (time.UtcTicks % length.Ticks), TimeSpan.Zero) : null;
    }
}
