using System.Globalization;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>The appliance's documents as text for a terminal. Views never compute: what they show is what the API sent.</summary>
public static class Views
{
    /// <summary><c>show status</c></summary>
    public static void Status(StatusDto status, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(console);
        CaptureDto capture = status.Capture;
        TextTable facts = new("SITE", status.Site.Length == 0 ? "-" : status.Site);
        facts.Add("mode", status.Mode)
            .Add("health", status.Healthy ? new Cell("good", CellStyle.Good) : new Cell(Plural(status.Problems.Count, "problem"), CellStyle.Bad))
            .Add("verdict", $"{status.Verdict}: {status.Reason}")
            .Add("version", status.Version)
            .Add("up for", Human.Span(TimeSpan.FromSeconds(status.UptimeSeconds)))
            .Add("traffic", $"{Human.Rate(capture.BitsPerSecond)}, {Human.PacketRate(capture.PacketsPerSecond)}")
            .Add("lost", Lost(capture))
            .Write(console, "");
        foreach (string problem in status.Problems)
        {
            console.Out.WriteLine("  ! " + Human.Clean(problem));
        }

        console.Out.WriteLine();
        BgpViews.List(status.Bgp, console);
        console.Out.WriteLine();
        TextTable snmp = new("SNMP", "STATE", ">LAST POLL", "LAST ERROR");
        foreach (SnmpDto agent in status.Snmp)
        {
            snmp.Add(
                agent.Router,
                agent.Reachable ? new Cell("reachable", CellStyle.Good) : new Cell("unreachable", CellStyle.Bad),
                agent.LastPoll is { } poll ? Human.Span(status.Time - poll) + " ago" : "never",
                agent.LastError);
        }

        snmp.Write(console, "No SNMP agents.");
    }

    /// <summary><c>show links</c></summary>
    public static void Links(IReadOnlyList<LinkDto> links, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(links);
        TextTable table = new(
            "LINK", "?ROUTER", "?INTERFACE", "?OPER", "STATE", ">CAPACITY", ">MIRROR", "?>COUNTER", "?>NATIVE", "?>PLANNED", ">LOAD", "?>LIMIT", ">IN", ">OUT");
        foreach (LinkDto link in links)
        {
            bool known = link.CapacityBps > 0;
            table.Add(
                link.Name,
                link.Router,
                link.Interface,
                link.OperStatus == "up" ? "up" : new Cell(link.OperStatus, CellStyle.Bad),
                new Cell(link.State, LinkStyle(link.State)),
                known ? Human.Rate(link.CapacityBps) : "-",
                new Cell(
                    Human.Rate(link.MirrorBps) + (link.ErrorBps == 0 ? ""
                        : link.ErrorBps <= link.MirrorBps ? " ±" + Human.Percent((double)link.ErrorBps / link.MirrorBps) : " ±" + Human.Rate(link.ErrorBps)),
                    link.RateProblem.Length > 0 ? CellStyle.Warning : CellStyle.Plain),
                link.CounterBps is { } counter ? Human.Rate(counter) : "-",
                Human.Rate(link.NativeBps),
                Human.Rate(link.PlannedBps),
                known ? Human.Percent((double)link.MirrorBps / link.CapacityBps) : "-",
                known ? Human.Percent((double)link.ThresholdBps / link.CapacityBps) : "-",
                Human.Count(link.Overrides),
                Human.Count(link.OverridesAway));
        }

        table.Write(console, "No links.");
        foreach (LinkDto link in links.Where(l => l.RateProblem.Length > 0))
        {
            console.Out.WriteLine();
            console.Out.WriteLine($"{Human.Clean(link.Name)}: {Human.Clean(link.RateCause)}: {Human.Clean(link.RateProblem)}");
            console.Out.WriteLine($"    → {Human.Clean(link.Remedy)}");
        }
    }

    /// <summary><c>show prefixes</c></summary>
    public static void Prefixes(IReadOnlyList<PrefixDto> prefixes, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(prefixes);
        TextTable table = new("PREFIX", ">RATE", "?>ERROR", "?>2 MIN", "?>PACKETS", "LINK", "NATIVE LINK", "?>ORIGIN", "OVERRIDE");
        foreach (PrefixDto prefix in prefixes)
        {
            table.Add(
                prefix.Prefix,
                Human.Rate(prefix.RateBps),
                "±" + (prefix.ErrorRatio <= 1 ? Human.Percent(prefix.ErrorRatio) : Human.Rate(prefix.ErrorRatio * prefix.RateBps)),
                Human.Rate(prefix.MeanBps),
                Human.PacketRate(prefix.PacketsPerSecond),
                prefix.Link,
                prefix.NativeLink,
                prefix.OriginAs == 0 ? "-" : "AS" + prefix.OriginAs.ToString(CultureInfo.InvariantCulture),
                prefix.Override ? new Cell("yes", CellStyle.Warning) : "no");
        }

        table.Write(console, "No traffic was seen.");
    }

