using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Snmp;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Interfaces;

/// <summary>What routers in the field do: descriptions for names, 32-bit counters, aggregates, counters that begin anew.</summary>
public sealed class RouterPollerFieldTests : IAsyncDisposable
{
    private const double RateBps = 8_000_000;

    private readonly ManualTimeProvider _time = new();
    private readonly FakeRouter _router;
    private RouterPoller? _poller;

    public RouterPollerFieldTests()
    {
        _router = new FakeRouter(_time);
        _router.AddInterface(7, "ae0", 1_000_000, start: 123_456_789_012);
    }

    public async ValueTask DisposeAsync()
    {
        if (_poller is not null)
        {
            await _poller.DisposeAsync();
        }

        await _router.DisposeAsync();
    }

    private async Task<InterfaceState> PollAsync(int times = 1)
    {
        for (int i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            await _poller!.PollAsync(CancellationToken.None);
        }

        return _poller!.Interfaces.Single();
    }

    private void Start(string @interface, long? capacity = null)
    {
        RouterConfig config = _router.Config();
        _poller = new RouterPoller(config, config.Snmp!, [_router.Link("isp-a", @interface) with { CapacityBps = capacity }], _time, NullLogger.Instance);
    }

    /// <summary>Whatever happens, a rate is the true one or none: polls until it is there again.</summary>
    private async Task<InterfaceState> NeverASpikeAsync(int polls, double bps = RateBps)
    {
        InterfaceState state = await PollAsync();
        for (int i = 1; i < polls; i++)
        {
            Assert.True(state.OutBps is null || Math.Abs(state.OutBps.Value - bps) < 1, $"poll {i}: {state.OutBps}");
            state = await PollAsync();
        }

        Assert.Equal(bps, state.OutBps!.Value, 1.0);
        return state;
    }

    [Theory]
    [InlineData("prov-a", InterfaceKey.Name, "prov-a")]
    [InlineData("alias: Transit A, circuit 4711", InterfaceKey.Alias, "Transit A, circuit 4711")]
    [InlineData("index:7", InterfaceKey.Index, "7")]
    [InlineData("index:x", InterfaceKey.Name, "index:x")]
    public void Parse_reads_name_alias_and_index(string text, InterfaceKey key, string rest) => Assert.Equal(new InterfaceSelector(key, rest), InterfaceSelector.Parse(text));

