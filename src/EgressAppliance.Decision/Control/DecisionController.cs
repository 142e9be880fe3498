using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Control;

/// <summary>
/// The control loop without its surroundings: inputs and the time in, what to announce and to withdraw out. It holds the ledger of
/// overrides, the mode and the quarantine; it has no clock, no sockets and no log, so a journal of its calls replays exactly.
/// </summary>
/// <remarks>
/// Each cycle, in this order:
/// <code>
///  1  leases        entries not renewed in time are withdrawn (cycles were missing or late)
///  2  route feed    gone → everything is withdrawn: alternatives can no longer be watched
///  3  gates         bad input, or a projection that is not what is seen → frozen: all kept and renewed, nothing moved; beyond the grace period, given
///                   back a few a cycle
///  4  landing       announced overrides are confirmed by the mirror, or rolled back and their prefix put into quarantine
///  5  plan          Planner, then PlanValidator; a plan that breaks a rule is not carried out
///  6  cost          if the plan has nothing to do: what lowers the bill, once in 5 minutes (CostMode)
///  7  ledger        releases out, moves in, the rest renewed
/// </code>
/// In observe mode the same happens to a ledger of proposals, so that the plan shown is as steady as if it were carried out, and nothing is
/// announced. A change of mode starts with an empty ledger: inject → observe withdraws all; observe → inject plans anew, within the caps.
/// <see cref="WithdrawAll"/>, the red button, empties the ledger in one step and leaves the mode at observe until someone sets inject.
/// Overrides of operators end by an operator, by a lost path or link, or with the route feed; neither planner nor grace period ends them.
/// One caller at a time; <see cref="Overrides"/> alone may be read from any thread, for a watchdog of leases.
/// </remarks>
/// <param name="options">What governs it.</param>
/// <param name="mode">Mode at start.</param>
/// <param name="planner">Makes the plans; null: <see cref="Planner.Planner.Plan"/>. Whoever makes them, the validator stands between them and the routers.</param>
/// <param name="cost">What cost mode remembered when it was written down; null at the first start.</param>
public sealed partial class DecisionController(
    ControllerOptions options, DecisionMode mode = DecisionMode.Observe, Func<DecisionSnapshot, PlannerOptions, Plan>? planner = null, CostModeState? cost = null)
{
    private readonly Func<DecisionSnapshot, PlannerOptions, Plan> _planner = planner ?? Planner.Planner.Plan;
    private readonly OverrideLedger _ledger = new(options.Lease);
    private readonly QuarantineList _quarantine = new(options.Quarantine, options.MaxQuarantined);
    private readonly LinkHistory _history = new(options.ConfirmCycles, options.ConfirmOf, options.PeakWindow);
    private readonly FlapDamping _flaps = new(options.FlapSuppress, options.FlapReuse, options.FlapHalfLife);
    private readonly LinkTrust _trust = new(options.DistrustAfter, options.DistrustFor, options.DistrustAtMost);
    private readonly MisprojectionWatch _misprojection = new(options.MaxMisprojection, options.MisprojectionCycles, options.ConfirmWithin);
    private readonly CostMode _cost = RestoredCost(options, cost);
    private readonly List<OverrideWithdrawal> _pending = [];
    private volatile IReadOnlyList<OverrideEntry> _published = [];
    private long _id;
    private DateTimeOffset? _badSince;
    private Verdict _verdict = Verdict.Starting;
    private IReadOnlyList<LinkState> _links = [];
    private bool _feedSeen;
    private bool _healthy = true;
    private IReadOnlyList<string> _problems = [];

    /// <summary>The mode in force.</summary>
    public DecisionMode Mode { get; private set; } = mode;

    /// <summary>The limits and policies in force.</summary>
    public ControllerOptions Options => options;

    /// <summary>Overrides in force (inject) or proposed (observe) after the latest call, sorted by prefix. Any thread.</summary>
    public IReadOnlyList<OverrideEntry> Overrides => _published;

    /// <summary>How the months of the links with a price stand, by link. Changes nothing.</summary>
    public IReadOnlyList<BillingStatus> Billing => _cost.Status;

    /// <summary>What a later controller is given to go on with the months. Changes nothing.</summary>
    public CostModeState ExportCost() => _cost.State;

    /// <summary>What a cycle with these inputs would find wrong with them, in words. Changes nothing.</summary>
    /// <param name="health">How good the inputs are.</param>
    /// <param name="options">What governs the judgement.</param>
    public static IReadOnlyList<string> Problems(InputHealth health, ControllerOptions options)
    {
        ArgumentNullException.ThrowIfNull(health);
        ArgumentNullException.ThrowIfNull(options);
        return InputGate.Judge(health, options).Problems;
    }

    /// <summary>Runs one cycle.</summary>
    public CycleOutcome Cycle(CycleInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        DateTimeOffset now = input.Now;
        _links = input.Links;
        _trust.Keep(_links.Select(l => l.Name));
        ExpireLeases(now);
        _cost.Measure(input.TimeOfDay ?? now, _links);
        (Verdict? frozen, List<string> problems) = InputGate.Judge(input.Health, options);
        _healthy = problems.Count == 0;
        _problems = problems;
        _feedSeen |= input.Health.RouteFeedUp;
        if (frozen == Verdict.WithdrawnRouteFeedLost && !_feedSeen && _ledger.Count == 0)
        {
            // Nothing was lost that never was there: at the start there is only a table to wait for.
            frozen = Verdict.FrozenRibIncomplete;
        }

        if (frozen == Verdict.WithdrawnRouteFeedLost)
        {
            // Nothing is deemed bad any longer once all is withdrawn; the grace period starts anew with the next fault.
            _badSince = null;
            WithdrawEverything(ReasonCode.RouteFeedLost);
            DecisionSnapshot empty = SnapshotOf(input);
            return Outcome(now, frozen.Value, Planner.Planner.Freeze(empty, frozen.Value), empty);
        }

        if (frozen is null && _misprojection.Alarm)
        {
            // The mirror can be believed, so what did not land is still rolled back: it may be the very reason.
            CheckLanding(input);
            frozen = Verdict.FrozenMisprojection;
            _healthy = false;
            _problems = [.. _misprojection.Differences.DefaultIfEmpty("what is projected and what is seen agree again, but not for long enough yet")];
        }

        if (frozen is { } verdict)
        {
            return Freeze(input, verdict);
        }

        _badSince = null;
        CheckLanding(input);
        _flaps.Decay(now);
        DecisionSnapshot snapshot = SnapshotOf(input);
        Plan plan = _planner(snapshot, options.Planner);
        _history.Note(snapshot, plan);
        _misprojection.Note(input, snapshot, plan, Mode == DecisionMode.Inject);
        IReadOnlyList<PlanViolation> violations = PlanValidator.Validate(snapshot, plan, options.Planner);
        if (violations.Count > 0)
        {
            _healthy = false;
            _problems = [.. violations.Select(v => "plan rejected: " + v)];
            plan = Planner.Planner.Freeze(snapshot, Verdict.PlanRejected);
        }
        else if (plan.Verdict == Verdict.InvalidSnapshot)
        {
            _healthy = false;
            _problems = SnapshotCheck.Problems(snapshot);
        }

        CostPlan? proposal = null;
        DateTimeOffset timeOfDay = input.TimeOfDay ?? now;
        if (_healthy && plan is { Verdict: Verdict.NoOverload or Verdict.Holding or Verdict.FollowingPolicy, Moves.Count: 0 } && _cost.IsDue(timeOfDay))
        {
            proposal = _cost.Propose(snapshot, timeOfDay);
            plan = WithCost(snapshot, plan, proposal);
        }

        List<OverrideEntry> announce = Apply(plan, now);
        return Outcome(now, plan.Verdict, plan, snapshot, announce) with { Cost = proposal };
    }

    /// <summary>Tells how an announcement went. A failed one ends the override and puts the prefix into quarantine.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <param name="ok">The router was given the route.</param>
    /// <param name="now">Now.</param>
    /// <returns>False if there is no such override (any more).</returns>
    public bool Announced(IpPrefix prefix, bool ok, DateTimeOffset now)
    {
        bool known;
        if (ok)
        {
            known = _ledger.Announced(prefix);
        }
        else
        {
            known = _ledger.Remove(prefix, out OverrideEntry? entry);
            _quarantine.Add(prefix, now);
            if (known && entry!.Replaces)
            {
                // The router may still hold the route by the link before.
                _pending.Add(new(prefix, entry.To, ReasonCode.AnnouncementFailed));
            }
        }

        Publish();
        return known;
    }

    /// <summary>Tells that the speaker withdrew an override by itself, because its path or session was gone.</summary>
    /// <returns>False if there is no such override.</returns>
    public bool Lost(IpPrefix prefix)
    {
        bool known = _ledger.Remove(prefix, out _);
        Publish();
        return known;
    }

    /// <summary>Sets the mode. Setting the mode in force changes nothing.</summary>
    /// <returns>What to carry out at once.</returns>
    public CycleOutcome SetMode(DecisionMode newMode, DateTimeOffset now)
    {
        if (newMode == Mode)
        {
            return Outcome(now, _verdict);
        }

        if (newMode == DecisionMode.Inject)
        {
            _ledger.Clear();
            Mode = newMode;
            return Outcome(now, _verdict);
        }

        WithdrawEverything(ReasonCode.ModeObserve);
        Mode = newMode;
        return Outcome(now, Verdict.WithdrawnModeChange);
    }

    /// <summary>
    /// Goes on where a controller of another box was, whose state this one was made of (<see cref="FromState"/>): the same overrides are announced, all of them, since the routers have dropped
    /// those of the other; but for those that it had not renewed for too long (<see cref="ControllerOptions.ResumeWithin"/>).
    /// </summary>
    /// <returns>What to carry out at once.</returns>
    public CycleOutcome TakeOver(DateTimeOffset now)
    {
        _pending.Clear();
        _ledger.Resume(now, options.ResumeWithin);
        return Outcome(now, _verdict, announce: Mode == DecisionMode.Inject ? _ledger.Entries : []);
    }

    /// <summary>The red button: every override is withdrawn, operators' own included, and the mode is observe.</summary>
    /// <returns>What to carry out at once.</returns>
    public CycleOutcome WithdrawAll(DateTimeOffset now)
    {
        WithdrawEverything(ReasonCode.WithdrawnByOperator);
        Mode = DecisionMode.Observe;
        return Outcome(now, Verdict.WithdrawnByOperator);
    }

    /// <summary>An operator's own override.</summary>
    /// <param name="prefix">The prefix, exactly as learned.</param>
    /// <param name="link">The link to send it by.</param>
    /// <param name="paths">Links that have a path for it, the router's preference first; empty if the prefix is unknown.</param>
    /// <param name="now">Now.</param>
    /// <param name="rateBps">Its rate if known, bit/s.</param>
    /// <returns>The result, and when done what to carry out (in observe mode a proposal only).</returns>
    public (OperatorResult Result, CycleOutcome Outcome) AddOverride(
        IpPrefix prefix, string link, IReadOnlyList<string> paths, DateTimeOffset now, long rateBps = 0)
    {
        ArgumentNullException.ThrowIfNull(paths);
        LinkState? state = _links.FirstOrDefault(l => l.Name == link);
        OperatorResult result = _verdict == Verdict.Starting ? OperatorResult.NotReady
            : state is null ? OperatorResult.UnknownLink
            : !state.Up ? OperatorResult.LinkDown
            : !paths.Contains(link, StringComparer.Ordinal) ? OperatorResult.NoPath
            : paths[0] == link ? OperatorResult.AlreadyNative
            : !_ledger.TryGet(prefix, out _) && _ledger.Count >= options.Planner.MaxOverrides ? OperatorResult.TooManyOverrides
            : OperatorResult.Done;
        if (result != OperatorResult.Done)
        {
            return (result, Outcome(now, _verdict));
        }

        OverrideEntry entry = _ledger.Put(prefix, paths[0], link, rateBps, ReasonCode.Operator, OverrideSource.Operator, now);
        return (result, Outcome(now, _verdict, announce: Mode == DecisionMode.Inject ? [entry] : []));
    }

    /// <summary>An operator ends an override, whoever made it; the prefix is left alone for the quarantine time.</summary>
    public (OperatorResult Result, CycleOutcome Outcome) ReleaseOverride(IpPrefix prefix, DateTimeOffset now)
    {
        if (!_ledger.TryGet(prefix, out _))
        {
            return (OperatorResult.NoOverride, Outcome(now, _verdict));
        }

        End(prefix, ReasonCode.WithdrawnByOperator);
        _quarantine.Add(prefix, now);
        return (OperatorResult.Done, Outcome(now, _verdict));
    }

    /// <summary>Until when a prefix is left as it is. Changes nothing.</summary>
    public PrefixTimers TimersOf(IpPrefix prefix, DateTimeOffset now)
    {
        OverrideEntry? entry = _ledger.TryGet(prefix, out OverrideEntry? found) ? found : null;
        DateTimeOffset? hold = entry is { Source: OverrideSource.Planner } ? entry.Since + options.Planner.Hold : null;
        return new PrefixTimers(hold > now ? hold : null, _flaps.DampedUntil(prefix, now), _quarantine.Until(prefix, now), entry?.LeaseExpires);
    }

    /// <summary>The plan with cost mode's moves, if the validator has nothing against them.</summary>
    private Plan WithCost(DecisionSnapshot snapshot, Plan plan, CostPlan proposal)
    {
        Plan merged = CostMode.Merge(plan, proposal);
        IReadOnlyList<PlanViolation> violations = PlanValidator.Validate(snapshot, merged, options.Planner);
        if (violations.Count > 0)
        {
            _healthy = false;
            _problems = [.. violations.Select(v => "proposal of cost mode rejected: " + v)];
            return plan;
        }

        _cost.Accept(proposal);
        CostMode.Adopt(_ledger, proposal);
        return merged;
    }

    private CycleOutcome Freeze(CycleInput input, Verdict cause)
    {
        Verdict verdict = cause;
        DateTimeOffset now = input.Now;
        _badSince ??= now;
        if (now - _badSince >= options.Grace)
        {
            OverrideEntry[] oldest = [.. _ledger.Entries.Where(e => e.Source == OverrideSource.Planner)
                .OrderBy(e => e.Since).ThenBy(e => e.Prefix).Take(options.GiveBackPerCycle)];
            foreach (OverrideEntry entry in oldest)
            {
                End(entry.Prefix, ReasonCode.InputsBad);
            }

            verdict = oldest.Length > 0 ? Verdict.GivingBack : verdict;
        }

        foreach (OverrideEntry entry in _ledger.Entries)
        {
            _ledger.Renew(entry.Prefix, now);
        }

        DecisionSnapshot snapshot = SnapshotOf(input);
        Plan plan = Planner.Planner.Freeze(snapshot, verdict);
        if (cause == Verdict.FrozenMisprojection)
        {
            // What is seen decides when this ends. While another input is bad, it says nothing.
            _misprojection.Note(input, snapshot, plan, Mode == DecisionMode.Inject);
        }

        return Outcome(now, verdict, plan, snapshot);
    }

    private void ExpireLeases(DateTimeOffset now)
    {
        foreach (OverrideEntry entry in OverrideLedger.Expired(_ledger.Entries, now))
        {
            End(entry.Prefix, ReasonCode.LeaseExpired);
        }
    }

    /// <summary>Step 4. Proposals of observe mode have nothing to land.</summary>
    private void CheckLanding(CycleInput input)
    {
        if (Mode == DecisionMode.Observe)
        {
            return;
        }

        foreach (OverrideEntry entry in _ledger.Entries)
        {
            if (!input.ObservedLinks.TryGetValue(entry.Prefix, out string? seen))
            {
                continue;
            }

            if (seen == entry.To)
            {
                _ledger.Confirmed(entry.Prefix, input.Now);
                _trust.Confirmed(entry.To);
            }
            else if (entry.Source == OverrideSource.Planner && input.Now - (entry.LastConfirmed ?? entry.Since) >= options.ConfirmWithin)
            {
                End(entry.Prefix, ReasonCode.NotConfirmed);
                _quarantine.Add(entry.Prefix, input.Now);
                _trust.RolledBack(entry.To, input.Now);
            }
        }
    }

    private List<OverrideEntry> Apply(Plan plan, DateTimeOffset now)
    {
        foreach (PlannedRelease release in plan.Releases)
        {
            End(release.Prefix, release.Reason);
            _flaps.Add(release.Prefix, now);
        }

        foreach (KeptOverride kept in plan.Kept)
        {
            _ledger.Renew(kept.Prefix, now, kept.RateBps, kept.From);
        }

        List<OverrideEntry> announce = [];
        foreach (PlannedMove move in plan.Moves)
        {
            OverrideEntry entry = _ledger.Put(move.Prefix, move.From, move.To, move.RateBps, move.Reason, OverrideSource.Planner, now);
            _flaps.Add(move.Prefix, now);
            if (Mode == DecisionMode.Inject)
            {
                announce.Add(entry);
            }
        }

        return announce;
    }

    private void End(IpPrefix prefix, ReasonCode reason)
    {
        if (_ledger.Remove(prefix, out OverrideEntry? entry) && Mode == DecisionMode.Inject)
        {
            _pending.Add(new(prefix, entry!.To, reason));
        }
    }

    private void WithdrawEverything(ReasonCode reason)
    {
        foreach (OverrideEntry entry in _ledger.Entries)
        {
            End(entry.Prefix, reason);
        }
    }

    private DecisionSnapshot SnapshotOf(CycleInput input) => new()
    {
        Time = input.Now,
        Links = [.. _history.Annotate(input.Links, input.Now).Select(l => l with { Distrusted = _trust.IsDistrusted(l.Name, input.Now) })],
        Prefixes = input.Prefixes,
        Overrides = _ledger.Active(input.Now, prefix => _flaps.IsDamped(prefix, input.Now), _cost.InCharge),
        Quarantined = _quarantine.Current(input.Now),
    };

    private CycleOutcome Outcome(
        DateTimeOffset now, Verdict verdict, Plan? plan = null, DecisionSnapshot? snapshot = null, IReadOnlyList<OverrideEntry>? announce = null)
    {
        _verdict = verdict;
        // A prefix withdrawn earlier in this cycle and announced by another link now is replaced by the announcement (RFC 4271 section 3.1), unless that fails.
        OverrideEntry[] announced = [.. (announce ?? []).Select(a => _pending.Exists(w => w.Prefix == a.Prefix) && _ledger.Replacing(a.Prefix) is { } replacing ? replacing : a)];
        Publish();
        CycleOutcome outcome = new()
        {
            Id = ++_id,
            Time = now,
            Mode = Mode,
            Verdict = verdict,
            Plan = plan,
            Snapshot = snapshot,
            Announce = announced,
            Withdraw = [.. _pending.Where(w => !Array.Exists(announced, a => a.Prefix == w.Prefix)).OrderBy(w => w.Prefix)],
            Overrides = _published,
            Healthy = _healthy,
            Problems = _problems,
        };
        _pending.Clear();
        return outcome;
    }

    private static CostMode RestoredCost(ControllerOptions options, CostModeState? state)
    {
        CostMode cost = new(options.Cost, options.Billing);
        if (state is not null)
        {
            cost.Restore(state);
        }

        return cost;
    }

    private void Publish() => _published = _ledger.Entries;
}
