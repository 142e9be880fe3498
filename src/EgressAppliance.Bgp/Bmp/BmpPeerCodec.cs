using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// How the UPDATEs of one monitored peer are to be read, from the OPENs of its Peer Up: nothing in a Route Monitoring message itself tells whether
/// its prefixes have path identifiers.
/// </summary>
/// <remarks>
/// <para>Adj-RIB-In holds what the peer sent: path identifiers are there if the peer offered to send them and the router to receive. Adj-RIB-Out is the other
/// direction. The OPENs of a Loc-RIB are made up by the router as if it sent to the station (RFC 9069 section 5.2); some put the same
/// one in twice, and then the offer to send is enough.</para>
/// <para>LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are never discarded as coming from an external peer: after policy, and in the Loc-RIB, they are the router's own.</para>
/// </remarks>
public sealed class BmpPeerCodec
{
    private const byte ExtendedNextHopCode = 5;
    private readonly BgpCodecOptions _in;
    private readonly BgpCodecOptions _out;
    private readonly BgpCodecOptions _locRib;
    private readonly bool? _fourOctet;

    private BmpPeerCodec(BmpPeerUp? up)
    {
        var common = new BgpCodecOptions { FourOctetAs = true, ExtendedMessage = true };
        if (up is null)
        {
            _in = _out = _locRib = common;
            return;
        }

        common = common with { ExtendedNextHop = OffersExtendedNextHop(up.Sent) && OffersExtendedNextHop(up.Received) };
        _fourOctet = up.Sent.FourOctetAs is not null && up.Received.FourOctetAs is not null;
        _in = WithAddPath(common, family => Offers(up.Received, family, AddPathMode.Send) && Offers(up.Sent, family, AddPathMode.Receive));
        _out = WithAddPath(common, family => Offers(up.Sent, family, AddPathMode.Send) && Offers(up.Received, family, AddPathMode.Receive));
        _locRib = WithAddPath(
            common, family => Offers(up.Sent, family, AddPathMode.Send) && (up.SameOpens || Offers(up.Received, family, AddPathMode.Receive)));
        RouterAs = up.Sent.AsNumber;
        PeerAs = up.Received.AsNumber;
    }

    /// <summary>For a peer whose Peer Up was not seen: no path identifiers, AS numbers as the A flag says.</summary>
    public static BmpPeerCodec Unknown { get; } = new(null);

    /// <summary>The router's AS as it told the peer (a local-as if one is configured), 0 if unknown.</summary>
    public uint RouterAs { get; }

    /// <summary>The peer's AS as it told the router, 0 if unknown.</summary>
    public uint PeerAs { get; }

    /// <summary>The session runs between two ASes.</summary>
    public bool IsExternal => RouterAs != PeerAs;

    /// <summary>Path identifiers are in use for some family of some table that is monitored as a rule: Adj-RIB-In, or the Loc-RIB of an instance.</summary>
    public bool AddPath(bool locRib) => (locRib ? _locRib : _in) is { AddPathIPv4: true } or { AddPathIPv6: true };

    /// <summary>The codec of a session.</summary>
    public static BmpPeerCodec From(BmpPeerUp up)
    {
        ArgumentNullException.ThrowIfNull(up);
        return new(up);
    }

    /// <summary>The options for the UPDATEs of one table, AS numbers as the A flag says (RFC 7854 section 4.2).</summary>
    public BgpCodecOptions OptionsFor(in BmpPeerHeader header) =>
        header.IsLocRib ? _locRib
        : (header.IsAdjRibOut ? _out : _in) with { FourOctetAs = !header.IsLegacyAsPath };

    /// <summary>
    /// The options for one UPDATE. If the A flag contradicts the OPENs, or those are not known, the AS_PATH itself is looked at: one that can
    /// only be read with the other size of AS numbers is read that way (<paramref name="corrected"/>). Senders that pass a 2-octet session's UPDATEs on
    /// without the flag exist.
    /// </summary>
    /// <param name="header">The message's per-peer header.</param>
    /// <param name="update">Body of the UPDATE, without its header.</param>
    /// <param name="corrected">The A flag was not followed.</param>
    public BgpCodecOptions OptionsFor(in BmpPeerHeader header, ReadOnlySpan<byte> update, out bool corrected)
    {
        BgpCodecOptions options = OptionsFor(header);
        corrected = options.FourOctetAs != _fourOctet
            && AsPathOctets.TryFind(update, out ReadOnlySpan<byte> path)
            && !AsPathOctets.IsWellFormed(path, options.FourOctetAs) && AsPathOctets.IsWellFormed(path, !options.FourOctetAs);
        return corrected ? options with { FourOctetAs = !options.FourOctetAs } : options;
    }

    private static bool Offers(OpenMessage open, IpFamily family, AddPathMode mode) => (open.AddPath(AfiSafi.Of(family)) & mode) != 0;

    private static BgpCodecOptions WithAddPath(BgpCodecOptions options, Func<IpFamily, bool> has) =>
        options with { AddPathIPv4 = has(IpFamily.IPv4), AddPathIPv6 = has(IpFamily.IPv6) };

    /// <summary>IPv4 unicast with IPv6 next hops (RFC 8950 section 4): entries of AFI, SAFI and next hop AFI, 2 octets each.</summary>
    private static bool OffersExtendedNextHop(OpenMessage open)
    {
        foreach (BgpCapability capability in open.Capabilities)
        {
            if (capability.Code == ExtendedNextHopCode)
            {
                var reader = new BgpReader(capability.Value);
                while (reader.TryReadUInt16(out ushort afi) && reader.TryReadUInt16(out ushort safi) && reader.TryReadUInt16(out ushort nextHopAfi))
                {
                    if (afi == (ushort)IpFamily.IPv4 && safi == AfiSafi.Unicast && nextHopAfi == (ushort)IpFamily.IPv6)
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }
}
