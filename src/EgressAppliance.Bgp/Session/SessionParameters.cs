using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Session;

/// <summary>What two OPENs agree on.</summary>
public sealed record SessionParameters
{
    /// <summary>How the peer's messages are read.</summary>
    public required BgpCodecOptions Receive { get; init; }

    /// <summary>How ours are written.</summary>
    public required BgpCodecOptions Send { get; init; }

    /// <summary>Families both offered.</summary>
    public required IReadOnlyList<IpFamily> Families { get; init; }

    /// <summary>The peer sends path identifiers for every family agreed on.</summary>
    public required bool AddPath { get; init; }

    /// <summary>The peer understands ROUTE-REFRESH.</summary>
    public required bool RouteRefresh { get; init; }

    /// <summary>The peer's BGP identifier.</summary>
    public required uint PeerRouterId { get; init; }

    /// <summary>Both are in one AS.</summary>
    public required bool Internal { get; init; }

    /// <summary>
    /// Our OPEN. Graceful restart (64), long-lived graceful restart (71) and enhanced route refresh (70) are left out on purpose: routes of ours must not
    /// outlive us, and FRR answers no refresh when 70 is offered without 64. IPv6 next hops for IPv4 routes (RFC 8950) are offered where both families are.
    /// </summary>
    public static OpenMessage MakeOpen(BgpPeerOptions peer, uint routerId)
    {
        ArgumentNullException.ThrowIfNull(peer);
        var capabilities = new List<BgpCapability>();
        var addPath = new List<AddPathEntry>();
        foreach (IpFamily family in peer.Families)
        {
            capabilities.Add(BgpCapability.Multiprotocol(AfiSafi.Of(family)));
            addPath.Add(new(AfiSafi.Of(family), AddPathMode.Receive));
        }

        capabilities.Add(BgpCapability.RouteRefresh);
        if (OffersExtendedNextHop(peer))
        {
            capabilities.Add(BgpCapability.ExtendedNextHop(AfiSafi.IPv4Unicast, BgpConstants.AfiIPv6));
        }

        capabilities.Add(BgpCapability.ExtendedMessage);
        capabilities.Add(BgpCapability.FourOctetAs(peer.LocalAs));
        capabilities.Add(BgpCapability.AddPath([.. addPath]));
        return new()
        {
            MyAs = peer.LocalAs > ushort.MaxValue ? BgpConstants.AsTrans : (ushort)peer.LocalAs,
            HoldTime = (ushort)peer.HoldTime.TotalSeconds,
            RouterId = routerId,
            Capabilities = capabilities,
        };
    }

    /// <summary>
    /// Compares the peer's OPEN with what was expected of it. Returns the error, or null with <paramref name="agreed"/> set. Capabilities we do not
    /// know, or that are malformed, are as good as absent (RFC 5492 section 3); the only one we insist on is a family in common.
    /// </summary>
    public static BgpError? Negotiate(BgpPeerOptions peer, uint routerId, OpenMessage open, out SessionParameters? agreed)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(open);
        agreed = null;
        if (open.AsNumber != peer.PeerAs)
        {
            return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.PeerAs, $"the peer is in AS {open.AsNumber}, configured is {peer.PeerAs}");
        }

        bool isInternal = peer.PeerAs == peer.LocalAs;
        if (isInternal && open.RouterId == routerId)
        {
            return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.Identifier, "the peer has our own BGP identifier (RFC 6286)");
        }

        IReadOnlyList<AfiSafi> offered = open.Families;
        var families = new List<IpFamily>();
        foreach (IpFamily family in peer.Families)
        {
            if (offered.Contains(AfiSafi.Of(family)))
            {
                families.Add(family);
            }
        }

        if (families.Count == 0)
        {
            return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.Capability, "no address family in common", MissingFamilies(peer));
        }

        bool Sends(IpFamily family) => families.Contains(family) && (open.AddPath(AfiSafi.Of(family)) & AddPathMode.Send) != 0;
        bool fourOctet = open.FourOctetAs is not null;
        bool extendedMessage = open.Has(BgpCapability.ExtendedMessageCode);
        bool extendedNextHop = families.Contains(IpFamily.IPv4) && OffersExtendedNextHop(peer)
            && open.ExtendedNextHop(AfiSafi.IPv4Unicast, BgpConstants.AfiIPv6);
        agreed = new()
        {
            Receive = new()
            {
                FourOctetAs = fourOctet,
                External = !isInternal,
                AddPathIPv4 = Sends(IpFamily.IPv4),
                AddPathIPv6 = Sends(IpFamily.IPv6),
                ExtendedNextHop = extendedNextHop,
                ExtendedMessage = extendedMessage,
            },
            Send = new() { FourOctetAs = fourOctet, External = !isInternal, ExtendedNextHop = extendedNextHop, ExtendedMessage = extendedMessage },
            Families = families,
            AddPath = families.TrueForAll(Sends),
            RouteRefresh = open.Has(BgpCapability.RouteRefreshCode),
            PeerRouterId = open.RouterId,
            Internal = isInternal,
        };
        return null;
    }

    /// <summary>The same as it is shown.</summary>
    /// <param name="holdTime">Hold time in force.</param>
    public NegotiatedSession Describe(TimeSpan holdTime)
    {
        var addPath = new List<IpFamily>();
        foreach (IpFamily family in Families)
        {
            if (family == IpFamily.IPv4 ? Receive.AddPathIPv4 : Receive.AddPathIPv6)
            {
                addPath.Add(family);
            }
        }

        return new(PeerRouterId, Internal, holdTime, Families, addPath, RouteRefresh, Receive.FourOctetAs, Receive.ExtendedMessage, Receive.ExtendedNextHop);
    }

    private static bool OffersExtendedNextHop(BgpPeerOptions peer) =>
        peer.Families.Contains(IpFamily.IPv4) && peer.Families.Contains(IpFamily.IPv6);

    /// <summary>The capabilities for want of which the session ends, as RFC 5492 section 5 wants them in the NOTIFICATION.</summary>
    private static byte[] MissingFamilies(BgpPeerOptions peer)
    {
        var data = new List<byte>();
        foreach (IpFamily family in peer.Families)
        {
            BgpCapability capability = BgpCapability.Multiprotocol(AfiSafi.Of(family));
            data.AddRange([capability.Code, (byte)capability.Value.Length, .. capability.Value]);
        }

        return [.. data];
    }
}
