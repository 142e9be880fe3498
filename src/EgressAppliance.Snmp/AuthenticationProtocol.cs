namespace EgressAppliance.Snmp;

/// <summary>How the sender of a message is proven.</summary>
public enum AuthenticationProtocol
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>HMAC-MD5-96 (RFC 3414 section 6).</summary>
    HmacMd5,

    /// <summary>HMAC-SHA-96 (RFC 3414 section 7).</summary>
    HmacSha1,

    /// <summary>HMAC-SHA-224, 128 bits sent (RFC 7860 section 4.1).</summary>
    HmacSha224,

    /// <summary>HMAC-SHA-256, 192 bits sent (RFC 7860 section 4.1).</summary>
    HmacSha256,

    /// <summary>HMAC-SHA-384, 256 bits sent (RFC 7860 section 4.1).</summary>
    HmacSha384,

    /// <summary>HMAC-SHA-512, 384 bits sent (RFC 7860 section 4.1).</summary>
    HmacSha512,
}
