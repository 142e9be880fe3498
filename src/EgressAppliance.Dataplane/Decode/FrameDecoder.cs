using System.Buffers.Binary;
using EgressAppliance.Capture;

namespace EgressAppliance.Dataplane.Decode;

/// <summary>
/// Finds the IP header of a frame by which it is counted: the first one, by which the router chose the link, or one in a tunnel.
/// </summary>
/// <remarks>
/// A mirror port delivers Ethernet with any number of VLAN tags before IP; the kernel has stripped the outermost tag and tells it beside the frame.
/// That way is straight-line code. MPLS, PPPoE and SNAP lie behind one switch that ordinary traffic does not reach, and tunnels behind
/// <see cref="TunnelDecoder"/>, which is asked only where <see cref="Decapsulation"/> says so.
///
/// What is counted follows one rule: the whole IP header, options included, must be in the captured bytes and must not contradict itself.
/// How much was captured behind it, and whether the wire length agrees, does not matter: lengths are taken from
/// the header (padding and snapping make the frame's own length wrong), and fragments are packets like any other.
///
/// Nothing here allocates or throws, whatever the bytes are; each frame ends in one <see cref="DecodeStatus"/>. Work for a frame is bounded:
/// see <see cref="HeaderBudget"/>.
///
/// IEEE 802.1Q-2018 clause 9; RFC 791; RFC 8200 section 3; RFC 3032 section 2 (MPLS); RFC 2516 section 4 and RFC 1661
/// section 6.5 (PPPoE); RFC 1042 (SNAP); tcpdump.org/linktypes.html for the other link layers.
/// </remarks>
public static class FrameDecoder
{
    private const int EthernetHeaderBytes = 14;
    private const int VlanTagBytes = 4;

    private const ushort EtherTypeIPv4 = 0x0800;
    private const ushort EtherTypeIPv6 = 0x86DD;
    private const ushort EtherTypeVlan = 0x8100;
    private const ushort EtherTypeProviderVlan = 0x88A8;
    private const ushort EtherTypeOldProviderVlan = 0x9100;
    private const ushort EtherTypeMpls = 0x8847;
    private const ushort EtherTypeMplsMulticast = 0x8848;
    private const ushort EtherTypePppoeSession = 0x8864;

    /// <summary>Smaller values in the type field are lengths: 802.3 with LLC.</summary>
    private const ushort MinEtherType = 0x0600;

    private const ushort PppIPv4 = 0x0021;
    private const ushort PppIPv6 = 0x0057;
    private const ushort PppMpls = 0x0281;

    /// <summary>Decodes one frame to its first IP header.</summary>
    /// <param name="frame">Its captured bytes.</param>
    /// <param name="header">What the source knows of it.</param>
    /// <param name="fields">Filled as far as the decoder came; MAC and VLAN also for frames that are not IP.</param>
    public static DecodeStatus Decode(ReadOnlySpan<byte> frame, in FrameHeader header, out PacketFields fields)
    {
        fields = default;
        int uncaptured = header.WireLength - frame.Length;
        if (header.LinkLayer != LinkLayerType.Ethernet)
        {
            return DecodeOtherLinkLayer(frame, header.LinkLayer, uncaptured, ref fields);
        }

        if (header.HasVlan)
        {
            fields.Vlan = VlanId(header.VlanTci);
        }

        return DecodeEthernet(frame, uncaptured, ref fields);
    }

    /// <summary>Decodes one frame to its first IP header, or to one in the tunnels that are to be taken off.</summary>
    /// <param name="frame">Its captured bytes.</param>
    /// <param name="header">What the source knows of it.</param>
    /// <param name="decapsulation">Which tunnels, and how many of them.</param>
    /// <param name="fields">Filled as far as the decoder came; MAC and VLAN also for frames that are not IP.</param>
    public static DecodeStatus Decode(ReadOnlySpan<byte> frame, in FrameHeader header, Decapsulation decapsulation, out PacketFields fields)
    {
        if (decapsulation == Decapsulation.None)
        {
            return Decode(frame, header, out fields);
        }

        DecodeStatus status = Decode(frame, header, out fields);
        return status is DecodeStatus.IPv4 or DecodeStatus.IPv6
            ? TunnelDecoder.Decode(frame, decapsulation, status, ref fields)
            : status;
    }

    /// <summary>Decodes an Ethernet frame. A VLAN that is known from elsewhere stands in <see cref="PacketFields.Vlan"/> already.</summary>
    internal static DecodeStatus DecodeEthernet(ReadOnlySpan<byte> frame, int uncaptured, ref PacketFields fields)
    {
        if (frame.Length < EthernetHeaderBytes)
        {
            fields.DestinationMac = PacketFields.NoMac;
            return DecodeStatus.TruncatedEthernet;
        }

        fields.DestinationMac = BinaryPrimitives.ReadUInt64BigEndian(frame) >> 16;
        return DecodeProtocol(BinaryPrimitives.ReadUInt16BigEndian(frame[12..]), frame[EthernetHeaderBytes..], uncaptured, ref fields);
    }

