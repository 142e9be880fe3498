using System.Text;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>A TLV of Initiation, Termination, Peer Up, Peer Down or Route Mirroring (RFC 7854 section 4.4).</summary>
/// <param name="Type">Type code; its meaning depends on the message.</param>
/// <param name="Value">Value.</param>
public sealed record BmpTlv(ushort Type, ReadOnlyMemory<byte> Value)
{
    /// <summary>Initiation, Termination, Peer Up: free text.</summary>
    public const ushort FreeText = 0;

    /// <summary>Initiation: the router's sysDescr.</summary>
    public const ushort SysDescr = 1;

    /// <summary>Initiation: the router's sysName.</summary>
    public const ushort SysName = 2;

    /// <summary>Termination: a <see cref="BmpTerminationReason"/>.</summary>
    public const ushort TerminationReason = 1;

    /// <summary>Peer Up, Peer Down: name of the VRF or table (RFC 9069 section 5.2.1).</summary>
    public const ushort TableName = 3;

    /// <summary>Peer Up: a label that the operator gave (RFC 9736).</summary>
    public const ushort AdminLabel = 4;

    /// <summary>Route Mirroring: a BGP message.</summary>
    public const ushort MirroredMessage = 0;

    /// <summary>Route Mirroring: a code, 0 = the message is malformed, 1 = messages were lost.</summary>
    public const ushort MirroringInformation = 1;

    private const int LongestText = 1024;

    /// <summary>The value as text, control characters replaced and cut after 1024 octets: it comes from the network and ends up in logs and terminals.</summary>
    public string Text => string.Concat(
        Encoding.UTF8.GetString(Value.Span[..Math.Min(Value.Length, LongestText)]).Select(c => char.IsControl(c) ? '?' : c));

    /// <summary>Reads TLVs to the end. Returns the error, or null.</summary>
    public static BmpError? ReadAll(ref BgpReader reader, List<BmpTlv> into)
    {
        ArgumentNullException.ThrowIfNull(into);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadUInt16(out ushort type) || !reader.TryReadUInt16(out ushort length)
                || !reader.TryReadSpan(length, out ReadOnlySpan<byte> value))
            {
                return new(BmpErrorKind.Tlv, "a TLV is longer than what is left of the message");
            }

            into.Add(new(type, value.ToArray()));
        }

        return null;
    }

    /// <summary>The text of the first TLV of a type, or null.</summary>
    public static string? Find(IReadOnlyList<BmpTlv> tlvs, ushort type)
    {
        ArgumentNullException.ThrowIfNull(tlvs);
        foreach (BmpTlv tlv in tlvs)
        {
            if (tlv.Type == type)
            {
                return tlv.Text;
            }
        }

        return null;
    }
}
