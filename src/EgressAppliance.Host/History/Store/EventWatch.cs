using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Http;
using EgressAppliance.Net;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// Makes events of what changes from one cycle or command to the next. Sessions, tables, links and agents are compared cycle by cycle, so of what goes down and comes up again within one
/// only the session's is told (its time of entry tells). Guarded by its owner.
/// </summary>
internal sealed class EventWatch
{
    private readonly Dictionary<string, (bool Up, bool Complete, DateTimeOffset Since)> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _agents = new(StringComparer.Ordinal);
    private readonly Dictionary<IpPrefix, OverrideEntry> _overrides = [];
    private DecisionMode? _mode;
    private Verdict? _verdict;
    private long _run;
    private bool _losing;

    /// <summary>What a cycle changed.</summary>
    public List<HistoryEvent> OfCycle(CycleOutcome outcome, StateEventDto state)
    {
        List<HistoryEvent> events = [];
        OfOutcome(outcome, events);
        OfVerdict(outcome, events);
        OfSessions(outcome.Time, state.Status.Bgp, events);
        OfCapture(outcome.Time, state.Status.Capture, events);
        OfLinks(outcome.Time, state.Links, events);
        foreach (SnmpDto agent in state.Status.Snmp)
        {
            if (Changed(_agents, agent.Router, agent.Reachable, expected: true))
            {
                events.Add(new HistoryEvent(outcome.Time, agent.Reachable ? EventKind.SnmpBack : EventKind.SnmpLost) { Subject = agent.Router, Text = agent.Reachable ? "" : agent.LastError ?? "" });
            }
        }

        return events;
    }

    /// <summary>What an operator's command changed.</summary>
    public List<HistoryEvent> OfCommand(CycleOutcome outcome)
    {
        List<HistoryEvent> events = [];
        OfOutcome(outcome, events);
        return events;
    }

    /// <summary>The speaker withdrew an override by itself.</summary>
    public HistoryEvent OfLost(DateTimeOffset time, IpPrefix prefix, string reason)
    {
        _overrides.Remove(prefix, out OverrideEntry? entry);
        return new HistoryEvent(time, EventKind.Lost)
        {
            Prefix = prefix.ToString(),
            From = entry?.To ?? "",
            To = entry?.From ?? "",
            Bps = entry?.RateBps,
            Code = "path_lost",
            Text = reason,
        };
    }

    private void OfOutcome(CycleOutcome outcome, List<HistoryEvent> events)
    {
        if (_mode != outcome.Mode)
        {
            events.Add(new HistoryEvent(outcome.Time, EventKind.Mode) { Code = outcome.Mode == DecisionMode.Inject ? "inject" : "observe" });
            _mode = outcome.Mode;
        }

        bool inject = outcome.Mode == DecisionMode.Inject;
        Dictionary<IpPrefix, OverrideEntry> now = inject ? outcome.Overrides.ToDictionary(o => o.Prefix) : [];
        Dictionary<IpPrefix, OverrideWithdrawal> withdrawn = [];
        foreach (OverrideWithdrawal withdrawal in outcome.Withdraw)
        {
            withdrawn[withdrawal.Prefix] = withdrawal;
        }

        foreach (OverrideEntry entry in outcome.Announce)
        {
            bool stands = now.TryGetValue(entry.Prefix, out OverrideEntry? after) && after.To == entry.To;
            events.Add(new HistoryEvent(outcome.Time, stands ? EventKind.Announced : EventKind.Refused)
            {
                Prefix = entry.Prefix.ToString(),
                From = _overrides.TryGetValue(entry.Prefix, out OverrideEntry? before) ? before.To : entry.From,
                To = entry.To,
                Bps = entry.RateBps,
                Code = Reasons.Code(entry.Reason),
                Text = Reasons.Text(entry.Reason),
            });
        }

        foreach ((IpPrefix prefix, OverrideEntry before) in _overrides)
        {
            if (now.ContainsKey(prefix))
            {
                continue;
            }

            // Not withdrawn by the decision maker and yet gone: its lease ran out, or the speaker could not keep it.
            bool known = withdrawn.TryGetValue(prefix, out OverrideWithdrawal? withdrawal);
            events.Add(new HistoryEvent(outcome.Time, known ? EventKind.Withdrawn : EventKind.Lost)
            {
                Prefix = prefix.ToString(),
                From = before.To,
                To = before.From,
                Bps = before.RateBps,
                Code = known ? Reasons.Code(withdrawal!.Reason) : "ended",
                Text = known ? Reasons.Text(withdrawal!.Reason) : "It ended without the decision maker.",
            });
        }

        _overrides.Clear();
        foreach ((IpPrefix prefix, OverrideEntry entry) in now)
        {
            _overrides[prefix] = entry;
        }
    }

