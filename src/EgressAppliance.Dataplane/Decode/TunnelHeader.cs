using System.Buffers.Binary;

namespace EgressAppliance.Dataplane.Decode;

/// <summary>What the search for a tunnel header came to.</summary>
internal enum TunnelStatus
{
    /// <summary>The protocol is not that of a tunnel.</summary>
    None,

    /// <summary>There is one, and it is whole.</summary>
    Found,

    /// <summary>There is one, cut off.</summary>
    Truncated,

    /// <summary>There is one that contradicts its specification.</summary>
    Bad,

    /// <summary>More headers than the budget allows.</summary>
    TooDeep,
}

/// <summary>What a tunnel carries.</summary>
internal enum TunnelContent
{
    /// <summary>Something that cannot lead to IP.</summary>
    Other,

    /// <summary>An IPv4 packet.</summary>
    IPv4,

    /// <summary>An IPv6 packet.</summary>
    IPv6,

    /// <summary>An IP packet of either family.</summary>
    Ip,

    /// <summary>An Ethernet frame.</summary>
    Ethernet,

    /// <summary>A PPP frame.</summary>
    Ppp,

    /// <summary>An MPLS label stack.</summary>
    Mpls,
}

/// <summary>
/// The header of one tunnel, from what an IP packet carries to what the tunnel carries.
/// </summary>
/// <remarks>
/// GRE: RFC 2784, RFC 2890 (key, sequence), RFC 1701 (routing), RFC 2637 section 4.1 (version 1, PPTP). ERSPAN: draft-foschiano-erspan-03. VXLAN: RFC 7348 section 5.
/// IP in IP: RFC 2003, RFC 2473, RFC 4213. MPLS in IP: RFC 4023. Ethernet in IPv6: RFC 8986 section 4.9.
/// </remarks>
internal ref struct TunnelHeader
{
    private const byte ProtocolIPv4 = 4;
    private const byte ProtocolUdp = 17;
    private const byte ProtocolIPv6 = 41;
    private const byte ProtocolGre = 47;
    private const byte ProtocolMpls = 137;
    private const byte ProtocolEthernet = 143;

    private const ushort GreChecksum = 0x8000;
    private const ushort GreRouting = 0x4000;
    private const ushort GreKey = 0x2000;
    private const ushort GreSequence = 0x1000;
    private const ushort GreAcknowledgment = 0x0080;
    private const ushort GreVersionMask = 0x0007;

    private const ushort GreIPv4 = 0x0800;
    private const ushort GreIPv6 = 0x86DD;
    private const ushort GreEthernet = 0x6558;
    private const ushort GrePpp = 0x880B;
    private const ushort GreMpls = 0x8847;
    private const ushort GreMplsMulticast = 0x8848;
    private const ushort GreErspan = 0x88BE;
    private const ushort GreErspan3 = 0x22EB;

    /// <summary>
    /// The tunnel; <see cref="Decapsulation.None"/> for those that cannot be named. A GRE header that cannot be read as far as to say may be either GRE or ERSPAN.
    /// </summary>
    public Decapsulation Kind;

    /// <summary>What <see cref="Payload"/> begins with.</summary>
    public TunnelContent Content;

    /// <summary>What lies in the tunnel, maybe cut.</summary>
    public ReadOnlySpan<byte> Payload;

    /// <summary>VLAN tag that was taken off the frame before it went into the tunnel, as tag control information, or 0.</summary>
    public ushort VlanTci;

    /// <summary>The tunnels, or possible tunnels, of an IP protocol.</summary>
    public static Decapsulation KindOf(byte protocol) => protocol switch
    {
        ProtocolGre => Decapsulation.Gre | Decapsulation.Erspan,
        ProtocolUdp => Decapsulation.Vxlan,
        ProtocolIPv4 or ProtocolIPv6 => Decapsulation.IpInIp,
        _ => Decapsulation.None,
    };

    /// <summary>Reads the header.</summary>
    /// <param name="protocol">IANA protocol number.</param>
    /// <param name="payload">What the IP packet carries.</param>
    /// <param name="budget">Pays for the headers.</param>
    /// <param name="tunnel">Its <see cref="Kind"/> is set for truncated and bad headers too.</param>
    public static TunnelStatus TryRead(byte protocol, ReadOnlySpan<byte> payload, scoped ref HeaderBudget budget, out TunnelHeader tunnel)
    {
        tunnel = new TunnelHeader { Kind = KindOf(protocol), Payload = payload };
        switch (protocol)
        {
            case ProtocolIPv4:
                tunnel.Content = TunnelContent.IPv4;
                return TunnelStatus.Found;
            case ProtocolIPv6:
                tunnel.Content = TunnelContent.IPv6;
                return TunnelStatus.Found;
            case ProtocolMpls:
                tunnel.Content = TunnelContent.Mpls;
                return TunnelStatus.Found;
            case ProtocolEthernet:
                tunnel.Content = TunnelContent.Ethernet;
                return TunnelStatus.Found;
            case ProtocolGre:
                return tunnel.ReadGre(ref budget);
            case ProtocolUdp:
                return tunnel.ReadVxlan(ref budget);
            default:
                return TunnelStatus.None;
        }
    }

    private TunnelStatus ReadVxlan(scoped ref HeaderBudget budget)
    {
        const ushort VxlanPort = 4789;
        const int DestinationPortEnd = 4;
        const int UdpHeaderBytes = 8;
        const int VxlanHeaderBytes = 8;
        const byte HasNetworkIdentifier = 0x08;
        if (Payload.Length < DestinationPortEnd || BinaryPrimitives.ReadUInt16BigEndian(Payload[2..]) != VxlanPort)
        {
            return TunnelStatus.None;
        }

        TunnelStatus status = TryTake(UdpHeaderBytes + VxlanHeaderBytes, ref budget, out ReadOnlySpan<byte> header);
        if (status == TunnelStatus.Found)
        {
            Content = TunnelContent.Ethernet;
            status = (header[UdpHeaderBytes] & HasNetworkIdentifier) != 0 ? status : TunnelStatus.Bad;
        }

        return status;
    }

    private TunnelStatus ReadGre(scoped ref HeaderBudget budget)
    {
        const int BaseHeaderBytes = 4;
        TunnelStatus status = TryTake(BaseHeaderBytes, ref budget, out ReadOnlySpan<byte> header);
        if (status != TunnelStatus.Found)
        {
            return status;
        }

        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(header);
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        int version = flags & GreVersionMask;
        Kind = type is GreErspan or GreErspan3 ? Decapsulation.Erspan : Decapsulation.Gre;
        if (version > 1)
        {
            return TunnelStatus.Bad;
        }

        // Checksum and offset come together, for either flag.
        int optionalBytes = ((flags & (GreChecksum | GreRouting)) != 0 ? 4 : 0)
            + ((flags & GreKey) != 0 ? 4 : 0)
            + ((flags & GreSequence) != 0 ? 4 : 0)
            + (version == 1 && (flags & GreAcknowledgment) != 0 ? 4 : 0);
        status = TryTake(optionalBytes, ref budget, out _);
        if (status == TunnelStatus.Found && (flags & GreRouting) != 0)
        {
            status = StepOverRouting(ref budget);
        }

        if (status != TunnelStatus.Found)
        {
            return status;
        }

        if (Kind == Decapsulation.Erspan)
        {
            // Type I has no header of its own, and is known by the GRE header having no sequence number.
            Content = TunnelContent.Ethernet;
            return type == GreErspan && (flags & GreSequence) == 0 ? TunnelStatus.Found : ReadErspan(ref budget);
        }

        Content = type switch
        {
            GreIPv4 => TunnelContent.IPv4,
            GreIPv6 => TunnelContent.IPv6,
            GreEthernet => TunnelContent.Ethernet,
            GrePpp => TunnelContent.Ppp,
            GreMpls or GreMplsMulticast => TunnelContent.Mpls,
            _ => TunnelContent.Other,
        };
        return TunnelStatus.Found;
    }

    /// <summary>Source route entries: family, offset and length of 4 octets, then that length; the last has family and length 0.</summary>
    private TunnelStatus StepOverRouting(scoped ref HeaderBudget budget)
    {
        const int EntryHeaderBytes = 4;
        while (true)
        {
            TunnelStatus status = TryTake(EntryHeaderBytes, ref budget, out ReadOnlySpan<byte> entry);
            if (status == TunnelStatus.Found && entry[3] != 0)
            {
                status = TryTake(entry[3], ref budget, out _);
            }

            if (status != TunnelStatus.Found)
            {
                return status;
            }

            if (entry[3] == 0 && BinaryPrimitives.ReadUInt16BigEndian(entry) == 0)
            {
                return TunnelStatus.Found;
            }
        }
    }

    private TunnelStatus ReadErspan(scoped ref HeaderBudget budget)
    {
        const int Type2 = 1;
        const int Type3 = 2;
        const int Type2HeaderBytes = 8;
        const int Type3HeaderBytes = 12;
        const int PlatformSubheaderBytes = 8;
        const byte HasPlatformSubheader = 0x01;
        const int FrameTypeMask = 0x1F;
        const int FrameTypeIp = 2;
        if (Payload.IsEmpty)
        {
            return TunnelStatus.Truncated;
        }

        int version = Payload[0] >> 4;
        if (version is not (Type2 or Type3))
        {
            return TunnelStatus.Bad;
        }

        TunnelStatus status = TryTake(version == Type2 ? Type2HeaderBytes : Type3HeaderBytes, ref budget, out ReadOnlySpan<byte> header);
        if (status != TunnelStatus.Found)
        {
            return status;
        }

        if (version == Type2)
        {
            // The tag was taken off where the frame had one (1: ISL, 2: 802.1Q) and does not have it still (3).
            VlanTci = ((header[2] >> 3) & 3) is 1 or 2 ? (ushort)(BinaryPrimitives.ReadUInt16BigEndian(header) & 0x0FFF) : (ushort)0;
            return TunnelStatus.Found;
        }

        int frameType = (BinaryPrimitives.ReadUInt16BigEndian(header[10..]) >> 10) & FrameTypeMask;
        Content = frameType switch
        {
            0 => TunnelContent.Ethernet,
            FrameTypeIp => TunnelContent.Ip,
            _ => TunnelContent.Other,
        };
        return (header[11] & HasPlatformSubheader) != 0 ? TryTake(PlatformSubheaderBytes, ref budget, out _) : TunnelStatus.Found;
    }

    /// <summary>Moves <see cref="Payload"/> behind the next header.</summary>
    private TunnelStatus TryTake(int bytes, scoped ref HeaderBudget budget, out ReadOnlySpan<byte> header)
    {
        if (!budget.TryTake(bytes) || Payload.Length < bytes)
        {
            header = default;
            return Payload.Length < bytes ? TunnelStatus.Truncated : TunnelStatus.TooDeep;
        }

        header = Payload[..bytes];
        Payload = Payload[bytes..];
        return TunnelStatus.Found;
    }
}
