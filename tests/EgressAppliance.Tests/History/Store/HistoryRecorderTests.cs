using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;
using EgressAppliance.Tests.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.History.Store;

public sealed class HistoryRecorderTests : IAsyncLifetime, IDisposable
{
    private static readonly DateTimeOffset Begin = HistoryBench.Begin;
    private readonly HistoryBench _bench = new();
    private readonly StateEventDto _good = FakeAppliance.MakeState("inject");
    private HistoryRecorder _recorder = null!;
    private int _cycle;

    public Task InitializeAsync()
    {
        HistoryWriter writer = new(_bench.Options, TimeProvider.System, NullLogger<HistoryWriter>.Instance);
        LinkDirectory links = new([new LinkConfig { Id = new LinkId(1), Name = "isp-a", Router = "edge1", Interface = "prov-a", NextHops = [] }]);
        _recorder = new HistoryRecorder(writer, _bench.Options, links, TimeSpan.FromSeconds(5), TimeProvider.System, NullLogger<HistoryRecorder>.Instance);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _recorder.DisposeAsync();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Note_cycles_make_minutes_of_links_and_prefixes()
    {
        for (int i = 0; i < 30; i++)
        {
            Cycle(_good, Outcome(Verdict.NoOverload));
        }

        await _recorder.DisposeAsync();

        // The first cycle, at the full minute, stands for the second before it. Without a plan nothing was projected; the state shows 0.
        Assert.Equal(
            ["isp-a 1 500000 490000 -", "isp-a 60 500000 490000 -", "isp-a 60 500000 490000 -", "isp-a 25 500000 490000 -"],
            _bench.Rows("SELECT name, seconds, mirror, counter, native FROM link_minute JOIN link ON link.id = link ORDER BY time"));
        Assert.Equal(4, _bench.Scalar("SELECT COUNT(*) FROM prefix_minute"));
        Assert.Equal(["192.0.2.0/24"], _bench.Rows("SELECT prefix FROM prefix"));
    }

    [Fact]
    public async Task Note_runs_of_verdicts_and_modes_are_told_once()
    {
        Cycle(_good, Outcome(Verdict.NoOverload));
        Cycle(_good, Outcome(Verdict.NoOverload));
        Cycle(_good, Outcome(Verdict.Relieved));
        _recorder.Note(Outcome(Verdict.Relieved) with { Mode = DecisionMode.Observe });
        await _recorder.DisposeAsync();
        Assert.Equal(
            ["Started - -", "Mode inject -", "Verdict no_overload 0", "Verdict relieved 2", "Mode observe -", "Stopped - -"], Events("kind, code, count", "kind < 20"));
    }

    [Fact]
    public async Task Note_overrides_are_told_from_announcement_to_end_whoever_ended_them()
    {
        OverrideEntry first = Entry("192.0.2.0/24", "isp-b");
        OverrideEntry second = Entry("198.51.100.0/24", "isp-c");
        OverrideEntry third = Entry("203.0.113.0/24", "isp-c");
        OverrideEntry refused = Entry("10.0.0.0/8", "isp-b");
        Cycle(_good, Outcome(Verdict.Relieved) with { Announce = [first, second, third, refused], Overrides = [first, second, third] });

        // The first goes by another link, the second is withdrawn, the third is lost with its path.
        OverrideEntry moved = first with { To = "isp-d" };
        _recorder.NoteLost(third.Prefix, "its path went");
        Cycle(_good, Outcome(Verdict.Relieved) with { Announce = [moved], Overrides = [moved], Withdraw = [new OverrideWithdrawal(second.Prefix, "isp-c", ReasonCode.NativeFits)] });

        // Gone without a word: its lease ran out.
        Cycle(_good, Outcome(Verdict.NoOverload));
        await _recorder.DisposeAsync();
        Assert.Equal(
            [
                "Announced 192.0.2.0/24 isp-a isp-b 5000 relieve_overload", "Announced 198.51.100.0/24 isp-a isp-c 5000 relieve_overload",
                "Announced 203.0.113.0/24 isp-a isp-c 5000 relieve_overload", "Refused 10.0.0.0/8 isp-a isp-b 5000 relieve_overload", "Lost 203.0.113.0/24 isp-c isp-a 5000 path_lost",
                "Announced 192.0.2.0/24 isp-b isp-d 5000 relieve_overload", "Withdrawn 198.51.100.0/24 isp-c isp-a 5000 native_fits", "Lost 192.0.2.0/24 isp-d isp-a 5000 ended",
            ],
            Events("kind, prefix, from_link, to_link, kbps, code", "kind BETWEEN 20 AND 29"));
    }

    [Fact]
    public async Task Note_in_observe_mode_proposals_are_no_overrides()
    {
        OverrideEntry entry = Entry("192.0.2.0/24", "isp-b");
        Cycle(_good, Outcome(Verdict.Relieved) with { Mode = DecisionMode.Observe, Overrides = [entry] });
        Cycle(_good, Outcome(Verdict.NoOverload) with { Mode = DecisionMode.Observe });
        await _recorder.DisposeAsync();
        Assert.Empty(Events("kind", "kind BETWEEN 20 AND 29"));
    }

    [Fact]
    public async Task Note_sessions_links_agents_and_loss_are_told_when_they_change()
    {
        StateEventDto down = _good with
        {
            Status = _good.Status with
            {
                Bgp = [_good.Status.Bgp[0] with { State = "Active", TableComplete = false, LastError = "hold timer expired" }],
                Snmp = [_good.Status.Snmp[0] with { Reachable = false, LastError = "no answer" }],
                Capture = _good.Status.Capture with { LossRatio = 0.02, Sources = [new CaptureSourceDto("mir0", 1, 1, 0, null) { LossRatio = 0.02 }] },
            },
            Links = [_good.Links[0] with { State = "down", OperStatus = "down" }],
        };
        StateEventDto again = _good with { Status = _good.Status with { Bgp = [_good.Status.Bgp[0] with { Since = Begin.AddSeconds(12) }] } };
        StateEventDto flapped = _good with { Status = _good.Status with { Bgp = [_good.Status.Bgp[0] with { Since = Begin.AddSeconds(17) }] } };
        foreach (StateEventDto state in (StateEventDto[])[_good, down, again, again, flapped])
        {
            Cycle(state, Outcome(Verdict.NoOverload));
        }

        await _recorder.DisposeAsync();
        Assert.Equal(
            [
                "SessionUp edge1 192.0.2.1", "TableComplete edge1 -", "SessionDown edge1 hold timer expired", "LossBegan mir0 -", "LinkDown isp-a edge1 prov-a: down", "SnmpLost edge1 no answer",
                "SessionUp edge1 192.0.2.1", "TableComplete edge1 -", "LossEnded - -", "LinkUp isp-a edge1 prov-a: up", "SnmpBack edge1 -", "SessionDown edge1 -", "SessionUp edge1 192.0.2.1",
                "TableComplete edge1 -",
            ],
            Events("kind, subject, text", "kind >= 30"));
    }

    [Fact]
    public async Task Note_of_a_bug_does_not_reach_the_control_loop()
    {
        _recorder.Note(_good with { Links = null! }, RateView.Empty, Outcome(Verdict.NoOverload));
        Assert.Contains("could not be noted", _recorder.Problem, StringComparison.Ordinal);
        await _recorder.DisposeAsync();
    }

    private static OverrideEntry Entry(string prefix, string to) => new()
    {
        Prefix = IpPrefix.Parse(prefix),
        From = "isp-a",
        To = to,
        RateBps = 5_000_000,
        Since = Begin,
        Reason = ReasonCode.RelieveOverload,
        LeaseExpires = Begin,
    };

    private static RateView Rates() => new(
        [new EgressAppliance.Decision.Demand.DemandRate<IpPrefix>(IpPrefix.Parse("192.0.2.0/24"), 5_000_000, new LinkId(1), true)], _ => 0);

    private CycleOutcome Outcome(Verdict verdict) => new() { Id = _cycle, Time = Begin.AddSeconds(5 * _cycle), Mode = DecisionMode.Inject, Verdict = verdict };

    private void Cycle(StateEventDto state, CycleOutcome outcome)
    {
        StateEventDto large = state with { Links = [.. state.Links.Select(l => l with { MirrorBps = 500_000_000, CounterBps = 490_000_000 })] };
        _recorder.Note(large, Rates(), outcome with { Id = _cycle, Time = Begin.AddSeconds(5 * _cycle) });
        _cycle++;
    }

    private List<string> Events(string columns, string where = "1") => [.. _bench.Rows($"SELECT {columns} FROM event WHERE {where} ORDER BY id").Select(r =>
    {
        string[] parts = r.Split(' ', 2);
        return int.TryParse(parts[0], out int kind) ? ((EventKind)kind) + (parts.Length > 1 ? " " + parts[1] : "") : r;
    })];
}
