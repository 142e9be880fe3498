using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Dataplane;

public class LinkResolverTests
{
    [Theory]
    [InlineData(0xA, 0, 1)]
    [InlineData(0xB, 0, 2)]
    [InlineData(0xB, 101, 3)]
    [InlineData(0xB, 102, 2)]
    [InlineData(0xC, 101, 4)]
    [InlineData(0xC, 0, 5)]
    [InlineData(0xD, 0, LinkResolver.Ignored)]
    [InlineData(0xE, 4094, 5)]
    public void Resolve_rule_that_names_most_wins(ulong mac, ushort vlan, int expected)
    {
        LinkResolver resolver = new(
            [
                Rule(1, mac: 0xA),
                Rule(2, mac: 0xB),
                Rule(9, mac: 0xB),
                Rule(3, mac: 0xB, vlan: 101),
                Rule(4, vlan: 101),
                Rule(5, source: "mir0"),
                Rule(6, source: "mir1"),
                Rule(7, mac: 0xE, source: "mir1"),
            ],
            [new MacAddress(0xD)],
            "mir0");
        Assert.Equal(expected, resolver.Resolve(mac, vlan));
    }

    [Fact]
    public void Resolve_without_rules_is_no_link()
    {
        LinkResolver resolver = new([], [], "mir0");
        Assert.Equal(0, resolver.Resolve(0xA, 7));
        Assert.Equal(0, resolver.Resolve(PacketFields.NoMac, 0));
    }

    [Fact]
    public void Resolve_many_rules_equals_search_through_them()
    {
        Random random = new(5);
        List<LinkMatch> rules = [];
        for (int i = 1; i <= LinkId.MaxValue; i++)
        {
            bool byMac = random.Next(3) != 0;
            rules.Add(Rule(i, byMac ? (ulong)random.Next(120) : null, byMac && random.Next(2) == 0 ? null : (ushort)random.Next(1, 40)));
        }

        LinkResolver resolver = new(rules, [], "mir0");
        for (ulong mac = 0; mac < 130; mac++)
        {
            for (ushort vlan = 0; vlan < 45; vlan++)
            {
                LinkMatch? best = rules
                    .Where(r => (r.DestinationMac is null || r.DestinationMac.Value.Value == mac) && (r.Vlan is null || r.Vlan == vlan))
                    .OrderByDescending(r => (r.DestinationMac is null ? 0 : 1) + (r.Vlan is null ? 0 : 1))
                    .ThenBy(r => r.DestinationMac is null)
                    .FirstOrDefault();
                Assert.Equal(best?.Link.Value ?? 0, resolver.Resolve(mac, vlan));
            }
        }
    }

    [Fact]
    public void New_rule_that_makes_no_sense_is_refused()
    {
        LinkMatch[] bad = [Rule(0, mac: 1), Rule(256, mac: 1), Rule(1), Rule(1, vlan: 0), Rule(1, vlan: 4095)];
        Assert.All(bad, rule => Assert.Throws<ArgumentException>(() => new LinkResolver([rule], [], "mir0")));
    }

    private static LinkMatch Rule(int link, ulong? mac = null, ushort? vlan = null, string? source = null) =>
        new(new LinkId((ushort)link), mac is null ? null : new MacAddress(mac.Value), vlan, source);
}