    /// <summary><c>show overrides</c></summary>
    public static void Overrides(IReadOnlyList<OverrideDto> overrides, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(overrides);
        ArgumentNullException.ThrowIfNull(console);
        DateTimeOffset now = console.Time.GetUtcNow();
        TextTable table = new("PREFIX", "FROM", "TO", ">RATE", "?>AGE", "?>LEASE", "STATE", "REASON");
        foreach (OverrideDto item in overrides)
        {
            table.Add(
                item.Prefix,
                item.From,
                item.To,
                Human.Rate(item.RateBps),
                Human.Span(now - item.Since),
                item.LeaseExpires is { } lease ? Human.Span(lease - now) : "-",
                new Cell(item.State, item.State == "confirmed" ? CellStyle.Good : CellStyle.Plain),
                item.Reason);
        }

        table.Write(console, "No overrides: plain BGP is in charge.");
    }

    /// <summary><c>show decisions</c></summary>
    public static void Decisions(IReadOnlyList<DecisionDto> decisions, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(decisions);
        TextTable table = new("TIME", "?MODE", "VERDICT", ">MOVES", ">RELEASES", "?>KEPT", ">OVERLOAD", "REASON");
        foreach (DecisionDto decision in decisions)
        {
            table.Add(
                Human.Moment(decision.Time),
                decision.Mode,
                decision.Verdict,
                Human.Count(decision.Moves.Count),
                Human.Count(decision.Releases.Count),
                Human.Count(decision.Kept),
                decision.OverloadBps > 0 ? new Cell(Human.Rate(decision.OverloadBps), CellStyle.Bad) : "-",
                decision.Reason);
        }

        table.Write(console, "No decision has been made yet.");
    }

    /// <summary><c>show plan</c>: the plan of the latest cycle.</summary>
    public static void Plan(DecisionDto plan, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(console);
        console.Out.WriteLine($"{plan.Verdict}: {Human.Clean(plan.Reason)}");
        console.Out.WriteLine(
            $"cycle {plan.Id.ToString(CultureInfo.InvariantCulture)} at {Human.Moment(plan.Time)}, mode {plan.Mode}: {Plural(plan.Moves.Count, "move")}, "
            + $"{Plural(plan.Releases.Count, "release")}, {Human.Count(plan.Kept)} kept"
            + (plan.OverloadBps > 0 ? $"; {Human.Rate(plan.OverloadBps)} of overload remain" : ""));
        if (plan.Moves.Count + plan.Releases.Count == 0)
        {
            return;
        }

        console.Out.WriteLine();
        TextTable table = new("CHANGE", "PREFIX", "FROM", "TO", ">RATE", "REASON");
        foreach (MoveDto move in plan.Moves)
        {
            table.Add("move", move.Prefix, move.From, move.To, Human.Rate(move.RateBps), move.Reason);
        }

        foreach (MoveDto release in plan.Releases)
        {
            table.Add("release", release.Prefix, release.From, release.To, Human.Rate(release.RateBps), release.Reason);
        }

        table.Write(console, "");
    }

    /// <summary><c>explain</c></summary>
    public static void Explain(ExplainDto explain, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(explain);
        ArgumentNullException.ThrowIfNull(console);
        console.Out.WriteLine(Human.Clean(explain.Summary));
        if (explain.Prefix is null)
        {
            return;
        }

        console.Out.WriteLine();
        TextTable facts = new("PREFIX", explain.Prefix);
        facts.Add("rate", Human.Rate(explain.RateBps)).Add("leaves by", explain.Link).Add("native link", explain.NativeLink);
        if (explain.Override is { } item)
        {
            facts.Add("override", $"{item.From} → {item.To}, {item.State}, for {Human.Span(console.Time.GetUtcNow() - item.Since)}: {item.Reason}");
        }

        if (explain.Policy is { } policy)
        {
            facts.Add("policy", $"{policy.Number.ToString(CultureInfo.InvariantCulture)}: {policy.Text}");
        }

        Timers(explain.Timers, facts, console.Time.GetUtcNow());
        facts.Write(console, "");
        console.Out.WriteLine();
        Paths(explain, console);
        Choices(explain.RouterChoices, console);
        if (explain.History is { Count: > 0 })
        {
            console.Out.WriteLine();
            TextTable history = new("WHEN", "DECISION", "CHANGE", "FROM", "TO", ">RATE", "WHY");
            foreach (PrefixChangeDto change in explain.History)
            {
                history.Add(
                    Human.Moment(change.Time), change.Decision.ToString(CultureInfo.InvariantCulture), change.Mode == "observe" ? $"{change.Change} (proposed)" : change.Change,
                    change.From, change.To, Human.Rate(change.RateBps), change.Reason);
            }

            history.Write(console, "");
        }
    }

