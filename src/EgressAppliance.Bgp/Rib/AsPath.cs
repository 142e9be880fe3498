using System.Buffers.Binary;
using System.Text;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Rib;

/// <summary>Kinds of AS_PATH segments (RFC 4271 section 4.3, RFC 5065 section 3).</summary>
public enum AsSegmentType : byte
{
    /// <summary>Unordered.</summary>
    Set = 1,

    /// <summary>Ordered.</summary>
    Sequence = 2,

    /// <summary>Ordered, member ASes of a confederation.</summary>
    ConfedSequence = 3,

    /// <summary>Unordered, member ASes of a confederation.</summary>
    ConfedSet = 4,
}

/// <summary>One segment of an AS_PATH.</summary>
/// <param name="Type">Its kind.</param>
/// <param name="Numbers">Its AS numbers, 1 to 255 of them.</param>
public readonly record struct AsSegment(AsSegmentType Type, IReadOnlyList<uint> Numbers);

/// <summary>
/// An immutable AS_PATH, held as its own wire form with 4-octet numbers: one array a path, compared and sent as it is.
/// A full table has some hundred thousand of them.
/// </summary>
public sealed class AsPath : IEquatable<AsPath>
{
    private readonly byte[] _wire;

    private AsPath(byte[] wire) => _wire = wire;

    /// <summary>The empty path of a route that began in the sender's own AS.</summary>
    public static AsPath Empty { get; } = new([]);

    /// <summary>True without any AS.</summary>
    public bool IsEmpty => _wire.Length == 0;

    /// <summary>The attribute's value with 4-octet AS numbers.</summary>
    public ReadOnlySpan<byte> Wire => _wire;

    /// <summary>Length as the decision process counts it: an AS_SET is 1, confederation segments are 0 (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3).</summary>
    public int Length => AsPathWire.DecisionLength(_wire);

    /// <summary>The AS that the path came from: the first of a leading AS_SEQUENCE, confederation segments skipped; 0 if there is none. It decides whose MEDs compare.</summary>
    public uint NeighborAs => AsPathWire.NeighborAs(_wire);

    /// <summary>The AS in which the route began: the last of a trailing AS_SEQUENCE; 0 if the path is empty or ends in a set.</summary>
    public uint OriginAs
    {
        get
        {
            uint origin = 0;
            for (int at = 0; at < _wire.Length; at += 2 + (_wire[at + 1] * 4))
            {
                origin = (AsSegmentType)_wire[at] is AsSegmentType.Sequence ? Number(at, _wire[at + 1] - 1) : 0;
            }

            return origin;
        }
    }

    /// <summary>The segments.</summary>
    public IReadOnlyList<AsSegment> Segments
    {
        get
        {
            var segments = new List<AsSegment>();
            for (int at = 0; at < _wire.Length; at += 2 + (_wire[at + 1] * 4))
            {
                uint[] numbers = new uint[_wire[at + 1]];
                for (int i = 0; i < numbers.Length; i++)
                {
                    numbers[i] = Number(at, i);
                }

                segments.Add(new((AsSegmentType)_wire[at], numbers));
            }

            return segments;
        }
    }

    /// <summary>A path of one AS_SEQUENCE, split where it is longer than a segment can be.</summary>
    public static AsPath Sequence(params ReadOnlySpan<uint> numbers)
    {
        if (numbers.IsEmpty)
        {
            return Empty;
        }

        var segments = new List<AsSegment>();
        for (int i = 0; i < numbers.Length; i += 255)
        {
            segments.Add(new(AsSegmentType.Sequence, numbers.Slice(i, Math.Min(255, numbers.Length - i)).ToArray()));
        }

        return FromSegments(segments);
    }

    /// <summary>A path of given segments.</summary>
    /// <exception cref="ArgumentException">A segment is empty, longer than 255 or of an unknown kind.</exception>
    public static AsPath FromSegments(IEnumerable<AsSegment> segments)
    {
        ArgumentNullException.ThrowIfNull(segments);
        var wire = new List<byte>();
        Span<byte> number = stackalloc byte[4];
        foreach (AsSegment segment in segments)
        {
            if (segment.Numbers.Count is 0 or > 255 || segment.Type is < AsSegmentType.Set or > AsSegmentType.ConfedSet)
            {
                throw new ArgumentException("A segment holds 1 to 255 AS numbers.", nameof(segments));
            }

            wire.Add((byte)segment.Type);
            wire.Add((byte)segment.Numbers.Count);
            foreach (uint value in segment.Numbers)
            {
                BinaryPrimitives.WriteUInt32BigEndian(number, value);
                wire.AddRange(number);
            }
        }

        return wire.Count == 0 ? Empty : new(wire.ToArray());
    }

