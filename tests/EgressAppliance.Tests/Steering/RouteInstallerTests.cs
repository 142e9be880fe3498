using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Steering;

public sealed class RouteInstallerTests : IAsyncDisposable
{
    private const string First = "192.0.2.0/24";
    private const string Second = "198.51.100.0/24";
    private const string Third = "203.0.113.0/24";
    private readonly FakeSpeaker _speaker = new();
    private readonly RouteInstaller _installer;
    private readonly List<(string Prefix, bool Ok)> _told = [];

    public RouteInstallerTests() => _installer = new RouteInstaller(
        _speaker, new LinkDirectory([Bench.MakeLink(1, "a", "100.64.1.2"), Bench.MakeLink(2, "b", "100.64.2.2", "100.64.2.3")]),
        NullLogger<RouteInstaller>.Instance);

    [Fact]
    public void Apply_announces_before_it_withdraws_with_the_next_hop_learned_for_the_link()
    {
        _speaker.Learn(First, "100.64.1.2", "100.64.2.3", "100.64.2.2");
        _speaker.Learn(Second, "100.64.2.2", "100.64.1.2");
        _speaker.Stray(Third, "100.64.2.2");
        Assert.Empty(Apply([(First, "b"), (Second, "a")], [Third]));
        Assert.Equal([$"announce {First} {Second}", $"withdraw {Third}"], _speaker.Calls);
        Assert.Equal("100.64.2.3", _speaker.Announced()[First]);
        Assert.Equal("100.64.1.2", _speaker.Announced()[Second]);
        Assert.Equal([(First, true), (Second, true)], _told);
        Assert.Equal((2L, 1L, 0L, 0L), Changes());
    }

    [Fact]
    public void Apply_refusals_at_each_step_are_fed_back_counted_and_returned()
    {
        _speaker.Learn(First, "100.64.1.2");
        _speaker.Learn(Second, "100.64.2.2");
        _speaker.Learn(Third, "100.64.2.2");
        _speaker.RefuseToCreate[IpPrefix.Parse(Second)] = OverrideRefusal.EmptyAsPath;
        _speaker.RefuseToAnnounce[IpPrefix.Parse(Third)] = OverrideRefusal.TooMany;
        Assert.Equal(
            [(IpPrefix.Parse(First), OverrideRefusal.PathNotLearned), (IpPrefix.Parse(Second), OverrideRefusal.EmptyAsPath), (IpPrefix.Parse(Third), OverrideRefusal.TooMany)],
            Apply([(First, "b"), (Second, "b"), (Third, "b")], []));
        Assert.Equal([(First, false), (Second, false), (Third, false)], _told);
        Assert.Equal((0L, 0L, 0L, 3L), Changes());
        Assert.Empty(_speaker.Announced());
    }

    [Fact]
    public void Withdrawals_count_what_stood_and_no_override_twice()
    {
        _speaker.Stray(First, "100.64.2.2");
        _speaker.Stray(Second, "100.64.2.2");
        _speaker.Stray(Third, "100.64.2.2");
        _installer.WithdrawExpired([Entry(First, "b")]);
        _installer.WithdrawStray([IpPrefix.Parse(Second)]);
        Assert.Equal(1, _installer.WithdrawAll());
        Assert.Equal(0, _installer.WithdrawAll());
        Apply([], [First, Second, Third]);
        _installer.NoteLost(IpPrefix.Parse(First), "path withdrawn");
        Assert.Equal((0L, 3L, 1L, 0L), Changes());
    }

    public ValueTask DisposeAsync() => _speaker.DisposeAsync();

    private static OverrideEntry Entry(string prefix, string to) => new()
    {
        Prefix = IpPrefix.Parse(prefix),
        From = "a",
        To = to,
        Since = default,
        Reason = ReasonCode.RelieveOverload,
        LeaseExpires = default,
    };

    private IReadOnlyList<(IpPrefix, OverrideRefusal)> Apply((string Prefix, string To)[] announce, string[] withdraw) => _installer.Apply(
        new CycleOutcome
        {
            Id = 1,
            Time = default,
            Mode = DecisionMode.Inject,
            Verdict = Verdict.Relieved,
            Announce = [.. announce.Select(a => Entry(a.Prefix, a.To))],
            Withdraw = [.. withdraw.Select(w => new OverrideWithdrawal(IpPrefix.Parse(w), "b", ReasonCode.NativeFits))],
        },
        (prefix, ok) => _told.Add((prefix.ToString(), ok)));

    private (long Announced, long Withdrawn, long Lost, long Refused) Changes()
    {
        Dictionary<string, long> changes = new(_installer.Changes);
        return (changes["announced"], changes["withdrawn"], changes["lost"], changes["refused"]);
    }
}
