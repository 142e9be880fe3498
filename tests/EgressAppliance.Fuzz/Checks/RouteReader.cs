using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Checks;

/// <summary>Reads the prefixes of an UPDATE a second time, in the plainest way, bit by bit.</summary>
public static class RouteReader
{
    /// <summary>Compares all four lists and the next hop of MP_REACH_NLRI with what was decoded. Only for a message that did not reset the session.</summary>
    public static void Compare(ReadOnlySpan<byte> body, in BgpCodecOptions options, UpdateMessage decoded)
    {
        ArgumentNullException.ThrowIfNull(decoded);
        int withdrawn = (body[0] << 8) | body[1];
        int attributes = (body[2 + withdrawn] << 8) | body[3 + withdrawn];
        Same(Read(body.Slice(2, withdrawn), IpFamily.IPv4, options.AddPathIPv4), decoded.Withdrawn, "withdrawn");
        Same(Read(body[(4 + withdrawn + attributes)..], IpFamily.IPv4, options.AddPathIPv4), decoded.Announced, "announced");
        CompareMp(body.Slice(4 + withdrawn, attributes), options, decoded);
    }

    private static void CompareMp(ReadOnlySpan<byte> attributes, in BgpCodecOptions options, UpdateMessage decoded)
    {
        bool reach = false;
        bool unreach = false;
        while (attributes.Length >= 3)
        {
            bool wide = (attributes[0] & 0x10) != 0;
            int header = wide ? 4 : 3;
            int length = !wide ? attributes[2] : attributes.Length < 4 ? int.MaxValue : (attributes[2] << 8) | attributes[3];
            if (length > attributes.Length - header)
            {
                break;
            }

            ReadOnlySpan<byte> value = attributes.Slice(header, length);
            switch ((AttributeType)attributes[1])
            {
                case AttributeType.MpReachNlri:
                    reach = true;
                    CompareReach(value, options, decoded);
                    break;
                case AttributeType.MpUnreachNlri:
                    unreach = true;
                    Check.That(decoded.MpUnreachFamily == FamilyOf(value), $"MP_UNREACH_NLRI is of {decoded.MpUnreachFamily}");
                    if (FamilyOf(value).Family is { } family)
                    {
                        Same(Read(value[3..], family, options.AddPath(family)), decoded.MpUnreach, "MP_UNREACH_NLRI");
                    }

                    break;
            }

            attributes = attributes[(header + length)..];
        }

        Check.That(reach == decoded.MpReachFamily.HasValue && unreach == decoded.MpUnreachFamily.HasValue, $"MP_REACH_NLRI {reach}, MP_UNREACH_NLRI {unreach}");
    }

    private static void CompareReach(ReadOnlySpan<byte> value, in BgpCodecOptions options, UpdateMessage decoded)
    {
        Check.That(decoded.MpReachFamily == FamilyOf(value), $"MP_REACH_NLRI is of {decoded.MpReachFamily}");
        if (FamilyOf(value).Family is not { } family)
        {
            return;
        }

        int length = value[3];
        Same(Read(value[(5 + length)..], family, options.AddPath(family)), decoded.MpReach, "MP_REACH_NLRI");
        IpAddr first = IpAddr.FromBytes(value.Slice(4, length == 4 ? 4 : 16));
        IpAddr second = length == 32 ? IpAddr.FromBytes(value.Slice(20, 16)) : default;
        // A link-local address alone is the next hop itself.
        NextHop expected = length == 32 && first is { High: 0, Low: 0 } ? new(second) : new(first, second);
        Check.That(decoded.MpNextHop == expected, $"the next hop of MP_REACH_NLRI is {decoded.MpNextHop} instead of {expected}");
    }

    private static AfiSafi FamilyOf(ReadOnlySpan<byte> value) => new((ushort)((value[0] << 8) | value[1]), value[2]);

    private static List<Nlri> Read(ReadOnlySpan<byte> octets, IpFamily family, bool addPath)
    {
        var list = new List<Nlri>();
        while (!octets.IsEmpty)
        {
            uint pathId = 0;
            for (int i = 0; addPath && i < 4; i++)
            {
                pathId = (pathId << 8) | octets[i];
            }

            octets = octets[(addPath ? 4 : 0)..];
            int length = octets[0];
            octets = octets[1..];
            ulong high = 0;
            ulong low = 0;
            for (int bit = 0; bit < length; bit++)
            {
                ulong value = (ulong)((octets[bit / 8] >> (7 - (bit % 8))) & 1);
                high |= bit < 64 ? value << (63 - bit) : 0;
                low |= bit >= 64 ? value << (127 - bit) : 0;
            }

            octets = octets[((length + 7) / 8)..];
            list.Add(new(IpPrefix.Create(IpAddr.FromBits(family, high, low), length), pathId));
        }

        return list;
    }

    private static void Same(List<Nlri> expected, List<Nlri> decoded, string field) =>
        Check.That(expected.SequenceEqual(decoded), $"{field}: [{string.Join(' ', decoded)}] instead of [{string.Join(' ', expected)}]");
}
