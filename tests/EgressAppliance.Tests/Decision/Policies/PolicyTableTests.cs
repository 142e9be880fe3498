using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision.Policies;

public class PolicyTableTests
{
    [Theory]
    [InlineData("65000:100", 65000u, 100u, null)]
    [InlineData("0:0", 0u, 0u, null)]
    [InlineData("65535:65535", 65535u, 65535u, null)]
    [InlineData("4294967295:0:7", 4294967295u, 0u, 7u)]
    public void TryParse_community_and_back(string text, uint first, uint second, uint? third)
    {
        Assert.True(CommunityMatch.TryParse(text, out CommunityMatch community));
        Assert.Equal(new CommunityMatch(first, second, third), community);
        Assert.Equal(text, community.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("65000")]
    [InlineData("65536:1")]
    [InlineData("1:65536")]
    [InlineData("1:2:3:4")]
    [InlineData("1:2:4294967296")]
    [InlineData("-1:2")]
    [InlineData(" 1:2")]
    [InlineData("no-export")]
    public void TryParse_anything_else_is_no_community(string? text) => Assert.False(CommunityMatch.TryParse(text, out _));

    [Fact]
    public void Match_first_in_order_wins_whatever_key_it_has()
    {
        RoutingPolicy[] policies =
        [
            Make(1, new() { Prefix = IpPrefix.Parse("10.1.0.0/16"), OriginAs = 64499 }),
            Make(2, new() { Link = "a", Community = new(65000, 1) }),
            Make(3, new() { Prefix = IpPrefix.Parse("10.0.0.0/8") }),
            Make(4, new() { Prefix = IpPrefix.Parse("10.1.2.0/24") }),
            Make(5, new() { OriginAs = 64500 }),
            Make(6, new() { Community = new(65000, 1, 2) }),
            Make(7, new() { Link = "b" }),
        ];
        PolicyTable table = new(policies);
        Assert.Equal(1, Number(table, "10.1.2.0/24", "b", 64499));
        Assert.Equal(2, Number(table, "10.1.2.0/24", "a", 64500, community: (65000u << 16) | 1));
        Assert.Equal(3, Number(table, "10.1.2.0/24", "b", 64500, community: (65000u << 16) | 1));
        Assert.Equal(5, Number(table, "192.0.2.0/24", "b", 64500));
        Assert.Equal(6, Number(table, "192.0.2.0/24", "b", 0, large: [1, 2, 3, 65000, 1, 2]));
        Assert.Equal(7, Number(table, "192.0.2.0/24", "b", 0, large: [1, 65000, 1, 2, 0, 0]));
        Assert.Equal(0, Number(table, "192.0.2.0/24", "a", 64501));
        Assert.Equal(0, Number(table, "192.0.2.0/24", null, 0));
        Assert.Equal(0, Number(table, "8.0.0.0/6", "a", 0));
        Assert.Null(PolicyTable.Empty.Match(new RouteFacts(IpPrefix.Parse("10.0.0.0/8"), "a")));
    }

    [Fact]
    public void Match_nothing_given_matches_nothing() => Assert.Equal(0, Number(new PolicyTable([Make(1, new())]), "10.0.0.0/8", "a", 64500));

    [Fact]
    public void Match_any_table_and_route_agrees_with_trying_one_after_another()
    {
        int matches = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            RoutingPolicy[] policies = [.. Enumerable.Range(1, random.Next(0, 40)).Select(n => Make(n, AnyMatch(random)))];
            PolicyTable table = new(policies);
            for (int i = 0; i < 50; i++)
            {
                RouteFacts route = new(AnyPrefix(random, 24), random.Next(5) == 0 ? null : "link-" + random.Next(3))
                {
                    OriginAs = (uint)random.Next(4),
                    Communities = Some(random, 1),
                    LargeCommunities = Some(random, 3),
                };
                RoutingPolicy? expected = null;
                foreach (RoutingPolicy policy in policies)
                {
                    if (Naive(policy.Match, route))
                    {
                        expected = policy;
                        break;
                    }
                }

                Assert.Same(expected, table.First(route));
                matches += expected is null ? 0 : 1;
            }
        }

        Assert.InRange(matches, 3000, 14_000);
    }

