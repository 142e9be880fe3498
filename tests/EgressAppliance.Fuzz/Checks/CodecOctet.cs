using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Fuzz.Checks;

/// <summary>Codec options as the first octet of an input, so that an input is all there is to reproduce.</summary>
public static class CodecOctet
{
    /// <summary>Options by bits: 1 4-octet AS numbers, 2 and 4 path identifiers (IPv4, IPv6), 8 external, 16 extended next hop, 32 extended message.</summary>
    public static BgpCodecOptions Options(byte octet) => new()
    {
        FourOctetAs = (octet & 1) != 0,
        AddPathIPv4 = (octet & 2) != 0,
        AddPathIPv6 = (octet & 4) != 0,
        External = (octet & 8) != 0,
        ExtendedNextHop = (octet & 16) != 0,
        ExtendedMessage = (octet & 32) != 0,
    };

    /// <summary>The octet of a session.</summary>
    public static byte Make(bool fourOctet, bool addPath, bool external) => (byte)((fourOctet ? 1 : 0) | (addPath ? 6 : 0) | (external ? 8 : 0));
}