    // Null from an appliance of an earlier version.
    private static void Timers(TimersDto? timers, TextTable facts, DateTimeOffset now)
    {
        if (timers is null)
        {
            return;
        }

        foreach ((string name, DateTimeOffset? until, string what) in new[]
        {
            ("hold", timers.HoldUntil, "not given back or moved on for convenience"),
            ("damped", timers.DampedUntil, "changed links too often: not given back or moved on for convenience"),
            ("quarantine", timers.QuarantinedUntil, "a move failed: not moved"),
            ("lease", timers.LeaseExpires, "ends unless renewed"),
        })
        {
            if (until is { } time && time > now)
            {
                facts.Add(name, $"{Human.Span(time - now)} more: {what}");
            }
        }
    }

    /// <summary><c>show rib</c></summary>
    public static void Rib(RibDto rib, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(rib);
        ArgumentNullException.ThrowIfNull(console);
        console.Out.WriteLine(rib.Prefix is null ? $"{Human.Clean(rib.Query)}: not in the table." : $"{Human.Clean(rib.Prefix)}, the router's preference first:");
        if (rib.Prefix is null)
        {
            return;
        }

        TextTable table = new("NEXT HOP", "LINK", "AS PATH", ">LOCAL_PREF", ">MED", "?ORIGIN", "COMMUNITIES", "ROUTER", "?>ID", "LOST BY");
        foreach (RibPathDto path in rib.Paths)
        {
            table.Add(
                path.NextHop, path.Link, path.AsPath, path.LocalPref?.ToString(CultureInfo.InvariantCulture), path.Med?.ToString(CultureInfo.InvariantCulture), path.Origin,
                string.Join(' ', path.Communities.Concat(path.LargeCommunities)), path.Monitored is null ? path.Router : $"{path.Router} (BMP {path.Monitored})", path.PathId.ToString(CultureInfo.InvariantCulture),
                path.LostAt is null ? new Cell("best", CellStyle.Good) : path.LostAt.Replace('_', ' '));
        }

        table.Write(console, "No paths are known.");
        Choices(rib.RouterChoices, console);
    }

    private static void Choices(IReadOnlyList<RouterChoiceDto> choices, CommandConsole console)
    {
        if (choices.Count > 0)
        {
            console.Out.WriteLine();
        }

        foreach (RouterChoiceDto choice in choices)
        {
            console.Out.WriteLine($"Loc-RIB: {Human.Clean(choice.Summary)}");
        }
    }

    private static void Paths(ExplainDto explain, CommandConsole console)
    {
        TextTable table = new("LINK", "NEXT HOP", "USABLE", "AS PATH", ">LOCAL_PREF", "?>MED", "?ORIGIN", "?ROUTER");
        foreach (PathDto path in explain.Paths)
        {
            string localPref = path.LocalPref?.ToString(CultureInfo.InvariantCulture) ?? "-";
            string med = path.Med?.ToString(CultureInfo.InvariantCulture) ?? "-";
            Cell usable = path.Usable ? new Cell("yes", CellStyle.Good) : new Cell("no: " + (path.Rejection ?? "unknown"), CellStyle.Warning);
            table.Add(path.Link, path.NextHop, usable, path.AsPath, localPref, med, path.Origin, path.Router);
        }

        table.Write(console, "No paths are known.");
    }

    private static Cell Lost(CaptureDto capture)
    {
        long lost = capture.KernelDropped + capture.PoolExhausted;
        return lost == 0
            ? new Cell("nothing", CellStyle.Good)
            : new Cell($"{Human.Count(capture.KernelDropped)} frames in the kernel, {Human.Count(capture.PoolExhausted)} for want of a batch", CellStyle.Bad);
    }

    private static CellStyle LinkStyle(string state) => state switch
    {
        "normal" => CellStyle.Good,
        "relieved" or "unknown" => CellStyle.Warning,
        _ => CellStyle.Bad,
    };

    private static string Plural(long count, string noun) => $"{Human.Count(count)} {noun}{(count == 1 ? "" : "s")}";
}
