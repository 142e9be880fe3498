using System.Security.Cryptography;

namespace EgressAppliance.Snmp;

/// <summary>The digests under the authentication protocols (RFC 3414 sections 6 and 7, RFC 7860 section 4).</summary>
internal static class UsmHash
{
    public const int MaxDigestBytes = 64;

    /// <summary>Octets of the digest, which is also the length of a key.</summary>
    public static int DigestBytes(AuthenticationProtocol protocol) => protocol switch
    {
        AuthenticationProtocol.HmacMd5 => MD5.HashSizeInBytes,
        AuthenticationProtocol.HmacSha1 => SHA1.HashSizeInBytes,
        AuthenticationProtocol.HmacSha224 => Sha224.DigestBytes,
        AuthenticationProtocol.HmacSha256 => SHA256.HashSizeInBytes,
        AuthenticationProtocol.HmacSha384 => SHA384.HashSizeInBytes,
        AuthenticationProtocol.HmacSha512 => SHA512.HashSizeInBytes,
        _ => 0,
    };

    /// <summary>Octets of it that are sent.</summary>
    public static int SentBytes(AuthenticationProtocol protocol) => protocol switch
    {
        AuthenticationProtocol.HmacMd5 or AuthenticationProtocol.HmacSha1 => 12,
        AuthenticationProtocol.HmacSha224 => 16,
        AuthenticationProtocol.HmacSha256 => 24,
        AuthenticationProtocol.HmacSha384 => 32,
        AuthenticationProtocol.HmacSha512 => 48,
        _ => 0,
    };

    public static byte[] Hash(AuthenticationProtocol protocol, ReadOnlySpan<byte> data)
    {
        if (protocol == AuthenticationProtocol.HmacSha224)
        {
            byte[] digest = new byte[Sha224.DigestBytes];
            Sha224.HashData(data, digest);
            return digest;
        }

        return CryptographicOperations.HashData(Name(protocol), data);
    }

    /// <summary>Writes the part of the HMAC that is sent.</summary>
    public static void Sign(AuthenticationProtocol protocol, ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> sent)
    {
        Span<byte> whole = stackalloc byte[MaxDigestBytes];
        if (protocol == AuthenticationProtocol.HmacSha224)
        {
            Sha224.Hmac(key, message, whole);
        }
        else
        {
            CryptographicOperations.HmacData(Name(protocol), key, message, whole);
        }

        whole[..sent.Length].CopyTo(sent);
    }

    private static HashAlgorithmName Name(AuthenticationProtocol protocol) => protocol switch
    {
        AuthenticationProtocol.HmacMd5 => HashAlgorithmName.MD5,
        AuthenticationProtocol.HmacSha1 => HashAlgorithmName.SHA1,
        AuthenticationProtocol.HmacSha256 => HashAlgorithmName.SHA256,
        AuthenticationProtocol.HmacSha384 => HashAlgorithmName.SHA384,
        AuthenticationProtocol.HmacSha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(protocol), protocol, "no digest"),
    };
}
