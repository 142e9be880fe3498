using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Interfaces;

/// <summary>Links of which only the next hops are given: interface and MAC address are found, and followed.</summary>
public sealed class RouterPollerNeighbourTests : IAsyncDisposable
{
    private static readonly byte[] MacA = [2, 0, 0, 0, 0x0a, 2];
    private static readonly byte[] MacB = [2, 0, 0, 0, 0x0b, 2];
    private readonly ManualTimeProvider _time = new();
    private readonly FakeRouter _router;
    private RouterPoller? _poller;

    public RouterPollerNeighbourTests()
    {
        _router = new FakeRouter(_time);
        _router.AddInterface(7, "prov-a", 1_000_000);
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

    [Fact]
    public async Task Interface_and_addresses_are_found_by_the_next_hops()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacA);
        _router.AddNeighbour(7, "2001:db8:ff:1::2", MacA);
        _router.AddNeighbour(9, "100.64.2.2", MacB, media: true);
        Start(_router.UnknownLink("isp-a", 1, "100.64.1.2", "2001:db8:ff:1::2"), _router.UnknownLink("isp-b", 2, "100.64.2.2"));

        InterfaceState[] states = await PollAsync(4);

        Assert.Equal([("prov-a", 7u), ("prov-b", 9u)], states.Select(s => (s.Interface, s.IfIndex!.Value)));
        Assert.Equal([[Mac(MacA)], [Mac(MacB)]], states.Select(s => s.Macs));
        Assert.All(states, s => Assert.Null(s.MatchProblem ?? s.Error));
        Assert.Equal(8_000_000, states[0].OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task Address_that_changes_is_followed_with_the_next_poll()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacA);
        Start(_router.Link("isp-a", "prov-a") with { MatchVlan = null, FindsMac = true, NextHops = [Hop("100.64.1.2")] });
        Assert.Equal([Mac(MacA)], (await PollAsync(2))[0].Macs);

        _router.AddNeighbour(7, "100.64.1.2", MacB);

        Assert.Equal([Mac(MacB)], (await PollAsync())[0].Macs);
    }

    [Fact]
    public async Task Both_addresses_count_while_the_tables_of_the_agent_differ()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacB);
        _router.AddNeighbour(7, "100.64.1.2", MacA, media: true);
        Start(_router.Link("isp-a", "prov-a") with { MatchVlan = null, FindsMac = true, NextHops = [Hop("100.64.1.2")] });

        Assert.Equal([Mac(MacA), Mac(MacB)], (await PollAsync())[0].Macs);
    }

    [Fact]
    public async Task Row_that_ages_costs_neither_address_nor_interface()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacA);
        Start(_router.UnknownLink("isp-a", 1, "100.64.1.2"));
        await PollAsync(4);

        _router.RemoveNeighbour(7, "100.64.1.2");
        InterfaceState state = (await PollAsync(10))[0];

        Assert.Equal(("prov-a", 7u, null, null), (state.Interface, state.IfIndex!.Value, state.Error, state.MatchProblem));
        Assert.Equal([Mac(MacA)], state.Macs);
        Assert.Equal(8_000_000, state.OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task Provider_that_moves_to_another_interface_is_followed_within_a_minute()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacA);
        Start(_router.UnknownLink("isp-a", 1, "100.64.1.2"));
        await PollAsync(2);

        _router.RemoveNeighbour(7, "100.64.1.2");
        _router.AddNeighbour(9, "100.64.1.2", MacB);
        InterfaceState state = (await PollAsync(10))[0];

        Assert.Equal(("prov-b", 9u, null), (state.Interface, state.IfIndex!.Value, state.Error));
        Assert.Equal([Mac(MacB)], state.Macs);
        Assert.Equal(2_000_000, state.OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task Restart_with_other_numbers_finds_the_interface_again()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacA);
        Start(_router.UnknownLink("isp-a", 1, "100.64.1.2"));
        await PollAsync(2);

        _router.RemoveInterface(7);
        _router.RemoveNeighbour(7, "100.64.1.2");
        _router.AddInterface(17, "prov-a", 1_000_000);
        _router.AddNeighbour(17, "100.64.1.2", MacA);
        _router.Reboot();
        InterfaceState state = (await PollAsync(4))[0];

        Assert.Equal(("prov-a", 17u), (state.Interface, state.IfIndex!.Value));
        Assert.Equal(8_000_000, state.OutBps!.Value, 1.0);
    }

    [Fact]
    public async Task Neighbour_that_the_router_does_not_have_is_told_with_what_to_do()
    {
        _router.AddNeighbour(7, "100.64.1.2", [3, 0, 0, 0, 0, 1]); // A group's address is no neighbour's.
        Start(_router.UnknownLink("isp-a", 1, "100.64.1.2"), _router.Link("isp-b", "prov-b", 2) with { MatchVlan = null, FindsMac = true, NextHops = [Hop("100.64.2.2")] });

        InterfaceState[] states = await PollAsync(2);

        Assert.Equal(
            "100.64.1.2 is not among the neighbours of edge1: ping it from the router, have 1.3.6.1.2.1.4 in the view, or give links[].interface", states[0].Error);
        Assert.Equal(
            "100.64.2.2 is not among the neighbours of edge1 on prov-b: ping it from the router, have 1.3.6.1.2.1.4 in the view, or give links[].match", states[1].MatchProblem);
        Assert.Null(states[1].Error);
    }

    [Fact]
    public async Task Next_hops_behind_two_interfaces_make_no_link()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacA);
        _router.AddNeighbour(9, "100.64.1.3", MacB);
        Start(_router.UnknownLink("isp-a", 1, "100.64.1.2", "100.64.1.3"));

        Assert.StartsWith("100.64.1.2, 100.64.1.3 are behind several interfaces of edge1 (ifIndex 7, 9)", (await PollAsync())[0].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Link_with_a_match_is_not_asked_about()
    {
        _router.AddNeighbour(7, "100.64.1.2", MacA);
        Start(_router.Link("isp-a", "prov-a") with { NextHops = [Hop("100.64.1.2")] });

        InterfaceState state = (await PollAsync())[0];

        Assert.Empty(state.Macs);
        Assert.Null(state.MatchProblem);
    }

    private static MacAddress Mac(byte[] octets) => MacAddress.FromBytes(octets);

    private static IpAddr Hop(string text) => IpAddr.Parse(text);

    private void Start(params LinkConfig[] links)
    {
        RouterConfig config = _router.Config();
        _poller = new RouterPoller(config, config.Snmp!, links, _time, NullLogger.Instance);
    }

    private async Task<InterfaceState[]> PollAsync(int times = 1)
    {
        for (int i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            await _poller!.PollAsync(CancellationToken.None);
        }

        return [.. _poller!.Interfaces];
    }
}
