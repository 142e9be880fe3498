using System.Text;

namespace EgressAppliance.Dataplane.Decode;

/// <summary>How the decoding of one frame ended. Every frame ends in exactly one; those from <see cref="TruncatedEthernet"/> on are undecodable.</summary>
public enum DecodeStatus
{
    /// <summary>An IPv4 header was read.</summary>
    IPv4,

    /// <summary>An IPv6 header was read.</summary>
    IPv6,

    /// <summary>The frame carries something other than IP.</summary>
    NonIp,

    /// <summary>Shorter than an Ethernet header.</summary>
    TruncatedEthernet,

    /// <summary>Cut off within a VLAN tag.</summary>
    TruncatedVlan,

    /// <summary>Cut off within an MPLS label stack, or behind it.</summary>
    TruncatedMpls,

    /// <summary>Cut off within a PPPoE or PPP header.</summary>
    TruncatedPpp,

    /// <summary>Cut off within a link header other than Ethernet's.</summary>
    TruncatedLinkHeader,

    /// <summary>Cut off within the IPv4 header, options included.</summary>
    TruncatedIpv4,

    /// <summary>Announced as IPv4, but the version field is not 4.</summary>
    BadIpv4Version,

    /// <summary>An IPv4 header length below 20 bytes.</summary>
    BadIpv4HeaderLength,

    /// <summary>An IPv4 total length below the header length.</summary>
    BadIpv4TotalLength,

    /// <summary>An IPv4 total length of 0, as segmentation offload leaves it in frames above 64 KiB (BIG TCP).</summary>
    Ipv4TotalLengthZero,

    /// <summary>Cut off within the IPv6 header.</summary>
    TruncatedIpv6,

    /// <summary>Announced as IPv6, but the version field is not 6.</summary>
    BadIpv6Version,

    /// <summary>A link layer that carries bare IP, with a version that is neither 4 nor 6.</summary>
    BadIpVersion,

    /// <summary>The source's link-layer type is not one this decoder knows.</summary>
    UnsupportedLinkLayer,

    /// <summary>A jumbo payload option (RFC 2675) whose length is not above 65,535, or is more than the frame has room for.</summary>
    BadIpv6JumboLength,

    /// <summary>More VLAN tags, labels, extension headers or tunnels than the decoder follows.</summary>
    TooDeep,

    /// <summary>Cut off within the header of a tunnel that is to be taken off.</summary>
    TruncatedTunnel,

    /// <summary>The header of a tunnel that is to be taken off has a version, or flags, that it cannot have.</summary>
    BadTunnelHeader,

    /// <summary>A fragment, other than the first, of a packet of a tunnel that is to be taken off: the mirrored headers are not in it.</summary>
    TunnelFragment,
}

/// <summary>The names of <see cref="DecodeStatus"/> values in metrics and output.</summary>
public static class DecodeStatusNames
{
    /// <summary>Number of values.</summary>
    internal const int Count = (int)DecodeStatus.TunnelFragment + 1;

    private static readonly string[] Names = MakeNames();

    /// <summary>The value in snake_case: <c>truncated_ipv4</c>.</summary>
    public static string ToReason(this DecodeStatus status) => Names[(int)status];

    private static string[] MakeNames()
    {
        string[] names = new string[Count];
        for (int i = 0; i < Count; i++)
        {
            StringBuilder text = new();
            foreach (char c in ((DecodeStatus)i).ToString())
            {
                if (char.IsUpper(c) && text.Length > 0)
                {
                    text.Append('_');
                }

                text.Append(char.ToLowerInvariant(c));
            }

            names[i] = text.ToString();
        }

        return names;
    }
}
