namespace EgressAppliance.Bgp.Wire;

/// <summary>ROUTE-REFRESH (RFC 2918). The octet between AFI and SAFI is the subtype of RFC 7313, 0 without that capability.</summary>
/// <param name="Family">The family to be sent again.</param>
/// <param name="Subtype">0 request, 1 beginning, 2 end of a refresh; 255 reserved.</param>
public sealed record RouteRefreshMessage(AfiSafi Family, byte Subtype = 0)
{
    /// <summary>Reads the body. Octets after the first four (outbound route filters, RFC 5291, never negotiated) are ignored.</summary>
    public static BgpError? Decode(ReadOnlySpan<byte> body, out RouteRefreshMessage? message)
    {
        var reader = new BgpReader(body);
        message = null;
        if (!reader.TryReadUInt16(out ushort afi) || !reader.TryReadByte(out byte subtype) || !reader.TryReadByte(out byte safi))
        {
            return BgpError.Reset(BgpErrorCode.Header, HeaderSubcode.BadLength, "ROUTE-REFRESH shorter than its fields");
        }

        message = new(new AfiSafi(afi, safi), subtype);
        return null;
    }

    /// <summary>Writes the whole message.</summary>
    public void Encode(ref BgpWriter writer)
    {
        int start = writer.BeginMessage(BgpMessageType.RouteRefresh);
        writer.WriteUInt16(Family.Afi);
        writer.WriteByte(Subtype);
        writer.WriteByte(Family.Safi);
        writer.EndMessage(start);
    }
}

/// <summary>KEEPALIVE: a header and nothing else.</summary>
public static class KeepaliveMessage
{
    /// <summary>Writes the whole message.</summary>
    public static void Encode(ref BgpWriter writer) => writer.EndMessage(writer.BeginMessage(BgpMessageType.Keepalive));
}