    /// <summary>
    /// Reads an attribute value. False if a segment is truncated, empty or of an unknown kind, or holds AS 0 (RFC 7606 section 7.2, RFC 7607).
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> value, bool fourOctet, out AsPath path)
    {
        path = Empty;
        if (!AsPathWire.IsValid(value, fourOctet, out int segments, out int numbers, out _))
        {
            return false;
        }

        if (segments > 0)
        {
            byte[] wire = new byte[(segments * 2) + (numbers * 4)];
            if (fourOctet)
            {
                value.CopyTo(wire);
            }
            else
            {
                AsPathWire.Widen(value, wire);
            }

            path = new(wire);
        }

        return true;
    }

    /// <summary>A path of octets that are known to be well formed.</summary>
    internal static AsPath FromWire(ReadOnlySpan<byte> wire) => wire.IsEmpty ? Empty : new(wire.ToArray());

    /// <summary>True if the AS is anywhere in the path.</summary>
    public bool Contains(uint asNumber) => AsPathWire.Contains(_wire, asNumber);

    /// <summary>True if there is a confederation segment, which only members of the confederation may send.</summary>
    public bool HasConfedSegment
    {
        get
        {
            for (int at = 0; at < _wire.Length; at += 2 + (_wire[at + 1] * 4))
            {
                if ((AsSegmentType)_wire[at] is AsSegmentType.ConfedSequence or AsSegmentType.ConfedSet)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// Puts the 4-octet path of AS4_PATH behind the leading part of a 2-octet AS_PATH (RFC 6793 section 4.2.3). If AS4_PATH is the longer, it is ignored.
    /// </summary>
    public static AsPath Merge(AsPath asPath, AsPath as4Path)
    {
        ArgumentNullException.ThrowIfNull(asPath);
        ArgumentNullException.ThrowIfNull(as4Path);
        int keep = asPath.Length - as4Path.Length;
        if (keep < 0 || as4Path.IsEmpty)
        {
            return asPath;
        }

        var segments = new List<AsSegment>();
        foreach (AsSegment segment in asPath.Segments)
        {
            bool confed = segment.Type is AsSegmentType.ConfedSequence or AsSegmentType.ConfedSet;
            int counted = confed ? 0 : segment.Type == AsSegmentType.Set ? 1 : segment.Numbers.Count;
            if (confed || counted <= keep)
            {
                segments.Add(segment);
                keep -= counted;
                continue;
            }

            if (keep > 0)
            {
                segments.Add(new(segment.Type, segment.Numbers.Take(keep).ToArray()));
            }

            break;
        }

        // A sequence cut in two by the merge is one segment again; boundaries that the sender drew stay.
        IReadOnlyList<AsSegment> behind = as4Path.Segments;
        AsSegment last = segments.Count > 0 ? segments[^1] : default;
        bool join = last.Type == AsSegmentType.Sequence && behind[0].Type == AsSegmentType.Sequence
            && last.Numbers.Count + behind[0].Numbers.Count <= byte.MaxValue;
        if (join)
        {
            segments[^1] = new(AsSegmentType.Sequence, [.. last.Numbers, .. behind[0].Numbers]);
        }

        segments.AddRange(behind.Skip(join ? 1 : 0));
        return FromSegments(segments);
    }

    /// <inheritdoc/>
    public bool Equals(AsPath? other) => other is not null && (ReferenceEquals(this, other) || _wire.AsSpan().SequenceEqual(other._wire));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AsPath);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_wire);
        return hash.ToHashCode();
    }

    /// <summary>As routers print it: <c>64501 64510 {64600,64601}</c>, confederation segments in <c>()</c> and <c>[]</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (AsSegment segment in Segments)
        {
            (string open, string separator, string close) = segment.Type switch
            {
                AsSegmentType.Set => ("{", ",", "}"),
                AsSegmentType.ConfedSequence => ("(", " ", ")"),
                AsSegmentType.ConfedSet => ("[", ",", "]"),
                _ => ("", " ", ""),
            };
            text.Append(text.Length > 0 ? " " : "").Append(open).AppendJoin(separator, segment.Numbers).Append(close);
        }

        return text.ToString();
    }

    private uint Number(int segment, int index) => BinaryPrimitives.ReadUInt32BigEndian(_wire.AsSpan(segment + 2 + (index * 4)));
}
