using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EgressAppliance.Snmp;

/// <summary>
/// The value of a variable. Immutable; equality is by kind and content. The default value is <see cref="SnmpValueKind.Null"/>.
/// </summary>
public readonly struct SnmpValue : IEquatable<SnmpValue>
{
    // Numbers of all kinds, signed ones by sign extension; IPv4 addresses in host order.
    private readonly ulong _number;

    // byte[] for OctetString and Opaque, a boxed ObjectIdentifier for ObjectIdentifier, otherwise null.
    private readonly object? _object;

    private SnmpValue(SnmpValueKind kind, ulong number = 0, object? content = null)
    {
        Kind = kind;
        _number = number;
        _object = content;
    }

    /// <summary>The type.</summary>
    public SnmpValueKind Kind { get; }

    /// <summary>True for noSuchObject, noSuchInstance and endOfMibView: there is no value.</summary>
    public bool IsException => Kind is SnmpValueKind.NoSuchObject or SnmpValueKind.NoSuchInstance or SnmpValueKind.EndOfMibView;

    /// <summary>The placeholder of requests.</summary>
    public static SnmpValue Null => default;

    /// <summary>RFC 3416 exception: object unknown.</summary>
    public static SnmpValue NoSuchObject => new(SnmpValueKind.NoSuchObject);

    /// <summary>RFC 3416 exception: row unknown.</summary>
    public static SnmpValue NoSuchInstance => new(SnmpValueKind.NoSuchInstance);

    /// <summary>RFC 3416 exception: nothing follows.</summary>
    public static SnmpValue EndOfMibView => new(SnmpValueKind.EndOfMibView);

    /// <summary>Makes an Integer32.</summary>
    public static SnmpValue Integer32(int value) => new(SnmpValueKind.Integer32, unchecked((ulong)value));

    /// <summary>Makes an OctetString; the bytes are copied.</summary>
    public static SnmpValue OctetString(ReadOnlySpan<byte> value) => new(SnmpValueKind.OctetString, 0, value.ToArray());

    /// <summary>Makes an OctetString from text in UTF-8.</summary>
    public static SnmpValue OctetString(string value) => new(SnmpValueKind.OctetString, 0, Encoding.UTF8.GetBytes(value));

    /// <summary>Makes an ObjectIdentifier.</summary>
    public static SnmpValue ObjectId(ObjectIdentifier value) => new(SnmpValueKind.ObjectIdentifier, 0, value);

    /// <summary>Makes an IpAddress.</summary>
    /// <exception cref="ArgumentException">Not IPv4: the type has four bytes.</exception>
    public static SnmpValue IpAddress(IPAddress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Span<byte> bytes = stackalloc byte[16];
        if (value.AddressFamily != AddressFamily.InterNetwork || !value.TryWriteBytes(bytes, out _))
        {
            throw new ArgumentException("IpAddress is IPv4 only", nameof(value));
        }

        return IpAddress(bytes[..4]);
    }

    /// <summary>Makes a Counter32.</summary>
    public static SnmpValue Counter32(uint value) => new(SnmpValueKind.Counter32, value);

    /// <summary>Makes a Gauge32.</summary>
    public static SnmpValue Gauge32(uint value) => new(SnmpValueKind.Gauge32, value);

    /// <summary>Makes a TimeTicks, in hundredths of a second.</summary>
    public static SnmpValue TimeTicks(uint value) => new(SnmpValueKind.TimeTicks, value);

    /// <summary>Makes a Counter64.</summary>
    public static SnmpValue Counter64(ulong value) => new(SnmpValueKind.Counter64, value);

    /// <summary>Makes an Opaque; the bytes are copied.</summary>
    public static SnmpValue Opaque(ReadOnlySpan<byte> value) => new(SnmpValueKind.Opaque, 0, value.ToArray());

    /// <summary>The number of an Integer32. False for every other kind.</summary>
    public bool TryGetInteger(out int value)
    {
        value = unchecked((int)_number);
        return Kind == SnmpValueKind.Integer32;
    }

    /// <summary>The number of a Counter32, Gauge32, TimeTicks or Counter64. False for every other kind.</summary>
    public bool TryGetUnsigned(out ulong value)
    {
        value = _number;
        return Kind is SnmpValueKind.Counter32 or SnmpValueKind.Gauge32 or SnmpValueKind.TimeTicks or SnmpValueKind.Counter64;
    }

    /// <summary>The bytes of an OctetString or Opaque. False for every other kind.</summary>
    public bool TryGetBytes(out ReadOnlySpan<byte> value)
    {
        value = _object as byte[];
        return Kind is SnmpValueKind.OctetString or SnmpValueKind.Opaque;
    }

    /// <summary>The text of an OctetString: UTF-8, bytes that are none become U+FFFD. False for every other kind.</summary>
    public bool TryGetText(out string value)
    {
        value = _object is byte[] bytes && Kind == SnmpValueKind.OctetString ? Encoding.UTF8.GetString(bytes) : "";
        return Kind == SnmpValueKind.OctetString;
    }

    /// <summary>The identifier of an ObjectIdentifier. False for every other kind.</summary>
    public bool TryGetObjectId(out ObjectIdentifier value)
    {
        value = _object is ObjectIdentifier oid ? oid : default;
        return Kind == SnmpValueKind.ObjectIdentifier;
    }

    /// <summary>The address of an IpAddress. False, and <see cref="IPAddress.None"/>, for every other kind.</summary>
    public bool TryGetIpAddress(out IPAddress value)
    {
        value = Kind == SnmpValueKind.IpAddress ? new IPAddress([(byte)(_number >> 24), (byte)(_number >> 16), (byte)(_number >> 8), (byte)_number]) : IPAddress.None;
        return Kind == SnmpValueKind.IpAddress;
    }

    /// <inheritdoc/>
    public bool Equals(SnmpValue other)
    {
        if (Kind != other.Kind || _number != other._number)
        {
            return false;
        }

        return (_object, other._object) switch
        {
            (byte[] mine, byte[] theirs) => mine.AsSpan().SequenceEqual(theirs),
            _ => Equals(_object, other._object),
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SnmpValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Kind);
        hash.Add(_number);
        if (_object is byte[] bytes)
        {
            hash.AddBytes(bytes);
        }
        else
        {
            hash.Add(_object);
        }

        return hash.ToHashCode();
    }

    /// <summary>Kind and content for people; bytes that are no printable ASCII are shown in hexadecimal.</summary>
    public override string ToString() => Kind switch
    {
        SnmpValueKind.Integer32 => "Integer32 " + unchecked((int)_number).ToString(CultureInfo.InvariantCulture),
        SnmpValueKind.IpAddress when TryGetIpAddress(out IPAddress address) => "IpAddress " + address,
        SnmpValueKind.ObjectIdentifier => "ObjectIdentifier " + _object,
        SnmpValueKind.OctetString or SnmpValueKind.Opaque when TryGetBytes(out ReadOnlySpan<byte> bytes) =>
            Kind + " " + (bytes.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e) ? Convert.ToHexString(bytes) : $"\"{Encoding.ASCII.GetString(bytes)}\""),
        SnmpValueKind.Null or SnmpValueKind.NoSuchObject or SnmpValueKind.NoSuchInstance or SnmpValueKind.EndOfMibView => Kind.ToString(),
        _ => Kind + " " + _number.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Equal kind and content.</summary>
    public static bool operator ==(SnmpValue left, SnmpValue right) => left.Equals(right);

    /// <summary>Different kind or content.</summary>
    public static bool operator !=(SnmpValue left, SnmpValue right) => !left.Equals(right);

    /// <summary>Makes an IpAddress of four bytes in network order.</summary>
    internal static SnmpValue IpAddress(ReadOnlySpan<byte> bytes) =>
        new(SnmpValueKind.IpAddress, (ulong)bytes[0] << 24 | (ulong)bytes[1] << 16 | (ulong)bytes[2] << 8 | bytes[3]);
}
