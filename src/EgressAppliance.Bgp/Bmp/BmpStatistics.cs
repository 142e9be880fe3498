using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>One figure of a Statistics Report.</summary>
/// <param name="Type">Type code.</param>
/// <param name="Family">The family it is about, or null for all.</param>
/// <param name="Value">The figure; null if the type is unknown and its length is none that a figure has.</param>
public readonly record struct BmpStatistic(ushort Type, AfiSafi? Family, ulong? Value)
{
    /// <summary>What it counts, in words; <c>type N</c> if no RFC says.</summary>
    public string Name => Type switch
    {
        0 => "prefixes rejected by inbound policy",
        1 => "duplicate prefix advertisements",
        2 => "duplicate withdraws",
        3 => "updates invalidated by CLUSTER_LIST loop",
        4 => "updates invalidated by AS_PATH loop",
        5 => "updates invalidated by ORIGINATOR_ID",
        6 => "updates invalidated by AS_CONFED loop",
        7 or 9 => "routes in Adj-RIB-In",
        8 or 10 => "routes in Loc-RIB",
        11 => "updates treated as withdraw",
        12 => "prefixes treated as withdraw",
        13 => "duplicate update messages",
        14 or 16 => "routes in pre-policy Adj-RIB-Out",
        15 or 17 => "routes in post-policy Adj-RIB-Out",
        _ => $"type {Type}",
    };
}

/// <summary>Statistics Report (RFC 7854 section 4.8, RFC 8671 section 6.2, RFC 9069 section 5.5).</summary>
public sealed class BmpStatistics
{
    private const ushort LastDefined = 17;

    /// <summary>The figures, in order.</summary>
    public required IReadOnlyList<BmpStatistic> Items { get; init; }

    /// <summary>Reads what follows the per-peer header. Returns the error, or null with <paramref name="message"/> set.</summary>
    public static BmpError? Decode(ReadOnlySpan<byte> body, out BmpStatistics? message)
    {
        message = null;
        var reader = new BgpReader(body);
        if (!reader.TryReadUInt32(out uint count))
        {
            return new(BmpErrorKind.Truncated, "a Statistics Report without a count");
        }

        var items = new List<BmpStatistic>();
        while (!reader.AtEnd)
        {
            if (!reader.TryReadUInt16(out ushort type) || !reader.TryReadUInt16(out ushort length)
                || !reader.TryReadSpan(length, out ReadOnlySpan<byte> value))
            {
                return new(BmpErrorKind.Tlv, "a statistic is longer than what is left of the message");
            }

            if (type <= LastDefined && value.Length != Length(type))
            {
                return new(BmpErrorKind.Tlv, $"statistic {type} has {value.Length} octets instead of {Length(type)}");
            }

            items.Add(ReadItem(type, value));
        }

        if (items.Count != count)
        {
            return new(BmpErrorKind.Tlv, $"a Statistics Report that tells {count} statistics has {items.Count}");
        }

        message = new() { Items = items };
        return null;
    }

    private static int Length(ushort type) => type switch
    {
        7 or 8 or 14 or 15 => 8,
        9 or 10 or 16 or 17 => 11,
        _ => 4,
    };

    private static BmpStatistic ReadItem(ushort type, ReadOnlySpan<byte> value)
    {
        var reader = new BgpReader(value);
        switch (value.Length)
        {
            case 4:
                _ = reader.TryReadUInt32(out uint counter);
                return new(type, null, counter);
            case 8:
                _ = reader.TryReadUInt64(out ulong gauge);
                return new(type, null, gauge);
            case 11:
                _ = reader.TryReadUInt16(out ushort afi);
                _ = reader.TryReadByte(out byte safi);
                _ = reader.TryReadUInt64(out ulong perFamily);
                return new(type, new(afi, safi), perFamily);
            default:
                return new(type, null, null);
        }
    }
}
