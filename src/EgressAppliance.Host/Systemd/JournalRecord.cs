using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EgressAppliance.Host.Systemd;

/// <summary>
/// One record in the journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): fields, each <c>NAME=value</c> and a line feed, or for a value of
/// several lines the name, a line feed, the length as 64 bits little-endian, the value and a line feed.
/// </summary>
/// <remarks>Bounded: a datagram that is too long would not be taken at all, so what is too long is cut.</remarks>
public sealed class JournalRecord
{
    /// <summary>Longest value, in UTF-16 units: at most 24 KiB as UTF-8.</summary>
    public const int LongestValue = 8192;

    /// <summary>Longest record in bytes, a third of what a socket's buffer takes by default.</summary>
    public const int LongestRecord = 64 * 1024;

    /// <summary>Names are no longer than this; the journal drops a longer one.</summary>
    private const int LongestName = 64;

    private readonly ArrayBufferWriter<byte> _bytes = new(512);

    /// <summary>The record as it is sent.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    /// <summary>Adds a field with a name that the journal takes.</summary>
    public JournalRecord Add(string name, string value)
    {
        ReadOnlySpan<char> text = value.Length > LongestValue ? value.AsSpan(0, LongestValue) : value;
        int length = Encoding.UTF8.GetByteCount(text);
        if (_bytes.WrittenCount + name.Length + length + sizeof(long) + 2 > LongestRecord)
        {
            return this;
        }

        Encoding.ASCII.GetBytes(name, _bytes);
        if (text.Contains('\n'))
        {
            _bytes.Write("\n"u8);
            BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(sizeof(long)), length);
            _bytes.Advance(sizeof(long));
        }
        else
        {
            _bytes.Write("="u8);
        }

        Encoding.UTF8.GetBytes(text, _bytes);
        _bytes.Write("\n"u8);
        return this;
    }

    /// <summary>Adds a value of a message or scope: <c>nextHop</c> becomes <c>EGRESS_NEXT_HOP</c>. A name without a letter or digit is left out.</summary>
    public JournalRecord AddValue(string key, object? value)
    {
        StringBuilder name = new("EGRESS_");
        bool any = false;
        for (int i = 0; i < key.Length && name.Length < LongestName; i++)
        {
            char c = key[i];
            if (char.IsAsciiLetterUpper(c) && i > 0 && char.IsAsciiLetterLower(key[i - 1]))
            {
                name.Append('_');
            }

            any |= char.IsAsciiLetterOrDigit(c);
            name.Append(char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_');
        }

        return any ? Add(name.ToString(0, Math.Min(name.Length, LongestName)), Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "") : this;
    }
}
