using System.Buffers.Binary;
using EgressAppliance.Capture;

namespace EgressAppliance.Dataplane.Decode;

/// <summary>
/// Finds the outer IP header of a frame: the first one, by which the router chose the link.
/// </summary>
/// <remarks>
/// A mirror port delivers Ethernet with any number of VLAN tags before IP; the kernel has stripped the outermost tag and tells it beside the frame.
/// That way is straight-line code. MPLS, PPPoE and SNAP lie behind one switch that ordinary traffic does not reach.
///
/// What is counted follows one rule: the whole IP header, options included, must be in the captured bytes and must not contradict itself.
/// How much was captured behind it, and whether the wire length agrees, does not matter: lengths are taken from
/// the header (padding and snapping make the frame's own length wrong), and fragments are packets like any other.
///
/// Nothing here allocates or throws, whatever the bytes are; each frame ends in one <see cref="DecodeStatus"/>.
///
/// IEEE 802.1Q-2018 clause 9; RFC 791; RFC 8200 section 3; RFC 3032 section 2 (MPLS); RFC 2516 section 4 and RFC 1661
/// section 6.5 (PPPoE); RFC 1042 (SNAP); tcpdump.org/linktypes.html for the other link layers.
/// </remarks>
public static class FrameDecoder
{
    private const int EthernetHeaderBytes = 14;
    private const int VlanTagBytes = 4;
    private const int MinIPv4HeaderBytes = 20;
    private const int IPv6HeaderBytes = 40;

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

    /// <summary>Decodes one frame.</summary>
    /// <param name="frame">Its captured bytes.</param>
    /// <param name="header">What the source knows of it.</param>
    /// <param name="fields">Filled as far as the decoder came; MAC and VLAN also for frames that are not IP.</param>
    public static DecodeStatus Decode(ReadOnlySpan<byte> frame, in FrameHeader header, out PacketFields fields)
    {
        fields = default;
        if (header.LinkLayer != LinkLayerType.Ethernet)
        {
            return DecodeOtherLinkLayer(frame, header.LinkLayer, ref fields);
        }

        if (frame.Length < EthernetHeaderBytes)
        {
            fields.DestinationMac = PacketFields.NoMac;
            return DecodeStatus.TruncatedEthernet;
        }

        fields.DestinationMac = BinaryPrimitives.ReadUInt64BigEndian(frame) >> 16;
        if (header.HasVlan)
        {
            fields.Vlan = VlanId(header.VlanTci);
        }

        return DecodeProtocol(BinaryPrimitives.ReadUInt16BigEndian(frame[12..]), frame[EthernetHeaderBytes..], ref fields);
    }

    /// <summary>The VLAN that a tag names, or 0.</summary>
    internal static ushort VlanId(ushort tci)
    {
        // 0 is a priority tag and 4095 is reserved: neither names a VLAN.
        int id = tci & 0x0FFF;
        return id == 0x0FFF ? (ushort)0 : (ushort)id;
    }

    private static DecodeStatus DecodeProtocol(ushort etherType, ReadOnlySpan<byte> payload, ref PacketFields fields)
    {
        while (etherType is EtherTypeVlan or EtherTypeProviderVlan or EtherTypeOldProviderVlan)
        {
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
            EtherTypeIPv4 => DecodeIPv4(payload, ref fields),
            EtherTypeIPv6 => DecodeIPv6(payload, ref fields),
            EtherTypeMpls or EtherTypeMplsMulticast => DecodeMpls(payload, ref fields),
            EtherTypePppoeSession => DecodePppoe(payload, ref fields),
            < MinEtherType => DecodeSnap(payload, ref fields),
            _ => DecodeStatus.NonIp,
        };
    }

    private static DecodeStatus DecodeIPv4(ReadOnlySpan<byte> packet, ref PacketFields fields)
    {
        if (packet.Length < MinIPv4HeaderBytes)
        {
            return DecodeStatus.TruncatedIpv4;
        }

        int first = packet[0];
        if (first >> 4 != 4)
        {
            return DecodeStatus.BadIpv4Version;
        }

        int headerBytes = (first & 0xF) * 4;
        if (headerBytes < MinIPv4HeaderBytes)
        {
            return DecodeStatus.BadIpv4HeaderLength;
        }

        int totalLength = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (totalLength < headerBytes)
        {
            return totalLength == 0 ? DecodeStatus.Ipv4TotalLengthZero : DecodeStatus.BadIpv4TotalLength;
        }

        if (packet.Length < headerBytes)
        {
            return DecodeStatus.TruncatedIpv4;
        }

        fields.IpBytes = (uint)totalLength;
        fields.DestinationIPv4 = BinaryPrimitives.ReadUInt32BigEndian(packet[16..]);
        return DecodeStatus.IPv4;
    }

    private static DecodeStatus DecodeIPv6(ReadOnlySpan<byte> packet, ref PacketFields fields)
    {
        if (packet.Length < IPv6HeaderBytes)
        {
            return DecodeStatus.TruncatedIpv6;
        }

        if (packet[0] >> 4 != 6)
        {
            return DecodeStatus.BadIpv6Version;
        }

        fields.IpBytes = IPv6HeaderBytes + (uint)BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        fields.DestinationHigh = BinaryPrimitives.ReadUInt64BigEndian(packet[24..]);
        fields.DestinationLow = BinaryPrimitives.ReadUInt64BigEndian(packet[32..]);
        return DecodeStatus.IPv6;
    }