    /// <summary>VLAN id of a tag, or 0.</summary>
    internal static ushort VlanId(ushort tci)
    {
        // 0 is a priority tag and 4095 is reserved: neither names a VLAN.
        int id = tci & 0x0FFF;
        return id == 0x0FFF ? (ushort)0 : (ushort)id;
    }

    private static DecodeStatus DecodeProtocol(ushort etherType, ReadOnlySpan<byte> payload, int uncaptured, ref PacketFields fields)
    {
        for (int tags = 1; etherType is EtherTypeVlan or EtherTypeProviderVlan or EtherTypeOldProviderVlan; tags++)
        {
            if (tags > HeaderBudget.MaxVlanTags)
            {
                return DecodeStatus.TooDeep;
            }

            if (payload.Length < VlanTagBytes)
            {
                return DecodeStatus.TruncatedVlan;
            }

            if (fields.Vlan == 0)
            {
                fields.Vlan = VlanId(BinaryPrimitives.ReadUInt16BigEndian(payload));
            }

            etherType = BinaryPrimitives.ReadUInt16BigEndian(payload[2..]);
            payload = payload[VlanTagBytes..];
        }

        return etherType switch
        {
            EtherTypeIPv4 => IpHeader.DecodeIPv4(payload, ref fields),
            EtherTypeIPv6 => IpHeader.DecodeIPv6(payload, uncaptured, ref fields),
            EtherTypeMpls or EtherTypeMplsMulticast => DecodeMpls(payload, uncaptured, ref fields),
            EtherTypePppoeSession => DecodePppoe(payload, uncaptured, ref fields),
            < MinEtherType => DecodeSnap(payload, uncaptured, ref fields),
            _ => DecodeStatus.NonIp,
        };
    }

    /// <summary>Decodes what begins with an MPLS label.</summary>
    internal static DecodeStatus DecodeMpls(ReadOnlySpan<byte> payload, int uncaptured, ref PacketFields fields)
    {
        bool bottom = false;
        for (int labels = 1; !bottom; labels++)
        {
            if (labels > HeaderBudget.MaxMplsLabels)
            {
                return DecodeStatus.TooDeep;
            }

            if (payload.Length < 4)
            {
                return DecodeStatus.TruncatedMpls;
            }

            bottom = (payload[2] & 1) != 0;
            payload = payload[4..];
        }

        // The label stack does not say what it carries. A first nibble of 4 or 6 is IP by convention (RFC 4928 section 3).
        return payload.IsEmpty ? DecodeStatus.TruncatedMpls : IpHeader.DecodeByVersion(payload, uncaptured, DecodeStatus.NonIp, ref fields);
    }

    private static DecodeStatus DecodePppoe(ReadOnlySpan<byte> payload, int uncaptured, ref PacketFields fields)
    {
        const int PppoeHeaderBytes = 6;
        if (payload.Length < PppoeHeaderBytes)
        {
            return DecodeStatus.TruncatedPpp;
        }

        return DecodePpp(payload[PppoeHeaderBytes..], uncaptured, ref fields);
    }