    [Theory]
    [InlineData("alias:Transit A")]
    [InlineData("index:7")]
    public async Task PollAsync_interface_is_found_by_alias_and_by_index(string @interface)
    {
        _router.Mib.Set(IfMib.IfAlias.Append(7), SnmpValue.OctetString("Transit A"));
        Start(@interface);

        InterfaceState state = await PollAsync(4);

        Assert.Equal((7u, null, @interface), (state.IfIndex, state.Error, state.Interface));
        Assert.Equal(RateBps, state.OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task PollAsync_alias_of_two_interfaces_is_refused_with_their_names()
    {
        _router.AddInterface(9, "ae1", 0);
        _router.Mib.Set(IfMib.IfAlias.Append(7), SnmpValue.OctetString("Transit A"));
        _router.Mib.Set(IfMib.IfAlias.Append(9), SnmpValue.OctetString("Transit A"));
        Start("alias:Transit A");

        Assert.Equal("2 interfaces on edge1 have the alias 'Transit A' (ifIndex 7, 9): give one by its name, ae0 or ae1", (await PollAsync()).Error);
    }

    [Theory]
    [InlineData("alias:Transit B", "no interface alias:Transit B on edge1; nearest aliases: Transit A")]
    [InlineData("index:8", "no interface with ifIndex 8 on edge1")]
    public async Task PollAsync_what_is_not_there_is_told(string @interface, string error)
    {
        _router.Mib.Set(IfMib.IfAlias.Append(7), SnmpValue.OctetString("Transit A"));
        Start(@interface);

        Assert.Equal(error, (await PollAsync()).Error);
    }

    [Theory]
    [InlineData("ae0")]
    [InlineData("alias:Transit A")]
    [InlineData("index:7")]
    public async Task PollAsync_reboot_with_other_numbers_and_counters_at_zero_gives_no_spike(string @interface)
    {
        _router.Mib.Set(IfMib.IfAlias.Append(7), SnmpValue.OctetString("Transit A"));
        Start(@interface);
        await NeverASpikeAsync(4);

        bool moves = !@interface.StartsWith("index", StringComparison.Ordinal);
        if (moves)
        {
            // Another interface has the number now.
            _router.RemoveInterface(7);
            _router.AddInterface(7, "lo9", 123);
            _router.Mib.Set(IfMib.IfAlias.Append(7), SnmpValue.OctetString(""));
            _router.AddInterface(40, "ae0", 1_000_000);
            _router.Mib.Set(IfMib.IfAlias.Append(40), SnmpValue.OctetString("Transit A"));
        }

        _router.Reboot();
        InterfaceState state = await NeverASpikeAsync(3);
        Assert.Equal((moves ? 40u : 7u, 1_000_000_000L), (state.IfIndex, state.CapacityBps));
    }

    [Fact]
    public async Task PollAsync_index_that_gets_another_name_begins_anew()
    {
        Start("index:7");
        await PollAsync(4);
        _router.AddInterface(7, "ae5", 250_000, start: 99_999_999_999_999);

        await NeverASpikeAsync(3, 2_000_000);
    }

    [Fact]
    public async Task PollAsync_counter_of_32_bits_is_followed_over_its_wraps()
    {
        _router.AddInterface(7, "ae0", 100_000_000, start: uint.MaxValue - 150_000_000L);
        _router.Narrow(7);
        Start("ae0");

        // At 800 Mbit/s it comes around every 43 s: a dozen polls pass three wraps.
        InterfaceState state = await NeverASpikeAsync(12, 800_000_000);
        Assert.Null(state.Error);
    }

    [Fact]
    public async Task PollAsync_counter_of_32_bits_that_comes_around_too_fast_gives_no_rate_and_the_period()
    {
        _router.AddInterface(7, "ae0", 1_000_000, mbps: 10_000);
        _router.Narrow(7);
        Start("ae0");

        InterfaceState state = await PollAsync(5);

        Assert.Null(state.OutBps);
        Assert.Contains("32-bit counters only, which come around too often to be read every 10 s", state.Error, StringComparison.Ordinal);
        Assert.Contains("snmp.poll to 1s or less", state.Error, StringComparison.Ordinal);
        Assert.Equal(OperStatus.Up, state.OperStatus);
    }

    [Fact]
    public async Task PollAsync_counter_that_the_router_says_began_anew_gives_no_spike()
    {
        _router.Mib.Set(IfMib.IfCounterDiscontinuityTime.Append(7), SnmpValue.TimeTicks(0));
        Start("ae0");
        await NeverASpikeAsync(4);

        // Ahead, which alone would be believed.
        _router.AddInterface(7, "ae0", 1_000_000, start: 123_556_789_012);
        _router.Mib.Set(IfMib.IfCounterDiscontinuityTime.Append(7), SnmpValue.TimeTicks(9000));
        await NeverASpikeAsync(3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PollAsync_capacity_of_an_aggregate_is_that_of_its_members_that_are_up(bool byStack)
    {
        // Some routers keep the sum of all members as the speed of the aggregate.
        _router.AddInterface(7, "ae0", 1_000_000, mbps: 40_000);
        _router.Aggregate(7, 10_000, byStack, 21, 22, 23, 24);
        _router.Aggregate(8, 10_000, byStack, 31, 32);
        Start("ae0");
        InterfaceState state = await NeverASpikeAsync(4);
        Assert.Equal((40_000_000_000L, 4, 4), (state.CapacityBps, state.MembersUp, state.Members));

        // Loses a member: at once.
        _router.SetUp(22, false);
        state = await PollAsync();
        Assert.Equal((30_000_000_000L, 3, 4), (state.CapacityBps, state.MembersUp, state.Members));
        Assert.Equal(RateBps, state.OutBps!.Value, 1.0);

        // Another is attached elsewhere, if the router has the table that tells.
        if (!byStack)
        {
            _router.Mib.Set(IfMib.AttachedAggregate.Append(23), SnmpValue.Integer32(0));
            Assert.Equal(20_000_000_000L, (await PollAsync()).CapacityBps);
            _router.Mib.Set(IfMib.AttachedAggregate.Append(23), SnmpValue.Integer32(7));
        }

        // Comes back: after a second reading.
        _router.SetUp(22, true);
        await PollAsync();
        Assert.Equal(40_000_000_000L, (await PollAsync()).CapacityBps);
    }

    [Fact]
    public async Task PollAsync_aggregate_without_any_member_up_is_down_and_keeps_its_capacity()
    {
        _router.AddInterface(7, "ae0", 1_000_000, mbps: 20_000);
        _router.Aggregate(7, 10_000, false, 21, 22);
        Start("ae0");
        await PollAsync(4);
        _router.SetUp(21, false);
        _router.SetUp(22, false);
        _router.SetUp(7, false);

        InterfaceState state = await PollAsync();
        Assert.Equal((OperStatus.Down, 20_000_000_000L, 0), (state.OperStatus, state.CapacityBps, state.MembersUp));
    }

    [Fact]
    public async Task PollAsync_member_that_is_added_counts_within_a_minute()
    {
        _router.AddInterface(7, "ae0", 1_000_000, mbps: 20_000);
        _router.Aggregate(7, 10_000, false, 21, 22);
        Start("ae0");
        await PollAsync(4);
        _router.Aggregate(7, 10_000, false, 23);

        Assert.Equal((30_000_000_000L, 3), ((await PollAsync(8)).CapacityBps, (await PollAsync()).Members));
    }

    [Fact]
    public async Task PollAsync_interface_that_goes_down_is_told_and_its_rate_sinks_without_a_spike()
    {
        Start("ae0");
        await PollAsync(4);
        _router.SetUp(7, false);

        InterfaceState state = await PollAsync();
        Assert.Equal(OperStatus.Down, state.OperStatus);
        Assert.InRange(state.OutBps!.Value, 0, RateBps + 1);
    }

    [Fact]
    public async Task PollAsync_errors_and_discards_are_counted_since_the_first_poll()
    {
        uint errors = 1000;
        _router.Mib.Set(IfMib.IfInErrors.Append(7), () => SnmpValue.Counter32(errors));
        _router.Mib.Set(IfMib.IfOutErrors.Append(7), () => SnmpValue.Counter32(errors / 2));
        Start("ae0");

        InterfaceState state = await PollAsync();
        Assert.Equal((0L, 0L, null), (state.InErrors, state.OutErrors, state.OutDiscards));
        errors = 1010;
        state = await PollAsync();
        Assert.Equal((10L, 5L), (state.InErrors, state.OutErrors));

        // Began anew.
        errors = 4;
        state = await PollAsync();
        Assert.Equal((14L, 7L), (state.InErrors, state.OutErrors));
    }
}
