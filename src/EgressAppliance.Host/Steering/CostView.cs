using System.Text.Json;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Steering;

/// <summary>What the API shows of money: the months as the control loop has them, and the latest proposals of cost mode. Any thread.</summary>
/// <param name="config">The configuration.</param>
/// <param name="months">Gives the months.</param>
/// <param name="file">Where they are kept; null if no link has a price.</param>
public sealed class CostView(ApplianceConfig config, Func<IReadOnlyList<BillingStatus>> months, BillingFile? file)
{
    private const int MostMoves = 50;
    private readonly Lock _gate = new();
    private readonly LinkedList<CostMoveDto> _moves = new();
    private CostPlan? _latest;
    private DateTimeOffset? _decided;
    private int _overrides;

    /// <summary>Notes what a cycle proposed, and what is in force after it or after an operator's command.</summary>
    public void Note(CycleOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        lock (_gate)
        {
            _overrides = outcome.Overrides.Count(o => o.Reason == ReasonCode.SaveCost);
            if (outcome.Cost is not { } proposal)
            {
                return;
            }

            (_latest, _decided) = (proposal, outcome.Time);
            if (outcome.Verdict != Verdict.SavingCost)
            {
                return;
            }

            foreach (CostProposal move in proposal.Moves)
            {
                _moves.AddFirst(new CostMoveDto(
                    outcome.Time, move.Prefix.ToString(), move.From, move.To, move.RateBps, Math.Round(move.SavingPerMonth, 2), CostReasons.Text(move.Reason), move.GivesBack));
            }

            while (_moves.Count > MostMoves)
            {
                _moves.RemoveLast();
            }
        }
    }

    /// <summary>The document.</summary>
    public CostDto Describe()
    {
        IReadOnlyList<BillingStatus> billing = months();
        (CostPlan? plan, DateTimeOffset? decided, int overrides, CostMoveDto[] moves) = Latest();
        Dictionary<string, CostLink> levels = (plan?.Links ?? []).ToDictionary(l => l.Name);
        List<CostLinkDto> links = [];
        decimal bill = 0;
        foreach (LinkConfig link in config.Links)
        {
            if (link.PricePerMbit is not { } price || billing.FirstOrDefault(b => b.Link == link.Name) is not { } month)
            {
                continue;
            }

            CostLink? level = levels.GetValueOrDefault(link.Name);
            bill += (decimal)price * Math.Max(link.CommitBps ?? 0, month.StandingBps) / 1_000_000m;
            links.Add(new CostLinkDto(
                link.Name, price, link.CommitBps, month.Start, month.End, month.Samples, month.Measured, month.FreeSamples, month.StandingBps,
                month.PercentileSoFarBps, level?.LevelBps, level?.LimitBps, level?.FreeLeft, level?.Bursting ?? false));
        }

        CostVerdict verdict = plan?.Verdict ?? CostVerdict.Off;
        string reason = plan is null && config.Decision.CostMode.Enabled ? "It has not proposed anything yet." : CostReasons.Text(verdict);
        return new CostDto(
            config.Decision.CostMode.Enabled, JsonNamingPolicy.SnakeCaseLower.ConvertName(verdict.ToString()), reason, decided, Math.Round(bill, 2),
            plan is { Links.Count: > 0 } ? Math.Round(plan.ExpectedBill, 2) : null, overrides, links, moves, file?.Problem);
    }

    private (CostPlan? Plan, DateTimeOffset? Decided, int Overrides, CostMoveDto[] Moves) Latest()
    {
        lock (_gate)
        {
            return (_latest, _decided, _overrides, [.. _moves]);
        }
    }
}