    [Fact]
    public void Match_many_prefixes_allocates_nothing()
    {
        Random random = new(1);
        PolicyTable table = new([.. Enumerable.Range(1, 2000).Select(n => Make(n, AnyMatch(random)))]);
        uint[] communities = [1, 2, 3];
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 100_000).Select(Lab.Prefix)];
        int matched = 0;
        long bytes = Allocations.InSteadyState(() =>
        {
            foreach (IpPrefix prefix in prefixes)
            {
                matched += table.Match(new RouteFacts(prefix, "link-1") { OriginAs = 77, Communities = communities, LargeCommunities = communities }) is null ? 0 : 1;
            }
        });
        Assert.True(matched > 0);
        Assert.InRange(bytes, 0, 1000);
    }

    [Theory]
    [InlineData(PolicyAction.Pin, 0, 5)]
    [InlineData(PolicyAction.Pin, 2, 5)]
    [InlineData(PolicyAction.Prefer, 0, 5)]
    [InlineData(PolicyAction.Deny, 1, 5)]
    [InlineData(PolicyAction.Class, 1, 5)]
    [InlineData(PolicyAction.Class, 0, 10)]
    [InlineData(PolicyAction.Class, 0, -1)]
    public void Problem_policy_that_contradicts_itself_has_one(PolicyAction action, int links, int ofClass) =>
        Assert.NotNull(new PrefixPolicy { Action = action, Links = [.. Enumerable.Range(0, links).Select(i => "l" + i)], Class = ofClass }.Problem);

    private static RoutingPolicy Make(int number, PolicyMatch match) => new(match, new PrefixPolicy { Number = number, Action = PolicyAction.Deny });

    private static int Number(PolicyTable table, string prefix, string? link, uint origin, uint community = 0, uint[]? large = null) =>
        table.Match(new RouteFacts(IpPrefix.Parse(prefix), link) { OriginAs = origin, Communities = [community], LargeCommunities = large ?? [] })?.Number ?? 0;

    private static PolicyMatch AnyMatch(Random random) => new()
    {
        Prefix = random.Next(2) == 0 ? AnyPrefix(random, random.Next(8, 25)) : null,
        OriginAs = random.Next(4) == 0 ? (uint)random.Next(1, 4) : null,
        Community = random.Next(4) == 0 ? random.Next(2) == 0 ? new(0, (uint)random.Next(4)) : new((uint)random.Next(3), (uint)random.Next(3), (uint)random.Next(3)) : null,
        Link = random.Next(4) == 0 ? "link-" + random.Next(3) : null,
    };

    private static IpPrefix AnyPrefix(Random random, int length) => IpPrefix.Create(IpAddr.FromIPv4(0x0A000000u | ((uint)random.Next(0, 16) << 8) | ((uint)random.Next(0, 3) << 20)), length);

    private static uint[] Some(Random random, int times) => [.. Enumerable.Range(0, random.Next(3) * times).Select(_ => (uint)random.Next(4))];

    private static bool Naive(PolicyMatch match, in RouteFacts route)
    {
        bool any = false;
        bool all = true;
        if (match.Prefix is { } prefix)
        {
            any = true;
            all &= route.Prefix.Length >= prefix.Length && IpPrefix.Create(route.Prefix.Address, prefix.Length) == prefix;
        }

        if (match.OriginAs is { } origin)
        {
            any = true;
            all &= route.OriginAs == origin;
        }

        if (match.Community is { } community)
        {
            any = true;
            string wanted = community.ToString();
            List<string> has = [.. route.Communities.ToArray().Select(c => $"{c >> 16}:{c & 0xFFFF}")];
            uint[] large = route.LargeCommunities.ToArray();
            has.AddRange(large.Chunk(3).Select(c => string.Join(':', c)));
            all &= has.Contains(wanted);
        }

        if (match.Link is not null)
        {
            any = true;
            all &= match.Link == route.Link;
        }

        return any && all;
    }
}
