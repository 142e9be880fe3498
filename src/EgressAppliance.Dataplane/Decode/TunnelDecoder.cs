namespace EgressAppliance.Dataplane.Decode;

/// <summary>
/// Follows tunnels from the first IP header of a frame: into one named tunnel, or through all of them to the innermost IP header.
/// </summary>
/// <remarks>
/// One round of the loop is one tunnel: behind the IP header and its extensions stands the tunnel's header, and behind that a frame or a
/// packet, which is decoded by the same code as the frame itself. There is no recursion, and the rounds are bounded.
///
/// Nothing is put together again: a fragment ends the way, but for the first, which carries the headers.
/// </remarks>
internal static class TunnelDecoder
{
    /// <summary>Goes on behind the first IP header.</summary>
    /// <param name="frame">The frame's captured bytes.</param>
    /// <param name="decapsulation">Which tunnels, and how many of them.</param>
    /// <param name="status">Family of the first IP header.</param>
    /// <param name="fields">On entry those of the first IP header, on return those of the one that counts.</param>
    public static DecodeStatus Decode(ReadOnlySpan<byte> frame, Decapsulation decapsulation, DecodeStatus status, ref PacketFields fields)
    {
        HeaderBudget budget = default;
        return (decapsulation & Decapsulation.Innermost) != 0
            ? DecodeInnermost(frame, status, ref budget, ref fields)
            : DecodeOne(frame, decapsulation, status, ref budget, ref fields);
    }

    private static DecodeStatus DecodeInnermost(ReadOnlySpan<byte> packet, DecodeStatus status, ref HeaderBudget budget, ref PacketFields fields)
    {
        for (int tunnels = 0; tunnels <= HeaderBudget.MaxTunnels; tunnels++)
        {
            packet = packet[^fields.CapturedIpBytes..];
            ReadOnlySpan<byte> whole = TrimToLength(packet, fields, out int uncaptured);
            IpPayloadStatus payloadStatus = IpPayload.Find(whole, status == DecodeStatus.IPv6, ref budget, out byte protocol, out ReadOnlySpan<byte> payload);
            if (payloadStatus != IpPayloadStatus.Found)
            {
                return payloadStatus == IpPayloadStatus.TooDeep ? DecodeStatus.TooDeep : status;
            }

            TunnelStatus tunnelStatus = TunnelHeader.TryRead(protocol, payload, ref budget, out TunnelHeader tunnel);
            if (tunnelStatus != TunnelStatus.Found)
            {
                return tunnelStatus == TunnelStatus.TooDeep ? DecodeStatus.TooDeep : status;
            }

            // A packet without a frame of its own belongs to the frame around the tunnel.
            PacketFields inner = new() { DestinationMac = fields.DestinationMac, Vlan = fields.Vlan };
            DecodeStatus innerStatus = DecodeContent(tunnel, uncaptured, ref inner);
            if (innerStatus is not (DecodeStatus.IPv4 or DecodeStatus.IPv6))
            {
                return innerStatus == DecodeStatus.TooDeep ? innerStatus : status;
            }

            packet = tunnel.Payload;
            status = innerStatus;
            fields = inner;
        }

        return DecodeStatus.TooDeep;
    }

    private static DecodeStatus DecodeOne(
        ReadOnlySpan<byte> frame, Decapsulation named, DecodeStatus status, ref HeaderBudget budget, ref PacketFields fields)
    {
        ReadOnlySpan<byte> packet = TrimToLength(frame[^fields.CapturedIpBytes..], fields, out int uncaptured);
        switch (IpPayload.Find(packet, status == DecodeStatus.IPv6, ref budget, out byte protocol, out ReadOnlySpan<byte> payload))
        {
            case IpPayloadStatus.TooDeep:
                return DecodeStatus.TooDeep;
            case IpPayloadStatus.Truncated:
                return status;
            case IpPayloadStatus.LaterFragment:
                return IsFragmentOf(named, protocol) ? WithoutFrame(DecodeStatus.TunnelFragment, ref fields) : status;
            default:
                break;
        }

        TunnelStatus tunnelStatus = TunnelHeader.TryRead(protocol, payload, ref budget, out TunnelHeader tunnel);
        if (tunnelStatus == TunnelStatus.None || (tunnel.Kind & named) == 0)
        {
            return status;
        }

        fields = new PacketFields { DestinationMac = PacketFields.NoMac };
        return tunnelStatus switch
        {
            TunnelStatus.Found => DecodeContent(tunnel, uncaptured, ref fields),
            TunnelStatus.Truncated => DecodeStatus.TruncatedTunnel,
            TunnelStatus.Bad => DecodeStatus.BadTunnelHeader,
            _ => DecodeStatus.TooDeep,
        };
    }

    /// <summary>
    /// Whether a later fragment is one of the tunnel's. It has no port numbers, so UDP may be anything, and is left alone: VXLAN packets must
    /// not be fragmented anyway (RFC 7348 section 4.3).
    /// </summary>
    private static bool IsFragmentOf(Decapsulation named, byte protocol) =>
        (TunnelHeader.KindOf(protocol) & named & ~Decapsulation.Vxlan) != 0;

    private static DecodeStatus WithoutFrame(DecodeStatus status, ref PacketFields fields)
    {
        fields = new PacketFields { DestinationMac = PacketFields.NoMac };
        return status;
    }

    private static DecodeStatus DecodeContent(in TunnelHeader tunnel, int uncaptured, ref PacketFields fields)
    {
        ReadOnlySpan<byte> payload = tunnel.Payload;
        switch (tunnel.Content)
        {
            case TunnelContent.IPv4:
                return IpHeader.DecodeIPv4(payload, ref fields);
            case TunnelContent.IPv6:
                return IpHeader.DecodeIPv6(payload, uncaptured, ref fields);
            case TunnelContent.Ip:
                return payload.IsEmpty ? DecodeStatus.TruncatedTunnel : IpHeader.DecodeByVersion(payload, uncaptured, DecodeStatus.BadIpVersion, ref fields);
            case TunnelContent.Ethernet:
                fields.Vlan = FrameDecoder.VlanId(tunnel.VlanTci);
                return FrameDecoder.DecodeEthernet(payload, uncaptured, ref fields);
            case TunnelContent.Ppp:
                return FrameDecoder.DecodeFramedPpp(payload, uncaptured, ref fields);
            case TunnelContent.Mpls:
                return FrameDecoder.DecodeMpls(payload, uncaptured, ref fields);
            default:
                return DecodeStatus.NonIp;
        }
    }

    /// <summary>Cuts off what lies behind the packet, which is padding, and tells how much of the packet itself was not captured.</summary>
    private static ReadOnlySpan<byte> TrimToLength(ReadOnlySpan<byte> packet, scoped in PacketFields fields, out int uncaptured)
    {
        int length = (int)fields.IpBytes;
        uncaptured = Math.Max(0, length - packet.Length);
        return packet[..Math.Min(packet.Length, length)];
    }
}
