using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace EgressAppliance.Bgp.Wire;

/// <summary>NOTIFICATION (RFC 4271 section 4.5).</summary>
/// <param name="Code">Error code.</param>
/// <param name="Subcode">Error subcode.</param>
/// <param name="Data">Data, its meaning depends on code and subcode.</param>
public sealed record NotificationMessage(byte Code, byte Subcode, ReadOnlyMemory<byte> Data = default)
{
    /// <summary>A Cease.</summary>
    public static NotificationMessage Cease(byte subcode) => new(BgpErrorCode.Cease, subcode);

    /// <summary>
    /// Cease for an administrative shutdown, or reset, with a shutdown communication (RFC 9003): at most 255 octets of UTF-8, cut at a character
    /// if the text is longer.
    /// </summary>
    public static NotificationMessage Shutdown(string text, byte subcode = CeaseSubcode.Shutdown)
    {
        ArgumentNullException.ThrowIfNull(text);
        byte[] data = new byte[256];
        Encoder encoder = Encoding.UTF8.GetEncoder();
        encoder.Convert(text, data.AsSpan(1), flush: true, out _, out int used, out _);
        data[0] = (byte)used;
        return new(BgpErrorCode.Cease, subcode, data.AsMemory(0, used + 1));
    }

    /// <summary>Cease because of too many prefixes, with the family and the upper bound (RFC 4486 section 4).</summary>
    public static NotificationMessage MaxPrefix(AfiSafi family, uint limit)
    {
        byte[] data = new byte[7];
        BinaryPrimitives.WriteUInt16BigEndian(data, family.Afi);
        data[2] = family.Safi;
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(3), limit);
        return new(BgpErrorCode.Cease, CeaseSubcode.MaxPrefix, data);
    }

    /// <summary>Reads the body, 2 octets or more (the framer has seen to that; less gives code 0).</summary>
    public static NotificationMessage Decode(ReadOnlySpan<byte> body)
    {
        var reader = new BgpReader(body);
        _ = reader.TryReadByte(out byte code);
        _ = reader.TryReadByte(out byte subcode);
        return new(code, subcode, reader.Rest.ToArray());
    }

    /// <summary>Writes the whole message. Data that does not fit is cut: a NOTIFICATION must always go out.</summary>
    public void Encode(ref BgpWriter writer)
    {
        int start = writer.BeginMessage(BgpMessageType.Notification);
        writer.WriteByte(Code);
        writer.WriteByte(Subcode);
        int limit = Math.Min(BgpConstants.MaxMessageLength - (writer.Position - start), writer.Remaining);
        writer.WriteBytes(Data.Span[..Math.Min(Data.Length, Math.Max(0, limit))]);
        writer.EndMessage(start);
    }

    /// <summary>The shutdown communication (RFC 9003) that an administrative shutdown or reset carries, control and format characters replaced; else null.</summary>
    public string? ShutdownText
    {
        get
        {
            ReadOnlySpan<byte> data = Data.Span;
            if (Code != BgpErrorCode.Cease || Subcode is not (CeaseSubcode.Shutdown or CeaseSubcode.Reset)
                || data.Length < 2 || data[0] == 0 || data[0] > data.Length - 1)
            {
                return null;
            }

            return string.Concat(Encoding.UTF8.GetString(data.Slice(1, data[0])).Select(c => IsHarmless(c) ? c : '?'));
        }
    }

    /// <summary>The NOTIFICATION inside a Hard Reset (RFC 8538 section 3.1), or null.</summary>
    public NotificationMessage? Inner =>
        Code == BgpErrorCode.Cease && Subcode == CeaseSubcode.HardReset && Data.Length >= 2 ? Decode(Data.Span) : null;

    /// <summary>Code and subcode by their names in the RFCs, with the shutdown communication if there is one.</summary>
    public override string ToString()
    {
        string name = NotificationNames.Describe(Code, Subcode);
        return ShutdownText is { } text ? $"{name}: \"{text}\""
            : Inner is { } inner ? $"{name} ({NotificationNames.Describe(inner.Code, inner.Subcode)}{(inner.ShutdownText is { } why ? $": \"{why}\"" : "")})"
            : name;
    }

    /// <summary>The text comes from the peer and ends up in logs and terminals: no control characters, no line separators, nothing that turns the direction of writing.</summary>
    private static bool IsHarmless(char c) => CharUnicodeInfo.GetUnicodeCategory(c)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