    private void OfVerdict(CycleOutcome outcome, List<HistoryEvent> events)
    {
        if (outcome.Verdict != _verdict)
        {
            events.Add(new HistoryEvent(outcome.Time, EventKind.Verdict)
            {
                Code = Reasons.Code(outcome.Verdict),
                Text = outcome.Reason,
                Count = _run,
                Bps = outcome.Plan?.OverloadBps,
            });
            (_verdict, _run) = (outcome.Verdict, 0);
        }

        _run++;
        int changes = (outcome.Plan?.Moves.Count ?? 0) + (outcome.Plan?.Releases.Count ?? 0);
        if (changes > 0)
        {
            events.Add(new HistoryEvent(outcome.Time, EventKind.Plan)
            {
                Code = Reasons.Code(outcome.Verdict),
                Count = outcome.Plan!.Moves.Count,
                Bps = outcome.Plan.OverloadBps,
                Text = $"{outcome.Plan.Moves.Count} moves, {outcome.Plan.Releases.Count} releases, {outcome.Plan.Kept.Count} kept.",
            });
        }
    }

    private void OfSessions(DateTimeOffset time, IReadOnlyList<BgpPeerDto> peers, List<HistoryEvent> events)
    {
        foreach (BgpPeerDto peer in peers)
        {
            bool up = peer.State == "Established";
            (bool Up, bool Complete, DateTimeOffset Since) before = _sessions.GetValueOrDefault(peer.Router);
            bool again = up && before.Up && peer.Since != before.Since;
            if (again || (before.Up && !up))
            {
                events.Add(new HistoryEvent(time, EventKind.SessionDown) { Subject = peer.Router, Text = peer.LastError ?? "" });
            }

            if (again || (up && !before.Up))
            {
                events.Add(new HistoryEvent(peer.Since, EventKind.SessionUp) { Subject = peer.Router, Text = peer.Address });
            }

            if (up && peer.TableComplete && (again || !before.Complete))
            {
                events.Add(new HistoryEvent(time, EventKind.TableComplete) { Subject = peer.Router, Count = peer.Routes });
            }

            _sessions[peer.Router] = (up, up && peer.TableComplete, peer.Since);
        }
    }

    private void OfCapture(DateTimeOffset time, CaptureDto capture, List<HistoryEvent> events)
    {
        bool losing = capture.LossRatio > 0;
        if (losing != _losing)
        {
            CaptureSourceDto? worst = capture.Sources.MaxBy(s => s.LossRatio);
            events.Add(new HistoryEvent(time, losing ? EventKind.LossBegan : EventKind.LossEnded)
            {
                Subject = losing ? worst?.Name ?? "" : "",
                Count = losing ? (long)(capture.LossRatio * 1_000_000) : null,
                Text = losing ? capture.Findings.FirstOrDefault(f => f.Level == "loss")?.Message ?? "" : "",
            });
            _losing = losing;
        }
    }

    private void OfLinks(DateTimeOffset time, IReadOnlyList<LinkDto> links, List<HistoryEvent> events)
    {
        foreach (LinkDto link in links)
        {
            bool up = link.State != "down";
            if (Changed(_links, link.Name, up, expected: true))
            {
                events.Add(new HistoryEvent(time, up ? EventKind.LinkUp : EventKind.LinkDown) { Subject = link.Name, Text = $"{link.Router} {link.Interface}: {link.OperStatus}" });
            }
        }
    }

    /// <summary>Notes a state; true if it is not what it was, or at first what is expected.</summary>
    private static bool Changed(Dictionary<string, bool> states, string name, bool now, bool expected)
    {
        bool before = states.GetValueOrDefault(name, expected);
        states[name] = now;
        return before != now;
    }
}
