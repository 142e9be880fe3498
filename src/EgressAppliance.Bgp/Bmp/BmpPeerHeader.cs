using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>What tells one monitored peer of a router from another (RFC 7854 section 4.2, RFC 9069 section 4).</summary>
/// <param name="Type">Kind of peer.</param>
/// <param name="Distinguisher">Instance of the router, 0 for the default one.</param>
/// <param name="Address">The peer's address; 0.0.0.0 for a Loc-RIB.</param>
public readonly record struct BmpPeerId(BmpPeerType Type, ulong Distinguisher, IpAddr Address)
{
    /// <summary>As in <c>192.0.2.1</c>, <c>65000:7 192.0.2.1</c> or <c>loc-rib</c>.</summary>
    public override string ToString()
    {
        string address = Type == BmpPeerType.LocRibInstance ? "loc-rib" : Address.ToString();
        return Distinguisher == 0 ? address : $"{FormatDistinguisher(Distinguisher)} {address}";
    }

    /// <summary>A distinguisher as routers print route distinguishers (RFC 4364 section 4.2); what is none of the three types is printed in hexadecimal.</summary>
    public static string FormatDistinguisher(ulong value)
    {
        uint middle = (uint)(value >> 16);
        return (value >> 48) switch
        {
            0 => $"{(ushort)(value >> 32)}:{(uint)value}",
            1 => $"{IpAddr.FromIPv4(middle)}:{(ushort)value}",
            2 => $"{middle}:{(ushort)value}",
            _ => value.ToString("x16"),
        };
    }
}

/// <summary>The per-peer header (RFC 7854 section 4.2) with the flags of RFC 8671 section 4 and RFC 9069 section 4.2.</summary>
/// <param name="Id">The peer.</param>
/// <param name="Flags">Flags as they stand.</param>
/// <param name="As">The peer's AS; the router's own for a Loc-RIB.</param>
/// <param name="BgpId">The peer's BGP identifier, host order.</param>
/// <param name="TimestampSeconds">When the router learned what the message is about, seconds since 1970; 0 if it does not tell.</param>
/// <param name="TimestampMicroseconds">Microseconds on top.</param>
public readonly record struct BmpPeerHeader(
    BmpPeerId Id, byte Flags, uint As, uint BgpId, uint TimestampSeconds, uint TimestampMicroseconds)
{
    private const byte IPv6Flag = 0x80;
    private const byte PostPolicyFlag = 0x40;
    private const byte LegacyAsPathFlag = 0x20;
    private const byte AdjRibOutFlag = 0x10;
    private const byte FilteredFlag = 0x80;

    /// <summary>Loc-RIB messages have flags of their own.</summary>
    public bool IsLocRib => Id.Type == BmpPeerType.LocRibInstance;

    /// <summary>V: the peer's address is IPv6.</summary>
    public bool IsIPv6 => !IsLocRib && (Flags & IPv6Flag) != 0;

    /// <summary>L: after policy.</summary>
    public bool IsPostPolicy => !IsLocRib && (Flags & PostPolicyFlag) != 0;

    /// <summary>A: AS_PATH has 2-octet numbers.</summary>
    public bool IsLegacyAsPath => !IsLocRib && (Flags & LegacyAsPathFlag) != 0;

    /// <summary>O: Adj-RIB-Out (RFC 8671).</summary>
    public bool IsAdjRibOut => !IsLocRib && (Flags & AdjRibOutFlag) != 0;

    /// <summary>F: the router shows only a part of its Loc-RIB (RFC 9069).</summary>
    public bool IsFiltered => IsLocRib && (Flags & FilteredFlag) != 0;

    /// <summary>The table that a Route Monitoring message with this header is about.</summary>
    public BmpTable Table =>
        IsLocRib ? BmpTable.LocRib
        : IsAdjRibOut ? (IsPostPolicy ? BmpTable.AdjRibOutPostPolicy : BmpTable.AdjRibOutPrePolicy)
        : IsPostPolicy ? BmpTable.AdjRibInPostPolicy
        : BmpTable.AdjRibInPrePolicy;

    /// <summary>Reads the header. Returns the error, or null.</summary>
    public static BmpError? Read(ref BgpReader reader, out BmpPeerHeader header)
    {
        header = default;
        if (!reader.TryReadByte(out byte type) || !reader.TryReadByte(out byte flags) || !reader.TryReadUInt64(out ulong distinguisher)
            || !reader.TryReadSpan(16, out ReadOnlySpan<byte> address) || !reader.TryReadUInt32(out uint asNumber)
            || !reader.TryReadUInt32(out uint bgpId) || !reader.TryReadUInt32(out uint seconds) || !reader.TryReadUInt32(out uint microseconds))
        {
            return new(BmpErrorKind.Truncated, "the message ends within the per-peer header");
        }

        var kind = (BmpPeerType)type;
        if (kind > BmpPeerType.LocRibInstance)
        {
            return new(BmpErrorKind.PeerType, $"peer type {type} is not defined");
        }

        bool ipv6 = kind != BmpPeerType.LocRibInstance && (flags & IPv6Flag) != 0;
        IpAddr peer = IpAddr.FromBytes(ipv6 ? address : address[12..]);
        header = new(new(kind, distinguisher, peer), flags, asNumber, bgpId, seconds, microseconds);
        return null;
    }

    /// <summary>Writes the header.</summary>
    public void Encode(ref BgpWriter writer)
    {
        writer.WriteByte((byte)Id.Type);
        writer.WriteByte(Flags);
        writer.WriteUInt64(Id.Distinguisher);
        if (Id.Address.Family != IpFamily.IPv6)
        {
            writer.WriteUInt64(0);
            writer.WriteUInt32(0);
        }

        if (Id.Address.IsDefault)
        {
            writer.WriteUInt32(0);
        }
        else
        {
            writer.WriteAddress(Id.Address);
        }

        writer.WriteUInt32(As);
        writer.WriteUInt32(BgpId);
        writer.WriteUInt32(TimestampSeconds);
        writer.WriteUInt32(TimestampMicroseconds);
    }
}
