using System.Buffers.Binary;

namespace EgressAppliance.Bgp.Wire;

/// <summary>How a family's path identifiers may be used (RFC 7911 section 4).</summary>
[Flags]
public enum AddPathMode : byte
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>The sender of the capability can receive several paths.</summary>
    Receive = 1,

    /// <summary>The sender of the capability can send several paths.</summary>
    Send = 2,

    /// <summary>Both.</summary>
    Both = 3,
}

/// <summary>One family of an ADD-PATH capability.</summary>
/// <param name="Family">The family.</param>
/// <param name="Mode">What the sender of the capability can do.</param>
public readonly record struct AddPathEntry(AfiSafi Family, AddPathMode Mode);

/// <summary>One entry of an Extended Next Hop Encoding capability (RFC 8950 section 4).</summary>
/// <param name="Family">The family of the routes.</param>
/// <param name="NextHopAfi">The address family their next hop may have.</param>
public readonly record struct ExtendedNextHopEntry(AfiSafi Family, ushort NextHopAfi);

/// <summary>A capability (RFC 5492) as code and value, with readers and makers for those this project uses.</summary>
public sealed class BgpCapability : IEquatable<BgpCapability>
{
    /// <summary>Multiprotocol Extensions (RFC 4760).</summary>
    public const byte MultiprotocolCode = 1;

    /// <summary>Route Refresh (RFC 2918).</summary>
    public const byte RouteRefreshCode = 2;

    /// <summary>Extended Next Hop Encoding (RFC 8950).</summary>
    public const byte ExtendedNextHopCode = 5;

    /// <summary>BGP Extended Message (RFC 8654).</summary>
    public const byte ExtendedMessageCode = 6;

    /// <summary>Graceful Restart (RFC 4724). Read, never sent.</summary>
    public const byte GracefulRestartCode = 64;

    /// <summary>4-octet AS number (RFC 6793).</summary>
    public const byte FourOctetAsCode = 65;

    /// <summary>ADD-PATH (RFC 7911).</summary>
    public const byte AddPathCode = 69;

    /// <summary>Enhanced Route Refresh (RFC 7313). Read, never sent.</summary>
    public const byte EnhancedRouteRefreshCode = 70;

    /// <summary>Long-Lived Graceful Restart (RFC 9494). Read, never sent.</summary>
    public const byte LongLivedGracefulRestartCode = 71;

    private const int ExtendedNextHopEntryLength = 6;

    private readonly byte[] _value;

    /// <summary>A capability with a value of at most 255 octets.</summary>
    /// <exception cref="ArgumentException">The value is longer.</exception>
    public BgpCapability(byte code, ReadOnlySpan<byte> value)
    {
        if (value.Length > byte.MaxValue)
        {
            throw new ArgumentException("A capability value has at most 255 octets.", nameof(value));
        }

        Code = code;
        _value = value.ToArray();
    }

    /// <summary>Capability code.</summary>
    public byte Code { get; }

    /// <summary>Capability value.</summary>
    public ReadOnlySpan<byte> Value => _value;

    /// <summary>Route Refresh.</summary>
    public static BgpCapability RouteRefresh { get; } = new(RouteRefreshCode, []);

    /// <summary>Extended Message.</summary>
    public static BgpCapability ExtendedMessage { get; } = new(ExtendedMessageCode, []);

    /// <summary>Multiprotocol for one family.</summary>
    public static BgpCapability Multiprotocol(AfiSafi family) => new(MultiprotocolCode, [(byte)(family.Afi >> 8), (byte)family.Afi, 0, family.Safi]);

    /// <summary>Extended Next Hop Encoding: routes of <paramref name="family"/> may have next hops of another address family.</summary>
    public static BgpCapability ExtendedNextHop(AfiSafi family, ushort nextHopAfi)
    {
        Span<byte> value = stackalloc byte[ExtendedNextHopEntryLength];
        BinaryPrimitives.WriteUInt16BigEndian(value, family.Afi);
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], family.Safi);
        BinaryPrimitives.WriteUInt16BigEndian(value[4..], nextHopAfi);
        return new(ExtendedNextHopCode, value);
    }

    /// <summary>4-octet AS number.</summary>
    public static BgpCapability FourOctetAs(uint asNumber)
    {
        Span<byte> value = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(value, asNumber);
        return new(FourOctetAsCode, value);
    }

    /// <summary>ADD-PATH for some families.</summary>
    public static BgpCapability AddPath(params ReadOnlySpan<AddPathEntry> entries)
    {
        byte[] value = new byte[entries.Length * 4];
        for (int i = 0; i < entries.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(value.AsSpan(i * 4), entries[i].Family.Afi);
            value[(i * 4) + 2] = entries[i].Family.Safi;
            value[(i * 4) + 3] = (byte)entries[i].Mode;
        }

        return new(AddPathCode, value);
    }

    /// <summary>The family of a well-formed Multiprotocol capability.</summary>
    public bool TryGetMultiprotocol(out AfiSafi family)
    {
        bool good = Code == MultiprotocolCode && _value.Length == 4;
        family = good ? new(BinaryPrimitives.ReadUInt16BigEndian(_value), _value[3]) : default;
        return good;
    }

    /// <summary>The AS number of a well-formed 4-octet AS capability.</summary>
    public bool TryGetFourOctetAs(out uint asNumber)
    {
        bool good = Code == FourOctetAsCode && _value.Length == 4;
        asNumber = good ? BinaryPrimitives.ReadUInt32BigEndian(_value) : 0;
        return good;
    }

    /// <summary>The entries of a well-formed ADD-PATH capability; entries with an undefined mode are left out, as RFC 7911 section 4 says.</summary>
    public bool TryGetAddPath(out IReadOnlyList<AddPathEntry> entries)
    {
        var found = new List<AddPathEntry>();
        entries = found;
        if (Code != AddPathCode || _value.Length % 4 != 0)
        {
            return false;
        }

        for (int i = 0; i < _value.Length; i += 4)
        {
            if (_value[i + 3] is >= 1 and <= 3)
            {
                found.Add(new(new(BinaryPrimitives.ReadUInt16BigEndian(_value.AsSpan(i)), _value[i + 2]), (AddPathMode)_value[i + 3]));
            }
        }

        return true;
    }

    /// <summary>The entries of a well-formed Extended Next Hop Encoding capability; the SAFI has two octets there, and one beyond 255 names no family.</summary>
    public bool TryGetExtendedNextHop(out IReadOnlyList<ExtendedNextHopEntry> entries)
    {
        var found = new List<ExtendedNextHopEntry>();
        entries = found;
        if (Code != ExtendedNextHopCode || _value.Length % ExtendedNextHopEntryLength != 0)
        {
            return false;
        }

        for (int i = 0; i < _value.Length; i += ExtendedNextHopEntryLength)
        {
            ReadOnlySpan<byte> entry = _value.AsSpan(i, ExtendedNextHopEntryLength);
            if (entry[2] == 0)
            {
                found.Add(new(new(BinaryPrimitives.ReadUInt16BigEndian(entry), entry[3]), BinaryPrimitives.ReadUInt16BigEndian(entry[4..])));
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Equals(BgpCapability? other) => other is not null && Code == other.Code && _value.AsSpan().SequenceEqual(other._value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BgpCapability);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Code);
        hash.AddBytes(_value);
        return hash.ToHashCode();
    }

    /// <summary>Code and value in hexadecimal.</summary>
    public override string ToString() => $"{Code}:{Convert.ToHexStringLower(_value)}";
}