    /// <summary>Decodes a PPP frame, with or without the address and control octets of HDLC-like framing (RFC 1662 section 3.1).</summary>
    internal static DecodeStatus DecodeFramedPpp(ReadOnlySpan<byte> frame, int uncaptured, ref PacketFields fields) =>
        DecodePpp(frame.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x03]) ? frame[2..] : frame, uncaptured, ref fields);

    private static DecodeStatus DecodePpp(ReadOnlySpan<byte> payload, int uncaptured, ref PacketFields fields)
    {
        if (payload.IsEmpty)
        {
            return DecodeStatus.TruncatedPpp;
        }

        // Protocol numbers are odd in their last octet and even in their first, so an odd first octet is a compressed field.
        ushort protocol = payload[0];
        int protocolBytes = 1;
        if ((protocol & 1) == 0)
        {
            protocolBytes = 2;
            if (payload.Length < protocolBytes)
            {
                return DecodeStatus.TruncatedPpp;
            }

            protocol = BinaryPrimitives.ReadUInt16BigEndian(payload);
        }

        return protocol switch
        {
            PppIPv4 => IpHeader.DecodeIPv4(payload[protocolBytes..], ref fields),
            PppIPv6 => IpHeader.DecodeIPv6(payload[protocolBytes..], uncaptured, ref fields),
            PppMpls => DecodeMpls(payload[protocolBytes..], uncaptured, ref fields),
            _ => DecodeStatus.NonIp,
        };
    }

    private static DecodeStatus DecodeSnap(ReadOnlySpan<byte> payload, int uncaptured, ref PacketFields fields)
    {
        // LLC SAPs AA-AA, unnumbered information, OUI 00-00-00 (an EtherType follows).
        const int SnapHeaderBytes = 8;
        if (payload.Length < SnapHeaderBytes || BinaryPrimitives.ReadUInt32BigEndian(payload) != 0xAAAA0300
            || payload[4] != 0 || payload[5] != 0)
        {
            return DecodeStatus.NonIp;
        }

        return BinaryPrimitives.ReadUInt16BigEndian(payload[6..]) switch
        {
            EtherTypeIPv4 => IpHeader.DecodeIPv4(payload[SnapHeaderBytes..], ref fields),
            EtherTypeIPv6 => IpHeader.DecodeIPv6(payload[SnapHeaderBytes..], uncaptured, ref fields),
            _ => DecodeStatus.NonIp,
        };
    }

    private static DecodeStatus DecodeOtherLinkLayer(ReadOnlySpan<byte> frame, LinkLayerType linkLayer, int uncaptured, ref PacketFields fields)
    {
        const LinkLayerType PppHdlc = (LinkLayerType)50;
        const LinkLayerType DltRaw = (LinkLayerType)12;
        const LinkLayerType DltRawOpenBsd = (LinkLayerType)14;
        const LinkLayerType OpenBsdLoopback = (LinkLayerType)108;
        const int NullHeaderBytes = 4;
        const int SllHeaderBytes = 16;
        const int Sll2HeaderBytes = 20;

        fields.DestinationMac = PacketFields.NoMac;
        switch (linkLayer)
        {
            case LinkLayerType.RawIp or DltRaw or DltRawOpenBsd:
                return frame.IsEmpty ? DecodeStatus.TruncatedLinkHeader : IpHeader.DecodeByVersion(frame, uncaptured, DecodeStatus.BadIpVersion, ref fields);
            case LinkLayerType.RawIPv4:
                return IpHeader.DecodeIPv4(frame, ref fields);
            case LinkLayerType.RawIPv6:
                return IpHeader.DecodeIPv6(frame, uncaptured, ref fields);
            case LinkLayerType.LinuxSll:
                return frame.Length < SllHeaderBytes
                    ? DecodeStatus.TruncatedLinkHeader
                    : DecodeCooked(BinaryPrimitives.ReadUInt16BigEndian(frame[14..]), frame[SllHeaderBytes..], uncaptured, ref fields);
            case LinkLayerType.LinuxSll2:
                return frame.Length < Sll2HeaderBytes
                    ? DecodeStatus.TruncatedLinkHeader
                    : DecodeCooked(BinaryPrimitives.ReadUInt16BigEndian(frame), frame[Sll2HeaderBytes..], uncaptured, ref fields);
            case LinkLayerType.Null or OpenBsdLoopback:
                return frame.Length < NullHeaderBytes
                    ? DecodeStatus.TruncatedLinkHeader
                    : DecodeNull(BinaryPrimitives.ReadUInt32LittleEndian(frame), frame[NullHeaderBytes..], uncaptured, ref fields);
            case LinkLayerType.Ppp or PppHdlc:
                return DecodeFramedPpp(frame, uncaptured, ref fields);
            default:
                return DecodeStatus.UnsupportedLinkLayer;
        }
    }

    /// <summary>In cooked captures small protocol values are not lengths but Linux's own numbers (802.2, CAN, ...): never IP.</summary>
    private static DecodeStatus DecodeCooked(ushort protocol, ReadOnlySpan<byte> payload, int uncaptured, ref PacketFields fields) =>
        protocol < MinEtherType ? DecodeStatus.NonIp : DecodeProtocol(protocol, payload, uncaptured, ref fields);

    private static DecodeStatus DecodeNull(uint family, ReadOnlySpan<byte> payload, int uncaptured, ref PacketFields fields)
    {
        // The family is in the byte order, and the IPv6 number in the numbering, of the machine that captured.
        family = family > ushort.MaxValue ? BinaryPrimitives.ReverseEndianness(family) : family;

        // Some machines write an EtherType into the last two octets. No family has so great a number.
        ushort low = (ushort)family;
        if (low >= MinEtherType)
        {
            return DecodeProtocol(low, payload, uncaptured, ref fields);
        }

        return family switch
        {
            2 => IpHeader.DecodeIPv4(payload, ref fields),
            10 or 24 or 28 or 30 => IpHeader.DecodeIPv6(payload, uncaptured, ref fields),
            _ => DecodeStatus.NonIp,
        };
    }
}
