using System.Buffers.Binary;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Rib;

/// <summary>Reads AS_PATH as it stands on the wire, for code that must not make an object of every path.</summary>
internal static class AsPathWire
{
    /// <summary>
    /// True if the value is well formed. False if a segment is truncated, empty or of an unknown kind, or holds AS 0 (RFC 7606 section 7.2, RFC 7607).
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> value, bool fourOctet, out int segments, out int numbers, out bool confed)
    {
        int size = fourOctet ? 4 : 2;
        segments = 0;
        numbers = 0;
        confed = false;
        var reader = new BgpReader(value);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadByte(out byte type) || !reader.TryReadByte(out byte count) || type is < 1 or > 4 || count == 0
                || !reader.TryReadSpan(count * size, out ReadOnlySpan<byte> list) || HasZero(list, fourOctet))
            {
                return false;
            }

            confed |= (AsSegmentType)type is AsSegmentType.ConfedSequence or AsSegmentType.ConfedSet;
            numbers += count;
            segments++;
        }

        return true;
    }

    /// <summary>Length as the decision process counts it: an AS_SET is 1, confederation segments are 0 (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3).</summary>
    public static int DecisionLength(ReadOnlySpan<byte> wire)
    {
        int length = 0;
        for (int at = 0; at < wire.Length; at += 2 + (wire[at + 1] * 4))
        {
            length += (AsSegmentType)wire[at] switch { AsSegmentType.Sequence => wire[at + 1], AsSegmentType.Set => 1, _ => 0 };
        }

        return length;
    }

    /// <summary>The AS that the path came from: the first of a leading AS_SEQUENCE, confederation segments skipped; 0 if there is none.</summary>
    public static uint NeighborAs(ReadOnlySpan<byte> wire)
    {
        for (int at = 0; at < wire.Length; at += 2 + (wire[at + 1] * 4))
        {
            if ((AsSegmentType)wire[at] is AsSegmentType.Sequence)
            {
                return BinaryPrimitives.ReadUInt32BigEndian(wire[(at + 2)..]);
            }

            if ((AsSegmentType)wire[at] is AsSegmentType.Set)
            {
                break;
            }
        }

        return 0;
    }

    /// <summary>True if the AS is anywhere in the path.</summary>
    public static bool Contains(ReadOnlySpan<byte> wire, uint asNumber)
    {
        for (int at = 0; at < wire.Length; at += 2 + (wire[at + 1] * 4))
        {
            for (int i = 0; i < wire[at + 1]; i++)
            {
                if (BinaryPrimitives.ReadUInt32BigEndian(wire[(at + 2 + (i * 4))..]) == asNumber)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Writes a valid path of 2-octet numbers with 4-octet ones.</summary>
    public static void Widen(ReadOnlySpan<byte> value, Span<byte> wide)
    {
        int to = 0;
        for (int from = 0; from < value.Length;)
        {
            int count = value[from + 1];
            wide[to++] = value[from++];
            wide[to++] = value[from++];
            for (int i = 0; i < count; i++, from += 2, to += 4)
            {
                BinaryPrimitives.WriteUInt32BigEndian(wide[to..], BinaryPrimitives.ReadUInt16BigEndian(value[from..]));
            }
        }
    }

    private static bool HasZero(ReadOnlySpan<byte> numbers, bool fourOctet)
    {
        if (fourOctet)
        {
            for (int i = 0; i < numbers.Length; i += 4)
            {
                if (BinaryPrimitives.ReadUInt32BigEndian(numbers[i..]) == 0)
                {
                    return true;
                }
            }

            return false;
        }

        for (int i = 0; i < numbers.Length; i += 2)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(numbers[i..]) == 0)
            {
                return true;
            }
        }

        return false;
    }
}
