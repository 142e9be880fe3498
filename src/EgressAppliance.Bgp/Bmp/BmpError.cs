namespace EgressAppliance.Bgp.Bmp;

/// <summary>What is wrong with a BMP message. The first two leave no way to find the next message.</summary>
public enum BmpErrorKind
{
    /// <summary>The common header has a version other than 3.</summary>
    Version,

    /// <summary>The common header's length is less than the header or more than is taken.</summary>
    Length,

    /// <summary>A type that RFC 7854 does not define.</summary>
    MessageType,

    /// <summary>The message ends before its fields do.</summary>
    Truncated,

    /// <summary>Octets are left over after the fields.</summary>
    Excess,

    /// <summary>A peer type that no RFC defines.</summary>
    PeerType,

    /// <summary>An information, statistics or mirroring TLV does not fit, or its value has the wrong length.</summary>
    Tlv,

    /// <summary>The BGP message inside has a bad header, or is not of the type that must stand there.</summary>
    BgpHeader,

    /// <summary>An OPEN of a Peer Up cannot be read.</summary>
    Open,

    /// <summary>The UPDATE inside is malformed in a way that leaves its routes unknown (RFC 7606: session reset).</summary>
    Update,
}

/// <summary>An error in a BMP message.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The error in words.</param>
public sealed record BmpError(BmpErrorKind Kind, string Text)
{
    /// <summary>Nothing after this message can be found: the connection must end. Else only this message is lost.</summary>
    public bool EndsConnection => Kind is BmpErrorKind.Version or BmpErrorKind.Length;
}
