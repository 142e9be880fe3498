using System.Globalization;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>
/// Runs a scenario file (tests/data/decision/README.md has the language) against a <see cref="DecisionController"/> in virtual time.
/// What the file does not expect must not happen: any announcement or withdrawal that no line names fails the scenario.
/// </summary>
internal sealed class Scenario
{
    private readonly Dictionary<string, LinkState> _links = [];
    private readonly Dictionary<IpPrefix, PrefixDemand> _demands = [];
    private readonly List<RoutingPolicy> _policies = [];
    private readonly HashSet<IpPrefix> _refused = [];
    private readonly Dictionary<IpPrefix, string> _stuck = [];
    private readonly List<string> _expected = [];
    private readonly List<string> _changes = [];
    private readonly TimeSpan _cycle = TimeSpan.FromSeconds(5);
    private DecisionController? _controller;
    private ControllerOptions _options = new();
    private DecisionMode _mode = DecisionMode.Inject;
    private InputHealth _health = new();
    private TimeSpan _now = TimeSpan.FromSeconds(-5);
    private CycleOutcome? _outcome;
    private string _place = "";

    private DecisionController Controller => _controller ??= new(_options, _mode);

    public static void Run(string path)
    {
        Scenario scenario = new();
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            string[] words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0)
            {
                scenario._place = $"{Path.GetFileName(path)}:{number}: {line.Trim()}";
                scenario.Line(words);
            }
        }

        scenario.FinishStep();
    }

    private void Line(string[] words)
    {
        switch (words[0])
        {
            case "options": _options = Options(words[1..]); break;
            case "mode": SetMode(words[1] == "inject" ? DecisionMode.Inject : DecisionMode.Observe); break;
            case "link": Link(words); break;
            case "other": _links[words[1]] = _links[words[1]] with { ResidualBps = Rate(words[2]) }; break;
            case "prefix": _demands[IpPrefix.Parse(words[1])] = new(IpPrefix.Parse(words[1]), Rate(words[2]), words[3..]); break;
            case "rate": _demands[IpPrefix.Parse(words[1])] = _demands[IpPrefix.Parse(words[1])] with { RateBps = Rate(words[2]) }; break;
            case "paths": _demands[IpPrefix.Parse(words[1])] = _demands[IpPrefix.Parse(words[1])] with { Paths = words[2..] }; break;
            case "health": Health(words[1..]); break;
            case "refuse": _refused.Add(IpPrefix.Parse(words[1])); break;
            case "stuck": _stuck[IpPrefix.Parse(words[1])] = words[2]; break;
            case "lost": Assert.True(Controller.Lost(IpPrefix.Parse(words[1])), _place); break;
            case "withdraw-all": Record(Controller.WithdrawAll(Lab.Start + _now)); break;
            case "pin": Pin(IpPrefix.Parse(words[1]), words[2]); break;
            case "unpin": Record(Controller.ReleaseOverride(IpPrefix.Parse(words[1]), Lab.Start + _now).Outcome); break;
            case "policy": _policies.Add(Policy(words[1], words[2..])); break;
            case "no-policies": _policies.Clear(); break;
            case "stall": _now += Time(words[1]); break;
            case "at": At(Time(words[1])); break;
            case "expect": Expect(words[1..]); break;
            default: Assert.Fail($"{_place}: unknown word"); break;
        }
    }

    /// <summary>Runs the cycles before a time; those must be quiet. The cycle at the time itself runs once its events are read.</summary>
    private void At(TimeSpan time)
    {
        FinishStep();
        while (_now + _cycle < time)
        {
            RunCycle();
            Assert.True(_changes.Count == 0, $"{_place}: at {_now.TotalSeconds} s came, unannounced by the scenario: {string.Join(", ", _changes)} ({_outcome!.Verdict})");
        }

        _outcome = null;
    }

    private void FinishStep()
    {
        if (_now >= TimeSpan.Zero || _expected.Count > 0)
        {
            EnsureCycle();
            Assert.True(_expected.Order().SequenceEqual(_changes.Order()),
                $"before {_place}, at {_now.TotalSeconds} s: expected [{string.Join(", ", _expected)}], came [{string.Join(", ", _changes)}] ({_outcome!.Verdict})");
        }

        _expected.Clear();
        _changes.Clear();
    }

    private void EnsureCycle()
    {
        if (_outcome is null)
        {
            RunCycle();
        }
    }

    private void RunCycle()
    {
        _now += _cycle;
        DateTimeOffset now = Lab.Start + _now;
        Dictionary<IpPrefix, string> seen = Controller.Overrides.ToDictionary(o => o.Prefix, o => _stuck.GetValueOrDefault(o.Prefix, o.To));
        PolicyTable table = new(_policies);
        CycleOutcome outcome = Controller.Cycle(new()
        {
            Now = now,
            Links = [.. _links.Values],
            Prefixes = [.. _demands.Values.Select(d => d with { Policy = table.Match(new RouteFacts(d.Prefix, d.Paths is [var native, ..] ? native : null)) })],
            Health = _health,
            ObservedLinks = seen,
        });
        _outcome = outcome;
        Record(outcome);
        foreach (OverrideEntry entry in outcome.Announce)
        {
            Controller.Announced(entry.Prefix, !_refused.Contains(entry.Prefix), now);
        }
    }

    private void Record(CycleOutcome outcome)
    {
        _changes.AddRange(outcome.Announce.Select(a => $"announce {a.Prefix} via {a.To} {Reasons.Code(a.Reason)}"));
        _changes.AddRange(outcome.Withdraw.Select(w => $"withdraw {w.Prefix} {Reasons.Code(w.Reason)}"));
        Assert.True(outcome.Mode == DecisionMode.Inject || outcome.Announce.Count == 0, _place);
    }

    private void Expect(string[] words)
    {
        EnsureCycle();

        switch (words[0])
        {
            case "announce" or "withdraw":
                _expected.Add(string.Join(' ', words));
                break;
            case "verdict":
                Assert.True(words[1] == Reasons.Code(_outcome!.Verdict), $"{_place}: the verdict is {Reasons.Code(_outcome.Verdict)}");
                break;
            case "load":
                long load = _outcome!.Plan!.Links.Single(l => l.Name == words[1]).PlannedBps;
                Assert.True(load == Rate(words[2]), $"{_place}: the load is {load}");
                break;
            case "overload":
                Assert.True(_outcome!.Plan!.OverloadBps == Rate(words[1]), $"{_place}: the overload is {_outcome.Plan.OverloadBps}");
                break;
            case "proposed" or "announced" or "confirmed":
                OverrideEntry? entry = Controller.Overrides.SingleOrDefault(o => o.Prefix == IpPrefix.Parse(words[1]));
                Assert.True(entry is not null && entry.To == words[3] && entry.State == Enum.Parse<OverrideState>(words[0], ignoreCase: true), $"{_place}: it is {entry}");
                break;
            case "overrides":
                Assert.True(Controller.Overrides.Count == int.Parse(words[1], CultureInfo.InvariantCulture), $"{_place}: there are {Controller.Overrides.Count}");
                break;
            case "rejected":
                RejectedPrefix? rejected = _outcome!.Plan!.Rejected.SingleOrDefault(r => r.Prefix == IpPrefix.Parse(words[1]));
                Assert.True(rejected is not null && Reasons.Code(rejected.Reason) == words[2], $"{_place}: it is {rejected}");
                break;
            default:
                Assert.Fail($"{_place}: unknown expectation");
                break;
        }
    }

    private void SetMode(DecisionMode mode)
    {
        if (_controller is null)
        {
            _mode = mode;
        }
        else
        {
            Record(Controller.SetMode(mode, Lab.Start + _now));
        }
    }

    private void Pin(IpPrefix prefix, string link)
    {
        (OperatorResult result, CycleOutcome outcome) = Controller.AddOverride(prefix, link, _demands[prefix].Paths, Lab.Start + _now);
        Assert.True(result == OperatorResult.Done, $"{_place}: {result}");
        Record(outcome);
        foreach (OverrideEntry entry in outcome.Announce)
        {
            Controller.Announced(entry.Prefix, true, Lab.Start + _now);
        }
    }

    private void Link(string[] words)
    {
        string name = words[1];
        if (!_links.TryGetValue(name, out LinkState? link))
        {
            link = new LinkState { Name = name, CapacityBps = Rate(words[2]) };
        }

        foreach (string word in words[2..])
        {
            string[] pair = word.Split('=');
            link = (pair[0], pair.ElementAtOrDefault(1)) switch
            {
                ("up", _) => link with { Up = true },
                ("down", _) => link with { Up = false },
                ("drain", _) => link with { Drain = true },
                ("undrain", _) => link with { Drain = false },
                ("threshold", { } v) => link with { Threshold = Ratio(v) },
                ("ceiling", { } v) => link with { Ceiling = Ratio(v) },
                ("release", { } v) => link with { Release = Ratio(v) },
                ("error", { } v) => link with { ErrorRatio = Ratio(v) },
                _ => link with { CapacityBps = Rate(word) },
            };
        }

        _links[name] = link;
    }

    private static ControllerOptions Options(string[] words)
    {
        ControllerOptions options = new();
        PlannerOptions planner = options.Planner;
        foreach (string[] pair in words.Select(w => w.Split('=')))
        {
            string value = pair[1];
            planner = pair[0] switch
            {
                "hold" => planner with { Hold = Time(value) },
                "max_moves_per_cycle" => planner with { MaxMovesPerCycle = int.Parse(value, CultureInfo.InvariantCulture) },
                "max_overrides" => planner with { MaxOverrides = int.Parse(value, CultureInfo.InvariantCulture) },
                "max_share_per_cycle" => planner with { MaxSharePerCycle = Ratio(value) },
                "max_share" => planner with { MaxShare = Ratio(value) },
                "min_prefix_share" => planner with { MinPrefixShare = Ratio(value) },
                _ => throw new FormatException(pair[0]),
            };
        }

        return options with { Planner = planner };
    }

    private RoutingPolicy Policy(string match, string[] words)
    {
        string[] pair = match.Split('=');
        PolicyMatch what = pair[0] == "link" ? new() { Link = pair[1] } : new() { Prefix = IpPrefix.Parse(pair[1]) };
        PolicyAction action = Enum.Parse<PolicyAction>(words[0], ignoreCase: true);
        PrefixPolicy policy = new() { Number = _policies.Count + 1, Action = action };
        return new(what, action == PolicyAction.Class ? policy with { Class = int.Parse(words[1], CultureInfo.InvariantCulture) } : policy with { Links = words[1..] });
    }

    private void Health(string[] words)
    {
        _health = new();
        foreach (string[] pair in words.Where(w => w != "good").Select(w => w.Split('=')))
        {
            _health = pair[0] switch
            {
                "capture_age" => _health with { CaptureAge = Time(pair[1]) },
                "capture_loss" => _health with { CaptureLoss = Ratio(pair[1]) },
                "rib" => _health with { RibComplete = pair[1] == "complete" },
                "feed" => _health with { RouteFeedUp = pair[1] == "up" },
                "all_paths" => _health with { AllPathsKnown = pair[1] == "yes" },
                "counters_age" => _health with { CountersAge = Time(pair[1]) },
                "attribution" => _health with { AttributionRatio = Ratio(pair[1]) },
                _ => throw new FormatException(pair[0]),
            };
        }
    }

    private static TimeSpan Time(string text) => TimeSpan.FromSeconds(double.Parse(text.TrimEnd('s'), CultureInfo.InvariantCulture));

    private static double Ratio(string text) => double.Parse(text.TrimEnd('%'), CultureInfo.InvariantCulture) / 100;

    private static long Rate(string text)
    {
        long unit = text[^1] switch { 'G' => 1_000_000_000, 'M' => 1_000_000, 'k' => 1000, _ => 1 };
        return (long)(decimal.Parse(text.TrimEnd('G', 'M', 'k'), CultureInfo.InvariantCulture) * unit);
    }
}
