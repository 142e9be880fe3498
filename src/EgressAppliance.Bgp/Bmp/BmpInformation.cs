using System.Buffers.Binary;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>Initiation (RFC 7854 section 4.3): who the router is.</summary>
public sealed class BmpInitiation
{
    /// <summary>All TLVs.</summary>
    public required IReadOnlyList<BmpTlv> Tlvs { get; init; }

    /// <summary>The router's name, or null.</summary>
    public string? SysName => BmpTlv.Find(Tlvs, BmpTlv.SysName);

    /// <summary>The router's hardware and software in words, or null.</summary>
    public string? SysDescr => BmpTlv.Find(Tlvs, BmpTlv.SysDescr);

    /// <summary>Reads what follows the common header. Returns the error, or null with <paramref name="message"/> set.</summary>
    public static BmpError? Decode(ReadOnlySpan<byte> body, out BmpInitiation? message)
    {
        var tlvs = new List<BmpTlv>();
        var reader = new BgpReader(body);
        BmpError? error = BmpTlv.ReadAll(ref reader, tlvs);
        message = error is null ? new() { Tlvs = tlvs } : null;
        return error;
    }
}

/// <summary>Termination (RFC 7854 section 4.5): why the router closes the connection.</summary>
public sealed class BmpTermination
{
    /// <summary>All TLVs.</summary>
    public required IReadOnlyList<BmpTlv> Tlvs { get; init; }

    /// <summary>The reason, or null if the router gives none.</summary>
    public BmpTerminationReason? Reason { get; private init; }

    /// <summary>The reason and the router's own text.</summary>
    public override string ToString()
    {
        string reason = Reason is { } known ? BmpNames.Of(known) : "no reason given";
        return BmpTlv.Find(Tlvs, BmpTlv.FreeText) is { Length: > 0 } text ? $"{reason}: {text}" : reason;
    }

    /// <summary>Reads what follows the common header. Returns the error, or null with <paramref name="message"/> set.</summary>
    public static BmpError? Decode(ReadOnlySpan<byte> body, out BmpTermination? message)
    {
        message = null;
        var tlvs = new List<BmpTlv>();
        var reader = new BgpReader(body);
        if (BmpTlv.ReadAll(ref reader, tlvs) is { } error)
        {
            return error;
        }

        BmpTerminationReason? reason = null;
        foreach (BmpTlv tlv in tlvs)
        {
            if (tlv.Type == BmpTlv.TerminationReason)
            {
                if (tlv.Value.Length != 2)
                {
                    return new(BmpErrorKind.Tlv, $"the reason of a Termination has {tlv.Value.Length} octets");
                }

                reason = (BmpTerminationReason)BinaryPrimitives.ReadUInt16BigEndian(tlv.Value.Span);
            }
        }

        message = new() { Tlvs = tlvs, Reason = reason };
        return null;
    }
}

/// <summary>Route Mirroring (RFC 7854 section 4.7): BGP messages of the session as they were.</summary>
public sealed class BmpRouteMirroring
{
    private const ushort ErroredPdu = 0;
    private const ushort Lost = 1;

    /// <summary>All TLVs, in order: information stands before the message it is about.</summary>
    public required IReadOnlyList<BmpTlv> Tlvs { get; init; }

    /// <summary>BGP messages in it.</summary>
    public int Messages { get; private init; }

    /// <summary>A message that follows was found malformed by the router.</summary>
    public bool MalformedMessage { get; private init; }

    /// <summary>The router could not mirror all messages.</summary>
    public bool MessagesLost { get; private init; }

    /// <summary>Reads what follows the per-peer header. Returns the error, or null with <paramref name="message"/> set.</summary>
    public static BmpError? Decode(ReadOnlySpan<byte> body, out BmpRouteMirroring? message)
    {
        message = null;
        var tlvs = new List<BmpTlv>();
        var reader = new BgpReader(body);
        if (BmpTlv.ReadAll(ref reader, tlvs) is { } error)
        {
            return error;
        }

        int messages = 0;
        bool malformed = false;
        bool lost = false;
        foreach (BmpTlv tlv in tlvs)
        {
            messages += tlv.Type == BmpTlv.MirroredMessage ? 1 : 0;
            if (tlv.Type == BmpTlv.MirroringInformation)
            {
                if (tlv.Value.Length != 2)
                {
                    return new(BmpErrorKind.Tlv, $"the information of a Route Mirroring message has {tlv.Value.Length} octets");
                }

                ushort code = BinaryPrimitives.ReadUInt16BigEndian(tlv.Value.Span);
                malformed |= code == ErroredPdu;
                lost |= code == Lost;
            }
        }

        message = new() { Tlvs = tlvs, Messages = messages, MalformedMessage = malformed, MessagesLost = lost };
        return null;
    }
}
