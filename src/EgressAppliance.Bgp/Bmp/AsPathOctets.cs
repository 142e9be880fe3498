using System.Buffers.Binary;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// The AS_PATH of an UPDATE as octets, before it is decoded: to see which size of AS numbers it has, and to take a leading AS out of it. Working on
/// the octets costs no object for each of a million routes.
/// </summary>
internal static class AsPathOctets
{
    private const int AttributeHeader = 3;

    /// <summary>The value of the first AS_PATH. False if there is none, or if the lengths before it do not add up (which the decoder will tell).</summary>
    public static bool TryFind(ReadOnlySpan<byte> update, out ReadOnlySpan<byte> path)
    {
        bool found = Locate(update, out Location at);
        path = found ? update.Slice(at.Value, at.Length) : default;
        return found;
    }

    /// <summary>The value is a run of whole segments with numbers of this size.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> path, bool fourOctet)
    {
        var reader = new BgpReader(path);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadByte(out byte type) || !reader.TryReadByte(out byte count)
                || type is < (byte)AsSegmentType.Set or > (byte)AsSegmentType.ConfedSet || count == 0
                || !reader.TryReadSpan(count * (fourOctet ? 4 : 2), out _))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// If the AS_PATH begins with an AS_SEQUENCE whose first number is <paramref name="first"/>, writes the UPDATE without that number to
    /// <paramref name="output"/>, which must be as long as <paramref name="update"/>, and returns its length. Else 0.
    /// </summary>
    public static int RemoveFirst(ReadOnlySpan<byte> update, uint first, bool fourOctet, Span<byte> output)
    {
        int size = fourOctet ? 4 : 2;
        if (!Locate(update, out Location at))
        {
            return 0;
        }

        ReadOnlySpan<byte> path = update.Slice(at.Value, at.Length);
        if (path.Length < 2 + size || path[0] != (byte)AsSegmentType.Sequence || path[1] == 0 || ReadNumber(path[2..], fourOctet) != first
            || !IsWellFormed(path, fourOctet))
        {
            return 0;
        }

        // A sequence of one goes as a whole: a segment without numbers would be malformed.
        int from = path[1] == 1 ? at.Value : at.Value + 2;
        int removed = path[1] == 1 ? 2 + size : size;
        update[..from].CopyTo(output);
        update[(from + removed)..].CopyTo(output[from..]);
        int attributes = BinaryPrimitives.ReadUInt16BigEndian(update[at.AttributesLength..]);
        BinaryPrimitives.WriteUInt16BigEndian(output[at.AttributesLength..], (ushort)(attributes - removed));
        if (at.Extended)
        {
            BinaryPrimitives.WriteUInt16BigEndian(output[(at.Value - 2)..], (ushort)(at.Length - removed));
        }
        else
        {
            output[at.Value - 1] = (byte)(at.Length - removed);
        }

        if (path[1] > 1)
        {
            output[at.Value + 1]--;
        }

        return update.Length - removed;
    }

    private static uint ReadNumber(ReadOnlySpan<byte> at, bool fourOctet) =>
        fourOctet ? BinaryPrimitives.ReadUInt32BigEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);

    private static bool Locate(ReadOnlySpan<byte> update, out Location found)
    {
        found = default;
        var reader = new BgpReader(update);
        if (!reader.TryReadUInt16(out ushort withdrawn) || !reader.TryReadSpan(withdrawn, out _))
        {
            return false;
        }

        int lengthAt = reader.Position;
        if (!reader.TryReadUInt16(out ushort length) || length > reader.Remaining)
        {
            return false;
        }

        int end = reader.Position + length;
        while (end - reader.Position >= AttributeHeader)
        {
            _ = reader.TryReadByte(out byte flags);
            _ = reader.TryReadByte(out byte type);
            bool extended = (flags & (byte)AttributeFlags.ExtendedLength) != 0;
            ushort wide = 0;
            byte narrow = 0;
            if (!(extended ? reader.TryReadUInt16(out wide) : reader.TryReadByte(out narrow)))
            {
                return false;
            }

            int valueLength = extended ? wide : narrow;
            int value = reader.Position;
            if (value + valueLength > end || !reader.TryReadSpan(valueLength, out _))
            {
                return false;
            }

            if (type == (byte)AttributeType.AsPath)
            {
                found = new(lengthAt, value, valueLength, extended);
                return true;
            }
        }

        return false;
    }

    /// <summary>Where the attribute stands.</summary>
    /// <param name="AttributesLength">Offset of the length of all attributes.</param>
    /// <param name="Value">Offset of its value.</param>
    /// <param name="Length">Length of its value.</param>
    /// <param name="Extended">Its length has two octets.</param>
    private readonly record struct Location(int AttributesLength, int Value, int Length, bool Extended);
}
