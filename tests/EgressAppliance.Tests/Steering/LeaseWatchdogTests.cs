using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Steering;

public sealed class LeaseWatchdogTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _withdrawn = [];

    [Fact]
    public async Task Expired_lease_is_withdrawn_once_and_not_before()
    {
        OverrideEntry[] entries = [Entry("203.0.113.0/24", 10), Entry("198.51.100.0/24", 20)];
        await using LeaseWatchdog watchdog = new(() => entries, Withdraw, _time);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Empty(_withdrawn);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["203.0.113.0/24"], _withdrawn);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["203.0.113.0/24", "198.51.100.0/24"], _withdrawn);
    }

    [Fact]
    public async Task Renewed_lease_is_withdrawn_when_it_ends_again()
    {
        OverrideEntry[] entries = [Entry("203.0.113.0/24", 10)];
        await using LeaseWatchdog watchdog = new(() => entries, Withdraw, _time);
        _time.Advance(TimeSpan.FromSeconds(11));
        entries = [Entry("203.0.113.0/24", 30)];
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(_withdrawn);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, _withdrawn.Count);
    }

    [Fact]
    public async Task Withdrawal_that_failed_is_tried_again()
    {
        OverrideEntry[] entries = [Entry("203.0.113.0/24", 1)];
        bool fail = true;
        await using LeaseWatchdog watchdog = new(() => entries, e => Withdraw(fail ? throw new InvalidOperationException() : e), _time);
        Assert.Throws<InvalidOperationException>(() => _time.Advance(TimeSpan.FromSeconds(1)));
        fail = false;
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Single(_withdrawn);
    }

    [Fact]
    public async Task Tick_during_a_withdrawal_that_waits_does_not_wait_too()
    {
        OverrideEntry[] entries = [Entry("203.0.113.0/24", 1)];
        using ManualResetEventSlim entered = new();
        using ManualResetEventSlim release = new();
        await using LeaseWatchdog watchdog = new(
            () => entries,
            e =>
            {
                entered.Set();
                Assert.True(release.Wait(TimeSpan.FromMinutes(2)));
                Withdraw(e);
            },
            _time);
        Task waiting = Task.Run(() => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.True(entered.Wait(TimeSpan.FromMinutes(2)));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(_withdrawn);
        release.Set();
        await waiting;
        Assert.Single(_withdrawn);
    }

    private void Withdraw(IReadOnlyList<OverrideEntry> entries) => _withdrawn.AddRange(entries.Select(e => e.Prefix.ToString()));

    private static OverrideEntry Entry(string prefix, int expires) => new()
    {
        Prefix = IpPrefix.Parse(prefix),
        From = "a",
        To = "b",
        Since = default,
        Reason = ReasonCode.RelieveOverload,
        LeaseExpires = new ManualTimeProvider().GetUtcNow().AddSeconds(expires),
    };
}