    private static DecodeStatus DecodeByVersion(ReadOnlySpan<byte> packet, DecodeStatus otherwise, ref PacketFields fields) =>
        (packet[0] >> 4) switch
        {
            4 => DecodeIPv4(packet, ref fields),
            6 => DecodeIPv6(packet, ref fields),
            _ => otherwise,
        };

    private static DecodeStatus DecodeMpls(ReadOnlySpan<byte> payload, ref PacketFields fields)
    {
        bool bottom = false;
        while (!bottom)
        {
            if (payload.Length < 4)
            {
                return DecodeStatus.TruncatedMpls;
            }

            bottom = (payload[2] & 1) != 0;
            payload = payload[4..];
        }

        // The label stack does not say what it carries. A first nibble of 4 or 6 is IP by convention (RFC 4928 section 3).
        return payload.IsEmpty ? DecodeStatus.TruncatedMpls : DecodeByVersion(payload, DecodeStatus.NonIp, ref fields);
    }

    private static DecodeStatus DecodePppoe(ReadOnlySpan<byte> payload, ref PacketFields fields)
    {
        const int PppoeHeaderBytes = 6;
        if (payload.Length < PppoeHeaderBytes)
        {
            return DecodeStatus.TruncatedPpp;
        }

        return DecodePpp(payload[PppoeHeaderBytes..], ref fields);
    }

    private static DecodeStatus DecodePpp(ReadOnlySpan<byte> payload, ref PacketFields fields)
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
            PppIPv4 => DecodeIPv4(payload[protocolBytes..], ref fields),
            PppIPv6 => DecodeIPv6(payload[protocolBytes..], ref fields),
            PppMpls => DecodeMpls(payload[protocolBytes..], ref fields),
            _ => DecodeStatus.NonIp,
        };
    }

    private static DecodeStatus DecodeSnap(ReadOnlySpan<byte> payload, ref PacketFields fields)
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
            EtherTypeIPv4 => DecodeIPv4(payload[SnapHeaderBytes..], ref fields),
            EtherTypeIPv6 => DecodeIPv6(payload[SnapHeaderBytes..], ref fields),
            _ => DecodeStatus.NonIp,
        };
    }

    private static DecodeStatus DecodeOtherLinkLayer(ReadOnlySpan<byte> frame, LinkLayerType linkLayer, ref PacketFields fields)
    {
        const LinkLayerType Ppp = (LinkLayerType)9;
        const LinkLayerType PppHdlc = (LinkLayerType)50;
        const LinkLayerType DltRaw = (LinkLayerType)12;
        const LinkLayerType DltRawOpenBsd = (LinkLayerType)14;
        const LinkLayerType OpenBsdLoopback = (LinkLayerType)108;
        const LinkLayerType RawIPv4 = (LinkLayerType)228;
        const LinkLayerType RawIPv6 = (LinkLayerType)229;
        const int NullHeaderBytes = 4;
        const int SllHeaderBytes = 16;
        const int Sll2HeaderBytes = 20;

        fields.DestinationMac = PacketFields.NoMac;
        switch (linkLayer)
        {
            case LinkLayerType.RawIp or DltRaw or DltRawOpenBsd:
                return frame.IsEmpty ? DecodeStatus.TruncatedLinkHeader : DecodeByVersion(frame, DecodeStatus.BadIpVersion, ref fields);
            case RawIPv4:
                return DecodeIPv4(frame, ref fields);
            case RawIPv6:
                return DecodeIPv6(frame, ref fields);
            case LinkLayerType.LinuxSll:
                return frame.Length < SllHeaderBytes
                    ? DecodeStatus.TruncatedLinkHeader
                    : DecodeCooked(BinaryPrimitives.ReadUInt16BigEndian(frame[14..]), frame[SllHeaderBytes..], ref fields);
            case LinkLayerType.LinuxSll2:
                return frame.Length < Sll2HeaderBytes
                    ? DecodeStatus.TruncatedLinkHeader
                    : DecodeCooked(BinaryPrimitives.ReadUInt16BigEndian(frame), frame[Sll2HeaderBytes..], ref fields);
            case LinkLayerType.Null or OpenBsdLoopback:
                return frame.Length < NullHeaderBytes
                    ? DecodeStatus.TruncatedLinkHeader
                    : DecodeNull(BinaryPrimitives.ReadUInt32LittleEndian(frame), frame[NullHeaderBytes..], ref fields);
            case Ppp or PppHdlc:
                // Address and control octets of HDLC-like framing (RFC 1662 section 3.1), which may have been left out.
                return DecodePpp(frame.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x03]) ? frame[2..] : frame, ref fields);
            default:
                return DecodeStatus.UnsupportedLinkLayer;
        }
    }

    /// <summary>In cooked captures small protocol values are not lengths but Linux's own numbers (802.2, CAN, ...): never IP.</summary>
    private static DecodeStatus DecodeCooked(ushort protocol, ReadOnlySpan<byte> payload, ref PacketFields fields) =>
        protocol < MinEtherType ? DecodeStatus.NonIp : DecodeProtocol(protocol, payload, ref fields);

    private static DecodeStatus DecodeNull(uint family, ReadOnlySpan<byte> payload, ref PacketFields fields)
    {
        // The family is in the byte order, and the IPv6 number in the numbering, of the machine that captured.
        family = family > ushort.MaxValue ? BinaryPrimitives.ReverseEndianness(family) : family;
        return family switch
        {
            2 => DecodeIPv4(payload, ref fields),
            10 or 24 or 28 or 30 => DecodeIPv6(payload, ref fields),
            _ => DecodeStatus.NonIp,
        };
    }
}
