using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// Peer Up (RFC 7854 section 4.10, RFC 9069 section 5.2): a session of the router came up, with both OPENs, which say how its UPDATEs are to be read.
/// </summary>
public sealed class BmpPeerUp
{
    /// <summary>The router's address of the session; 0.0.0.0 for a Loc-RIB.</summary>
    public IpAddr LocalAddress { get; private init; }

    /// <summary>The router's TCP port.</summary>
    public ushort LocalPort { get; private init; }

    /// <summary>The peer's TCP port.</summary>
    public ushort RemotePort { get; private init; }

    /// <summary>The OPEN that the router sent.</summary>
    public required OpenMessage Sent { get; init; }

    /// <summary>The OPEN that the router received.</summary>
    public required OpenMessage Received { get; init; }

    /// <summary>Information TLVs.</summary>
    public required IReadOnlyList<BmpTlv> Tlvs { get; init; }

    /// <summary>The two OPENs are the same, as in Peer Ups that a router makes up for its Loc-RIB.</summary>
    public bool SameOpens { get; private init; }

    /// <summary>Octets of addresses, ports and OPENs: what makes two Peer Ups be about the same session.</summary>
    internal int SessionLength { get; private init; }

    /// <summary>Name of the VRF or table (RFC 9069), or null.</summary>
    public string? TableName => BmpTlv.Find(Tlvs, BmpTlv.TableName);

    /// <summary>Reads what follows the per-peer header. Returns the error, or null with <paramref name="message"/> set.</summary>
    public static BmpError? Decode(in BmpPeerHeader peer, ReadOnlySpan<byte> body, out BmpPeerUp? message)
    {
        message = null;
        var reader = new BgpReader(body);
        if (!reader.TryReadSpan(16, out ReadOnlySpan<byte> address) || !reader.TryReadUInt16(out ushort localPort)
            || !reader.TryReadUInt16(out ushort remotePort))
        {
            return new(BmpErrorKind.Truncated, "a Peer Up ends before its OPENs");
        }

        int sentStart = reader.Position;
        if (ReadOpen(ref reader, "sent", out OpenMessage? sent) is { } sentError)
        {
            return sentError;
        }

        int receivedStart = reader.Position;
        if (ReadOpen(ref reader, "received", out OpenMessage? received) is { } receivedError)
        {
            return receivedError;
        }

        int end = reader.Position;
        var tlvs = new List<BmpTlv>();
        if (BmpTlv.ReadAll(ref reader, tlvs) is { } error)
        {
            return error;
        }

        message = new()
        {
            LocalAddress = IpAddr.FromBytes(peer.IsIPv6 ? address : address[12..]),
            LocalPort = localPort,
            RemotePort = remotePort,
            Sent = sent!,
            Received = received!,
            Tlvs = tlvs,
            SameOpens = body[sentStart..receivedStart].SequenceEqual(body[receivedStart..end]),
            SessionLength = end,
        };
        return null;
    }

    private static BmpError? ReadOpen(ref BgpReader reader, string which, out OpenMessage? open)
    {
        open = null;
        var options = new BgpCodecOptions { ExtendedMessage = true };
        if (!BgpFramer.TryReadHeader(reader.Rest, options, out BgpMessageType type, out int length, out BgpError? header))
        {
            return new(BmpErrorKind.Truncated, $"a Peer Up ends within the {which} OPEN");
        }

        if (header is not null || type != BgpMessageType.Open)
        {
            return new(BmpErrorKind.BgpHeader, $"the {which} OPEN of a Peer Up: {header?.Text ?? $"a message of type {(byte)type} stands there"}");
        }

        _ = reader.TryReadSpan(length, out ReadOnlySpan<byte> message);

        // The router accepted values that we would not (or made them up, for a Loc-RIB): all that matters here is that the capabilities can be read.
        BgpError? error = OpenMessage.Decode(message[BgpConstants.HeaderLength..], out open);
        return open is null ? new(BmpErrorKind.Open, $"the {which} OPEN of a Peer Up: {error?.Text}") : null;
    }
}
