using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>Turns a cycle's inputs and outcome into the documents of the API.</summary>
public sealed class StateBuilder(
    ApplianceConfig config, LinkDirectory links, IBgpSpeaker speaker, MonitoringView monitoring, PrefixTable table, TimeProvider time)
{
    /// <summary>Prefixes that the event stream carries.</summary>
    public const int TopPrefixes = 20;

    private readonly long _start = time.GetTimestamp();
    private readonly CaptureMonitor _capture = new(config.Capture, time);

    /// <summary>The version of the appliance.</summary>
    public static string Version { get; } = typeof(StateBuilder).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>The state before the first cycle.</summary>
    public StateEventDto Empty(ApplianceMode mode)
    {
        CaptureDto capture = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, new Dictionary<string, long>(), 0, 0, 0, 0, []);
        StatusDto status = new(
            config.Site, Version, mode == ApplianceMode.Inject ? "inject" : "observe", Reasons.Code(Verdict.Starting), Reasons.Text(Verdict.Starting), false,
            time.GetUtcNow(), 0, ["No cycle has run yet."], capture, [], []);
        return new StateEventDto(status, [], [], [], null);
    }

    /// <summary>The state after a cycle.</summary>
    public StateEventDto Build(CycleInputs inputs, CycleOutcome outcome, TimeSpan elapsed)
    {
        string[] problems = [.. outcome.Problems, .. inputs.Problems];
        StatusDto status = new(
            config.Site, Version, ModeName(outcome.Mode), Reasons.Code(outcome.Verdict), outcome.Reason, outcome.Healthy && problems.Length == 0, outcome.Time,
            time.GetElapsedTime(_start).TotalSeconds, problems, Capture(inputs), monitoring.Describe(inputs.Peers, inputs.Choices),
            [.. inputs.Agents.Select(a => new SnmpDto(a.Router, a.Reachable, a.LastPoll, a.LastError))]);
        List<OverrideDto> overrides = [.. outcome.Overrides.Select(o => Override(o, outcome.Mode))];
        return new StateEventDto(
            status, Links(inputs, outcome), [.. inputs.Rates.Top(TopPrefixes, null).Select(r => Prefix(r, inputs.Input.Links, outcome.Overrides, outcome.Mode))],
            overrides, Decision(outcome, elapsed));
    }

    /// <summary>The same state with what an operator's command changed.</summary>
    public static StateEventDto After(StateEventDto state, CycleOutcome command) => state with
    {
        Status = state.Status with
        {
            Mode = ModeName(command.Mode),
            Verdict = Reasons.Code(command.Verdict),
            Reason = command.Reason,
            Time = command.Time,
        },
        Overrides = [.. command.Overrides.Select(o => Override(o, command.Mode))],
    };

    /// <summary>One prefix with the links it goes and would go by.</summary>
    public PrefixDto Prefix(PrefixRate rate, IReadOnlyList<LinkState> states, IReadOnlyList<OverrideEntry> overrides, DecisionMode mode)
    {
        IReadOnlyList<RibPath> paths = speaker.GetPaths(rate.Prefix);
        string? native = links.PrefersConfigured(paths) ? links.LinksOf(paths).FirstOrDefault(n => states.Any(l => l.Name == n && l.Up)) : null;
        bool overridden = mode == DecisionMode.Inject && overrides.Any(o => o.Prefix == rate.Prefix);
        return new PrefixDto(
            rate.Prefix.ToString(), links[rate.Link]?.Name, native, rate.RateBps, Math.Round(rate.PacketsPerSecond, 1),
            paths.Count > 0 ? paths[0].Attributes.AsPath.OriginAs : 0, overridden)
        {
            MeanBps = rate.MeanBps,
            ErrorRatio = Math.Round(rate.ErrorRatio, 4),
        };
    }

    /// <summary>The links by which the routers have a path for a prefix, in the order of preference.</summary>
    public IReadOnlyList<string> LinksOf(IpPrefix prefix) => links.LinksOf(speaker.GetPaths(prefix));

    /// <summary>A decision as the log keeps it.</summary>
    public static DecisionDto Decision(CycleOutcome outcome, TimeSpan elapsed)
    {
        MoveDto[] moves = [.. (outcome.Plan?.Moves ?? []).Select(m => new MoveDto(m.Prefix.ToString(), m.From, m.To, m.RateBps, Reasons.Text(m.Reason)))];
        Dictionary<IpPrefix, PlannedRelease> planned = (outcome.Plan?.Releases ?? []).ToDictionary(r => r.Prefix);
        List<MoveDto> releases = [.. planned.Values.Select(r => new MoveDto(r.Prefix.ToString(), r.From, r.To, r.RateBps, Reasons.Text(r.Reason)))];

        // Withdrawn beside the plan: leases, roll-backs, lost inputs, operators.
        releases.AddRange(outcome.Withdraw.Where(w => !planned.ContainsKey(w.Prefix))
            .Select(w => new MoveDto(w.Prefix.ToString(), w.Link, "", 0, Reasons.Text(w.Reason))));
        return new DecisionDto(
            outcome.Id, outcome.Time, Reasons.Code(outcome.Verdict), outcome.Reason, ModeName(outcome.Mode), moves, releases, outcome.Plan?.Kept.Count ?? 0,
            outcome.Plan?.OverloadBps ?? 0, Math.Round(elapsed.TotalMilliseconds, 3))
        {
            OverloadLowerBoundBps = outcome.Plan?.OverloadLowerBoundBps ?? 0,
        };
    }

    private static string ModeName(DecisionMode mode) => mode == DecisionMode.Inject ? "inject" : "observe";

    private static OverrideDto Override(OverrideEntry entry, DecisionMode mode) => new(
        entry.Prefix.ToString(), entry.From, entry.To, entry.RateBps, entry.Since, Reasons.Text(entry.Reason),
        mode == DecisionMode.Observe ? "proposed" : entry.State == OverrideState.Confirmed ? "confirmed" : "announced",
        mode == DecisionMode.Observe ? null : entry.LeaseExpires);

    private CaptureDto Capture(CycleInputs inputs)
    {
        PipelineStatistics s = inputs.Statistics;
        CaptureDto capture = new(
            s.Frames, s.Packets, s.IpBytes, Math.Round(inputs.PacketsPerSecond, 1), Math.Round(inputs.BitsPerSecond), s.Sources.Values.Sum(x => x.DroppedFrames),
            s.Sources.Values.Sum(x => x.Freezes), s.PoolExhausted, s.NonIp, s.Ignored, s.Undecodable, s.UnroutedPackets, s.UnroutedIpBytes,
            inputs.UnattributedPackets, table.Count, []);
        return CaptureView.Complete(
            capture with
            {
                Sampling = config.Capture.Sources.Select(x => x.Sampling).DefaultIfEmpty(1).Max(),
                Flow = inputs.Flow is { } flow ? FlowView.Of(flow, time.GetUtcNow()) : null,
            },
            _capture.Update(inputs.Timestamp, s, inputs.UnattributedPackets, inputs.Flow));
    }

    private List<LinkDto> Links(CycleInputs inputs, CycleOutcome outcome)
    {
        Dictionary<string, PlannedLink> planned = (outcome.Plan?.Links ?? []).ToDictionary(l => l.Name);
        IReadOnlyList<OverrideEntry> inForce = outcome.Mode == DecisionMode.Inject ? outcome.Overrides : [];
        List<LinkDto> all = new(links.Links.Count);
        for (int i = 0; i < links.Links.Count; i++)
        {
            LinkConfig link = links.Links[i];
            LinkState state = inputs.Input.Links[i];
            InterfaceState port = inputs.Interfaces[i];
            long capacity = link.CapacityBps ?? port.CapacityBps ?? 0;
            long mirror = inputs.MirrorBps[i];
            RateJudgement judgement = inputs.Beliefs[i].Judgement;
            PlannedLink? plan = planned.GetValueOrDefault(link.Name);
            int away = inForce.Count(o => o.From == link.Name);
            string name = !state.Up ? "down" : capacity == 0 ? "unknown" : mirror > capacity ? "over_capacity"
                : mirror > link.Threshold * capacity ? "over_threshold" : away > 0 ? "relieved" : "normal";
            all.Add(new LinkDto(
                link.Name, link.Router, port.Interface, OperStatusName(port.OperStatus), capacity, (long)(link.Threshold * capacity), (long)(link.Release * capacity),
                (long)(link.Ceiling * capacity), mirror, (long?)port.OutBps, plan?.NativeBps ?? 0, plan?.PlannedBps ?? 0, state.ErrorRatio ?? 0, name,
                inForce.Count(o => o.To == link.Name), away)
            {
                ErrorBps = inputs.Beliefs[i].ErrorBps,
                RateCause = RateCauses.Code(judgement.Cause),
                MirrorRatio = judgement.Ratio is { } ratio ? Math.Round(ratio, 4) : null,
                MirrorRatioError = Math.Round(judgement.RatioError, 4),
                RateProblem = RateCauses.Text(link.Name, judgement.Cause, judgement.Ratio, judgement.Factor, inputs.FlowFed[i] ? "flow export" : "the mirror"),
                Remedy = inputs.FlowFed[i] ? RateCauses.FlowRemedy(judgement) : RateCauses.Remedy(judgement),
                Match = inputs.Matches[i],
                MirrorPackets = inputs.Totals[i].Packets,
                MirrorBytes = inputs.Totals[i].Bytes,
                MembersUp = port.MembersUp,
                Members = port.Members,
                InErrors = port.InErrors,
                OutErrors = port.OutErrors,
                OutDiscards = port.OutDiscards,
            });
        }

        return all;
    }

    private static string OperStatusName(OperStatus status) => status switch
    {
        OperStatus.Up => "up",
        OperStatus.Down => "down",
        OperStatus.Testing => "testing",
        OperStatus.Dormant => "dormant",
        OperStatus.NotPresent => "not_present",
        OperStatus.LowerLayerDown => "lower_layer_down",
        _ => "unknown",
    };
}
