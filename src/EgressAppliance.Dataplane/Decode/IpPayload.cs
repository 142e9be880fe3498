using System.Buffers.Binary;

namespace EgressAppliance.Dataplane.Decode;

/// <summary>What the search for an IP packet's payload came to.</summary>
internal enum IpPayloadStatus
{
    /// <summary>Protocol and payload are known.</summary>
    Found,

    /// <summary>A fragment other than the first: what it carries has no header.</summary>
    LaterFragment,

    /// <summary>An extension header is cut off.</summary>
    Truncated,

    /// <summary>More headers than the budget allows.</summary>
    TooDeep,
}

/// <summary>
/// Finds what an IP packet carries, behind IPv4 options, IPv6 extension headers and the authentication header.
/// </summary>
/// <remarks>
/// RFC 791 section 3.1; RFC 8200 section 4 (hop-by-hop options, routing, fragment, destination options, in any order and number); RFC 4302
/// section 2 (AH). Other protocol numbers are taken for the payload, ESP among them.
/// </remarks>
internal static class IpPayload
{
    private const byte HopByHop = 0;
    private const byte Routing = 43;
    private const byte Fragment = 44;
    private const byte AuthenticationHeader = 51;
    private const byte DestinationOptions = 60;

    /// <summary>Finds the payload.</summary>
    /// <param name="packet">A packet whose header is whole, from its first byte to the end of the packet or of what was captured.</param>
    /// <param name="isIPv6">Its family.</param>
    /// <param name="budget">Pays for the headers.</param>
    /// <param name="protocol">IANA protocol number of the payload, of the whole packet's for a later fragment.</param>
    /// <param name="payload">Maybe empty, or cut.</param>
    public static IpPayloadStatus Find(ReadOnlySpan<byte> packet, bool isIPv6, scoped ref HeaderBudget budget, out byte protocol, out ReadOnlySpan<byte> payload) =>
        isIPv6 ? FindInIPv6(packet, ref budget, out protocol, out payload) : FindInIPv4(packet, ref budget, out protocol, out payload);

    private static IpPayloadStatus FindInIPv4(ReadOnlySpan<byte> packet, scoped ref HeaderBudget budget, out byte protocol, out ReadOnlySpan<byte> payload)
    {
        const int FragmentOffsetMask = 0x1FFF;
        int headerBytes = (packet[0] & 0xF) * 4;
        protocol = packet[9];
        payload = packet[headerBytes..];
        if (!budget.TryTake(headerBytes))
        {
            return IpPayloadStatus.TooDeep;
        }

        if ((BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & FragmentOffsetMask) != 0)
        {
            return IpPayloadStatus.LaterFragment;
        }

        while (protocol == AuthenticationHeader)
        {
            IpPayloadStatus status = StepOver(ref protocol, ref payload, ref budget);
            if (status != IpPayloadStatus.Found)
            {
                return status;
            }
        }

        return IpPayloadStatus.Found;
    }

    private static IpPayloadStatus FindInIPv6(ReadOnlySpan<byte> packet, scoped ref HeaderBudget budget, out byte protocol, out ReadOnlySpan<byte> payload)
    {
        protocol = packet[6];
        payload = packet[IpHeader.IPv6HeaderBytes..];
        if (!budget.TryTake(IpHeader.IPv6HeaderBytes))
        {
            return IpPayloadStatus.TooDeep;
        }

        while (protocol is HopByHop or Routing or Fragment or AuthenticationHeader or DestinationOptions)
        {
            IpPayloadStatus status = StepOver(ref protocol, ref payload, ref budget);
            if (status != IpPayloadStatus.Found)
            {
                return status;
            }
        }

        return IpPayloadStatus.Found;
    }

    private static IpPayloadStatus StepOver(ref byte protocol, ref ReadOnlySpan<byte> rest, scoped ref HeaderBudget budget)
    {
        const int MinBytes = 8;
        const int FragmentOffsetMask = 0xFFF8;
        if (rest.Length < MinBytes)
        {
            return IpPayloadStatus.Truncated;
        }

        // AH counts words of four octets less two, where IPv6 counts words of eight less one; a fragment header has no length.
        int bytes = protocol switch
        {
            AuthenticationHeader => (rest[1] + 2) * 4,
            Fragment => MinBytes,
            _ => (rest[1] + 1) * 8,
        };
        if (!budget.TryTake(bytes))
        {
            return IpPayloadStatus.TooDeep;
        }

        if (rest.Length < bytes)
        {
            return IpPayloadStatus.Truncated;
        }

        bool isLaterFragment = protocol == Fragment && (BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) & FragmentOffsetMask) != 0;
        protocol = rest[0];
        rest = rest[bytes..];
        return isLaterFragment ? IpPayloadStatus.LaterFragment : IpPayloadStatus.Found;
    }
}
