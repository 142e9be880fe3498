using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Snmp;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Interfaces;

/// <summary>Single polls, one call each, against an agent on loopback.</summary>
public sealed class RouterPollerTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly FakeRouter _router;
    private RouterPoller? _poller;

    public RouterPollerTests()
    {
        _router = new FakeRouter(_time);
        _router.AddInterface(7, "prov-a", 1_000_000, start: 123_456_789_012);
        _router.AddInterface(9, "prov-b", 250_000);
    }

    public async ValueTask DisposeAsync()
    {
        if (_poller is not null)
        {
            await _poller.DisposeAsync();
        }

        await _router.DisposeAsync();
    }

    private void Start(params LinkConfig[] links)
    {
        RouterConfig config = _router.Config();
        _poller = new RouterPoller(config, config.Snmp!, links, _time, NullLogger.Instance);
    }

    private async Task<InterfaceState[]> PollAsync(int times = 1, double every = 10)
    {
        for (int i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(every));
            await _poller!.PollAsync(CancellationToken.None);
        }

        return [.. _poller!.Interfaces];
    }

    [Fact]
    public async Task PollAsync_reads_state_capacity_and_rate()
    {
        Start(_router.Link("isp-a", "prov-a"), _router.Link("isp-b", "prov-b", 2));

        InterfaceState[] states = await PollAsync(4);

        Assert.Equal([7u, 9u], states.Select(state => state.IfIndex!.Value));
        Assert.All(states, state => Assert.Equal((OperStatus.Up, 1_000_000_000L, null), (state.OperStatus, state.CapacityBps, state.Error)));
        Assert.Equal(8_000_000, states[0].OutBps!.Value, 1.0);
        Assert.Equal(2_000_000, states[1].OutBps!.Value, 1.0);
        Assert.Equal(_time.GetUtcNow(), states[0].LastPoll);
        Assert.Equal(TimeSpan.Zero, states[0].CounterAge);
        Assert.Equal((true, 4, 0), (_poller!.State.Reachable, _poller.State.Polls, _poller.State.FailedPolls));
    }

    [Fact]
    public async Task PollAsync_each_second_of_an_agent_with_a_cache_gives_the_true_rate()
    {
        _router.CacheSeconds = 3;
        RouterConfig config = _router.Config(pollSeconds: 1);
        _poller = new RouterPoller(config, config.Snmp!, [_router.Link("isp-a", "prov-a")], _time, NullLogger.Instance);

        for (int i = 0; i < 40; i++)
        {
            double? rate = (await PollAsync(every: 1))[0].OutBps;
            Assert.True(rate is null ? i < 8 : Math.Abs(rate.Value - 8_000_000) < 1, $"poll {i}: {rate}");
        }
    }

    [Fact]
    public async Task PollAsync_more_links_than_fit_into_one_request_reads_them_all()
    {
        LinkConfig[] links = [.. Enumerable.Range(1, 20).Select(i => _router.Link($"isp-{i}", $"et-0/0/{i}", (ushort)i))];
        foreach (LinkConfig link in links)
        {
            _router.AddInterface(500u + link.Id.Value, link.Interface, link.Id.Value * 1000);
        }

        Start(links);
        InterfaceState[] states = await PollAsync(3);

        Assert.Equal(links.Select(link => link.Id.Value * 8000.0), states.Select(state => Math.Round(state.OutBps!.Value)));
    }

    [Fact]
    public async Task PollAsync_restart_costs_the_rate_until_two_changes_and_finds_new_numbers()
    {
        Start(_router.Link("isp-a", "prov-a"));
        Assert.NotNull((await PollAsync(4))[0].OutBps);

        _router.RemoveInterface(7);
        _router.AddInterface(12, "prov-a", 1_000_000);
        _router.Reboot();

        InterfaceState first = (await PollAsync())[0];
        Assert.Equal((12u, null, null), (first.IfIndex, first.OutBps, first.Error));
        Assert.Null((await PollAsync())[0].OutBps);
        Assert.Equal(8_000_000, (await PollAsync())[0].OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task PollAsync_index_that_means_another_interface_is_looked_up_again_in_the_same_poll()
    {
        Start(_router.Link("isp-a", "prov-a"), _router.Link("isp-b", "prov-b", 2));
        await PollAsync(4);

        // The two swap numbers without a restart.
        _router.AddInterface(7, "prov-b", 250_000);
        _router.AddInterface(9, "prov-a", 1_000_000, start: 1);

        InterfaceState[] states = await PollAsync();
        Assert.Equal([9u, 7u], states.Select(state => state.IfIndex!.Value));
        Assert.All(states, state => Assert.Equal((null, null), (state.OutBps, state.Error)));

        states = await PollAsync(2);
        Assert.Equal(8_000_000, states[0].OutBps!.Value, 1.0);
        Assert.Equal(2_000_000, states[1].OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task PollAsync_interface_that_goes_away_and_comes_back_is_told_and_found()
    {
        Start(_router.Link("isp-a", "prov-a"), _router.Link("isp-b", "prov-b", 2));
        await PollAsync(4);

        _router.RemoveInterface(7);
        InterfaceState[] states = await PollAsync();
        Assert.Equal((null, OperStatus.Unknown, "no interface prov-a on edge1; nearest names: prov-b"), (states[0].IfIndex, states[0].OperStatus, states[0].Error));
        Assert.NotNull(states[1].OutBps);

        _router.AddInterface(30, "prov-a", 1_000_000);
        states = await PollAsync(9);
        Assert.Equal((30u, null), (states[0].IfIndex, states[0].Error));
        Assert.Equal(8_000_000, states[0].OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task PollAsync_unknown_name_lists_the_nearest_and_walks_once_a_minute_only()
    {
        _router.AddInterface(1, "lo", 0);
        _router.AddInterface(2, "mgmt0", 0);
        Start(_router.Link("isp-a", "PROV_A"));

        InterfaceState state = (await PollAsync())[0];
        long afterFirst = _router.Statistics.Received;
        await PollAsync(5);

        Assert.Equal("no interface PROV_A on edge1; nearest names: prov-a, prov-b, lo", state.Error);
        Assert.True(_poller!.State.Reachable);
        Assert.Equal(5, _router.Statistics.Received - afterFirst);
    }

    [Fact]
    public async Task PollAsync_agent_without_interface_names_says_so()
    {
        _router.RemoveInterface(7);
        _router.RemoveInterface(9);
        Start(_router.Link("isp-a", "prov-a"));

        Assert.Equal(
            "edge1 shows no interface names: the view lacks ifXTable (1.3.6.1.2.1.31.1.1)", (await PollAsync())[0].Error);
    }

    [Fact]
    public async Task PollAsync_interface_without_any_counter_has_status_but_no_rate()
    {
        _router.Mib.Remove(IfMib.IfHCOutOctets.Append(7));
        Start(_router.Link("isp-a", "prov-a"));

        InterfaceState state = (await PollAsync(4))[0];

        Assert.Equal((OperStatus.Up, null), (state.OperStatus, state.OutBps));
        Assert.StartsWith("prov-a on edge1 has neither ifHCOutOctets nor ifOutOctets", state.Error, StringComparison.Ordinal);

        // The same words each time: they are logged when they change.
        Assert.Equal(state.Error, (await PollAsync())[0].Error);
    }

    [Theory]
    [InlineData(2, OperStatus.Down)]
    [InlineData(7, OperStatus.LowerLayerDown)]
    [InlineData(99, OperStatus.Unknown)]
    public async Task PollAsync_oper_status_is_read(int number, OperStatus expected)
    {
        _router.Mib.Set(IfMib.IfOperStatus.Append(7), SnmpValue.Integer32(number));
        Start(_router.Link("isp-a", "prov-a"));

        Assert.Equal(expected, (await PollAsync())[0].OperStatus);
    }

    [Fact]
    public async Task PollAsync_garbage_speed_of_the_first_answer_is_not_believed()
    {
        _router.Mib.Set(IfMib.IfHighSpeed.Append(7), SnmpValue.Gauge32(4294));
        Start(_router.Link("isp-a", "prov-a"));
        Assert.Null((await PollAsync())[0].CapacityBps);

        _router.Mib.Set(IfMib.IfHighSpeed.Append(7), SnmpValue.Gauge32(50));
        Assert.Null((await PollAsync())[0].CapacityBps);
        Assert.Equal(50_000_000, (await PollAsync())[0].CapacityBps);
    }

    [Fact]
    public async Task PollAsync_router_that_falls_silent_keeps_its_values_for_three_periods_and_comes_back()
    {
        Start(_router.Link("isp-a", "prov-a"));
        DateTimeOffset answered = (await PollAsync(4))[0].LastPoll!.Value;
        await _router.StopAgentAsync();

        for (int poll = 1; poll <= 3; poll++)
        {
            _time.Advance(TimeSpan.FromSeconds(6));
            Task failing = _poller!.PollAsync(CancellationToken.None);
            for (int tries = 0; tries < 2; tries++)
            {
                await _time.UntilTimerAsync();
                _time.Advance(TimeSpan.FromSeconds(2));
            }

            await failing;
            InterfaceState state = _poller.Interfaces.Single();
            Assert.Equal((OperStatus.Up, answered, TimeSpan.FromSeconds(10 * poll)), (state.OperStatus, state.LastPoll, state.CounterAge));
            Assert.Equal(8_000_000, state.OutBps!.Value, 1.0);
            Assert.EndsWith("in 4 s (2 tries): wrong community, view or address", state.Error, StringComparison.Ordinal);
            Assert.Equal((false, answered, poll), (_poller.State.Reachable, _poller.State.LastPoll, _poller.State.FailedPolls));
        }

        _time.Advance(TimeSpan.FromSeconds(5));
        InterfaceState old = _poller!.Interfaces.Single();
        Assert.Equal((OperStatus.Unknown, null), (old.OperStatus, old.OutBps));

        _router.StartAgent();
        InterfaceState back = (await PollAsync(4))[0];
        Assert.Equal((OperStatus.Up, null), (back.OperStatus, back.Error));
        Assert.Equal(8_000_000, back.OutBps!.Value, 1.0);
        Assert.True(_poller.State.Reachable);
    }

    [Fact]
    public async Task PollAsync_wrap_of_the_counter_keeps_the_rate()
    {
        _router.AddInterface(7, "prov-a", 1_000_000, start: ulong.MaxValue - 25_000_000);
        Start(_router.Link("isp-a", "prov-a"));

        for (int i = 0; i < 6; i++)
        {
            double? rate = (await PollAsync())[0].OutBps;
            Assert.True(i < 2 ? rate is null : Math.Abs(rate!.Value - 8_000_000) < 1, $"poll {i}: {rate}");
        }
    }
}
