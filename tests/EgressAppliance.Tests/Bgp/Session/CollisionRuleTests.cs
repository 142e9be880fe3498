using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>Connection collisions (RFC 4271 section 6.8, RFC 6286 section 2.3) in every combination.</summary>
public sealed class CollisionRuleTests
{
    [Theory]
    // identifiers: the speaker with the higher one keeps the connection it made
    [InlineData(2u, 1u, 65000u, 65000u, true)]
    [InlineData(1u, 2u, 65000u, 65000u, false)]
    [InlineData(0x80000000u, 0x7FFFFFFFu, 65000u, 65000u, true)]
    // equal identifiers: the speaker with the higher AS does
    [InlineData(7u, 7u, 65001u, 65000u, true)]
    [InlineData(7u, 7u, 65000u, 65001u, false)]
    [InlineData(7u, 7u, 4200000000u, 65001u, true)]
    // different identifiers: the AS does not matter
    [InlineData(8u, 7u, 1u, 65001u, true)]
    [InlineData(7u, 8u, 65001u, 1u, false)]
    public void NewStays_keeps_the_connection_of_the_higher_speaker(uint ourId, uint peerId, uint ourAs, uint peerAs, bool oursStays)
    {
        foreach (SessionState other in new[] { SessionState.OpenSent, SessionState.OpenConfirm })
        {
            Assert.Equal(!oursStays, CollisionRule.NewStays(newIsIncoming: true, other, ourId, peerId, ourAs, peerAs));
            Assert.Equal(oursStays, CollisionRule.NewStays(newIsIncoming: false, other, ourId, peerId, ourAs, peerAs));
        }
    }

    [Theory]
    [InlineData(true, 1u, 2u)]
    [InlineData(true, 2u, 1u)]
    [InlineData(false, 1u, 2u)]
    [InlineData(false, 2u, 1u)]
    public void NewStays_never_takes_the_place_of_an_established_connection(bool newIsIncoming, uint ourId, uint peerId) =>
        Assert.False(CollisionRule.NewStays(newIsIncoming, SessionState.Established, ourId, peerId, 65000, 65000));
}
