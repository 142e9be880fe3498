using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Pipeline;

public sealed class LinkRulesTests
{
    private static readonly MacAddress A = MacAddress.FromBytes([2, 0, 0, 0, 0x0a, 2]);
    private static readonly MacAddress B = MacAddress.FromBytes([2, 0, 0, 0, 0x0b, 2]);

    [Fact]
    public void Update_rules_of_the_configuration_stay_and_found_ones_join_them()
    {
        LinkRules rules = new([Link(1) with { FindsMac = false, MatchVlan = 7 }, Link(2)]);
        Assert.Equal([new LinkMatch(new LinkId(1), null, 7, null)], rules.Matches);

        Assert.True(rules.Update([State(1), State(2, A, B)]));
        Assert.Equal(
            [new LinkMatch(new LinkId(1), null, 7, null), new LinkMatch(new LinkId(2), A, null, null), new LinkMatch(new LinkId(2), B, null, null)], rules.Matches);
        Assert.Empty(rules.Problems);
        Assert.Equal(["vlan 7", $"mac {A}, {B}, found by SNMP"], [rules.Describe(0), rules.Describe(1)]);
    }

    [Fact]
    public void Update_same_addresses_change_nothing_and_others_do()
    {
        LinkRules rules = new([Link(1)]);
        Assert.True(rules.Update([State(1, A)]));
        Assert.False(rules.Update([State(1, A)]));
        Assert.True(rules.Update([State(1, B)]));
        Assert.Equal([new LinkMatch(new LinkId(1), B, null, null)], rules.Matches);
    }

    [Fact]
    public void Update_link_that_is_not_found_is_told_with_the_reason()
    {
        LinkRules rules = new([Link(1), Link(2)]);
        Assert.False(rules.Update([State(1) with { Error = "no answer" }, State(2) with { MatchProblem = "not there" }]));
        Assert.Equal(["Frames of isp-1 are not known yet, as it has no match: no answer.", "Frames of isp-2 are not known yet, as it has no match: not there."], rules.Problems);
        Assert.Equal("", rules.Describe(0));
    }

    [Fact]
    public void Update_two_providers_behind_one_address_are_matched_neither()
    {
        LinkRules rules = new([Link(1), Link(2), Link(3) with { FindsMac = false, MatchMac = B }]);
        Assert.False(rules.Update([State(1, A), State(2, A, B), State(3)]));
        Assert.Equal([new LinkMatch(new LinkId(3), B, null, null)], rules.Matches);
        Assert.Equal(3, rules.Problems.Count);
        Assert.StartsWith($"isp-1 and isp-2 are both behind {A}:", rules.Problems[0], StringComparison.Ordinal);
        Assert.StartsWith($"isp-2 and isp-3 are both behind {B}:", rules.Problems[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Update_address_that_another_link_shares_by_vlan_is_taken_for_what_is_left()
    {
        LinkRules rules = new([Link(1), Link(2) with { FindsMac = false, MatchMac = A, MatchVlan = 9 }]);
        Assert.True(rules.Update([State(1, A), State(2)]));
        Assert.Equal([new LinkMatch(new LinkId(2), A, 9, null), new LinkMatch(new LinkId(1), A, null, null)], rules.Matches);
    }

    private static LinkConfig Link(ushort id) =>
        new() { Id = new LinkId(id), Name = $"isp-{id}", Router = "edge1", Interface = "", NextHops = [], FindsMac = true };

    private static InterfaceState State(int id, params MacAddress[] macs) =>
        new() { Link = $"isp-{id}", Router = "edge1", Interface = "", Macs = macs };
}
