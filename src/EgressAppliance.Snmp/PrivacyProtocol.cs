namespace EgressAppliance.Snmp;

/// <summary>
/// How messages are enciphered. AES with longer keys than RFC 3826 has was never standardized; two ways are in use to make a key longer
/// than the digest it comes from, and they agree only where the digest is long enough by itself.
/// </summary>
public enum PrivacyProtocol
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>DES in CBC mode (RFC 3414 section 8). Can be broken by brute force.</summary>
    Des,

    /// <summary>AES with 128 bits in CFB mode (RFC 3826).</summary>
    Aes128,

    /// <summary>AES with 192 bits; key extension of draft-blumenthal-aes-usm-04.</summary>
    Aes192,

    /// <summary>AES with 256 bits; key extension of draft-blumenthal-aes-usm-04.</summary>
    Aes256,

    /// <summary>AES with 192 bits; key extension of draft-reeder-snmpv3-usm-3desede-00, as Cisco does it.</summary>
    Aes192Reeder,

    /// <summary>AES with 256 bits; key extension of draft-reeder-snmpv3-usm-3desede-00, as Cisco does it.</summary>
    Aes256Reeder,
}
