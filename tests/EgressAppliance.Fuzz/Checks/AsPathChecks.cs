using EgressAppliance.Bgp.Rib;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Checks;

/// <summary>An AS_PATH by all its views, each computed here once more from the segments in the plainest way.</summary>
public static class AsPathChecks
{
    /// <summary>Segments, wire form, text, length and ends tell the same.</summary>
    public static void Consistent(AsPath path)
    {
        ArgumentNullException.ThrowIfNull(path);
        IReadOnlyList<AsSegment> segments = path.Segments;
        Check.That(path.IsEmpty == (segments.Count == 0), $"IsEmpty is {path.IsEmpty} with {segments.Count} segments");
        var numbers = new List<string>();
        int length = 0;
        bool confed = false;
        foreach (AsSegment segment in segments)
        {
            Check.That(segment.Type is >= AsSegmentType.Set and <= AsSegmentType.ConfedSet, $"segment of type {segment.Type}");
            Check.That(segment.Numbers.Count is > 0 and <= 255, $"segment of {segment.Numbers.Count} numbers");
            length += segment.Type == AsSegmentType.Sequence ? segment.Numbers.Count : segment.Type == AsSegmentType.Set ? 1 : 0;
            confed |= segment.Type is AsSegmentType.ConfedSequence or AsSegmentType.ConfedSet;
            foreach (uint number in segment.Numbers)
            {
                Check.That(number != 0, $"AS 0 in {path}");
                numbers.Add(number.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }

            Check.That(path.Contains(segment.Numbers[^1]), $"{path} does not contain {segment.Numbers[^1]}");
        }

        Check.That(!path.Contains(0), $"{path} contains AS 0");
        Check.That(path.Length == length, $"length {path.Length} instead of {length}: {path}");
        Check.That(path.HasConfedSegment == confed, $"HasConfedSegment is {path.HasConfedSegment}: {path}");
        Check.That(path.OriginAs == Origin(segments), $"origin {path.OriginAs} instead of {Origin(segments)}: {path}");
        Check.That(path.NeighborAs == Neighbor(segments), $"neighbour {path.NeighborAs} instead of {Neighbor(segments)}: {path}");
        string text = path.ToString();
        Check.That(text.Split([' ', ',', '{', '}', '(', ')', '[', ']'], StringSplitOptions.RemoveEmptyEntries).SequenceEqual(numbers), $"text '{text}' has other numbers");
        Check.That(
            text.Count(c => c is '{') == segments.Count(s => s.Type == AsSegmentType.Set) && text.Count(c => c is '(') == segments.Count(s => s.Type == AsSegmentType.ConfedSequence)
                && text.Count(c => c is '[') == segments.Count(s => s.Type == AsSegmentType.ConfedSet),
            $"text '{text}' has other segments");
        AsPath made = AsPath.FromSegments(segments);
        Check.That(made.Equals(path) && made.GetHashCode() == path.GetHashCode(), $"made from its segments it is {made} instead of {path}");
        Check.That(AsPath.TryDecode(path.Wire, fourOctet: true, out AsPath read) && read.Equals(path), $"read from its wire form it is not {path}");
    }

    /// <summary>
    /// The segments of an attribute value, read in the plainest way; null where the value is malformed (RFC 4271 section 4.3, RFC 7606 section 7.2, RFC 7607).
    /// </summary>
    public static List<AsSegment>? Read(ReadOnlySpan<byte> value, bool fourOctet)
    {
        var segments = new List<AsSegment>();
        int size = fourOctet ? 4 : 2;
        for (int at = 0; at < value.Length;)
        {
            if (at + 2 > value.Length || value[at] is < 1 or > 4 || value[at + 1] == 0 || at + 2 + (value[at + 1] * size) > value.Length)
            {
                return null;
            }

            uint[] numbers = new uint[value[at + 1]];
            for (int i = 0; i < numbers.Length; i++)
            {
                foreach (byte octet in value.Slice(at + 2 + (i * size), size))
                {
                    numbers[i] = (numbers[i] << 8) | octet;
                }

                if (numbers[i] == 0)
                {
                    return null;
                }
            }

            segments.Add(new((AsSegmentType)value[at], numbers));
            at += 2 + (numbers.Length * size);
        }

        return segments;
    }

    /// <summary>The same segments with the same numbers.</summary>
    public static bool Same(IReadOnlyList<AsSegment> one, IReadOnlyList<AsSegment> other) =>
        one.Count == other.Count && one.Zip(other).All(p => p.First.Type == p.Second.Type && p.First.Numbers.SequenceEqual(p.Second.Numbers));

    private static uint Origin(IReadOnlyList<AsSegment> segments) =>
        segments.Count > 0 && segments[^1].Type == AsSegmentType.Sequence ? segments[^1].Numbers[^1] : 0;

    private static uint Neighbor(IReadOnlyList<AsSegment> segments)
    {
        foreach (AsSegment segment in segments)
        {
            if (segment.Type is AsSegmentType.Sequence or AsSegmentType.Set)
            {
                return segment.Type == AsSegmentType.Sequence ? segment.Numbers[0] : 0;
            }
        }

        return 0;
    }
}
