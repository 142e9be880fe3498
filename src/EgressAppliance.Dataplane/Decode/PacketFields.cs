namespace EgressAppliance.Dataplane.Decode;

/// <summary>What the pipeline needs to know of one frame.</summary>
public struct PacketFields
{
    /// <summary>IPv4 destination in host order.</summary>
    public uint DestinationIPv4 { readonly get; internal set; }

    /// <summary>IP bytes: IPv4 total length, or IPv6 payload length + 40 (of a jumbogram: jumbo payload length + 40), as it stands in the header.</summary>
    public uint IpBytes { readonly get; internal set; }

    /// <summary>Upper half of the IPv6 destination.</summary>
    public ulong DestinationHigh { readonly get; internal set; }

    /// <summary>Lower half of the IPv6 destination.</summary>
    public ulong DestinationLow { readonly get; internal set; }

    /// <summary>
    /// Destination MAC, first octet most significant; <see cref="NoMac"/> where the link layer has none. This and <see cref="Vlan"/> are those of the frame
    /// that is counted: of the mirrored one where it was taken out of a tunnel.
    /// </summary>
    public ulong DestinationMac { readonly get; internal set; }

    /// <summary>Id of the outermost VLAN tag with an id (1–4094), or 0. Priority tags (id 0) are looked through.</summary>
    public ushort Vlan { readonly get; internal set; }

    /// <summary>Bytes captured from the IP header's first byte to the end of the frame, or of the tunnel's payload: where the header is.</summary>
    internal int CapturedIpBytes { readonly get; set; }

    /// <summary>No 48-bit address has this value.</summary>
    public const ulong NoMac = ulong.MaxValue;
}
