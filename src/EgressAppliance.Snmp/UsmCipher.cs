using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EgressAppliance.Snmp;

/// <summary>The privacy protocols: DES-CBC (RFC 3414 section 8) and AES-CFB (RFC 3826 section 3).</summary>
internal static class UsmCipher
{
    /// <summary>Octets of msgPrivacyParameters: the salt.</summary>
    public const int SaltBytes = 8;

    private const int DesBytes = 8;
    private const int AesBlockBytes = 16;

    /// <summary>Octets of the key; with DES key and pre-IV.</summary>
    public static int KeyBytes(PrivacyProtocol protocol) => protocol switch
    {
        PrivacyProtocol.Des => 2 * DesBytes,
        PrivacyProtocol.Aes128 => 16,
        PrivacyProtocol.Aes192 or PrivacyProtocol.Aes192Reeder => 24,
        PrivacyProtocol.Aes256 or PrivacyProtocol.Aes256Reeder => 32,
        _ => 0,
    };

    /// <summary>Enciphers a scoped PDU.</summary>
    /// <param name="protocol">The protocol.</param>
    /// <param name="key">The key at the engine.</param>
    /// <param name="boots">msgAuthoritativeEngineBoots of the message.</param>
    /// <param name="time">msgAuthoritativeEngineTime of the message.</param>
    /// <param name="salt">A number that no other message with this key has; goes out as msgPrivacyParameters.</param>
    /// <param name="plain">The scoped PDU.</param>
    public static byte[] Encrypt(PrivacyProtocol protocol, ReadOnlySpan<byte> key, int boots, int time, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> plain)
    {
        Span<byte> iv = stackalloc byte[AesBlockBytes];
        if (protocol == PrivacyProtocol.Des)
        {
            byte[] padded = new byte[(plain.Length + DesBytes - 1) / DesBytes * DesBytes];
            plain.CopyTo(padded);
            using DES des = MakeDes(key, salt, iv);
            return des.EncryptCbc(padded, iv[..DesBytes], PaddingMode.None);
        }

        using Aes aes = MakeAes(key, boots, time, salt, iv);
        return aes.EncryptCfb(Padded(plain), iv, PaddingMode.None, 8 * AesBlockBytes)[..plain.Length];
    }

    /// <summary>Deciphers what came; null if the length is wrong for the protocol. A wrong key gives other octets.</summary>
    public static byte[]? Decrypt(PrivacyProtocol protocol, ReadOnlySpan<byte> key, int boots, int time, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> cipher)
    {
        if (salt.Length != SaltBytes || cipher.IsEmpty)
        {
            return null;
        }

        Span<byte> iv = stackalloc byte[AesBlockBytes];
        if (protocol == PrivacyProtocol.Des)
        {
            if (cipher.Length % DesBytes != 0)
            {
                return null;
            }

            using DES des = MakeDes(key, salt, iv);
            return des.DecryptCbc(cipher, iv[..DesBytes], PaddingMode.None);
        }

        using Aes aes = MakeAes(key, boots, time, salt, iv);
        return aes.DecryptCfb(Padded(cipher), iv, PaddingMode.None, 8 * AesBlockBytes)[..cipher.Length];
    }

    private static DES MakeDes(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, Span<byte> iv)
    {
#pragma warning disable CA5351 // The protocol is DES; the documentation tells operators to use AES.
        DES des = DES.Create();
#pragma warning restore CA5351
        byte[] own = key[..DesBytes].ToArray();
        des.Key = own;
        CryptographicOperations.ZeroMemory(own);
        for (int i = 0; i < DesBytes; i++)
        {
            iv[i] = (byte)(key[DesBytes + i] ^ salt[i]);
        }

        return des;
    }

    private static Aes MakeAes(ReadOnlySpan<byte> key, int boots, int time, ReadOnlySpan<byte> salt, Span<byte> iv)
    {
        Aes aes = Aes.Create();
        aes.SetKey(key);
        BinaryPrimitives.WriteInt32BigEndian(iv, boots);
        BinaryPrimitives.WriteInt32BigEndian(iv[4..], time);
        salt.CopyTo(iv[8..]);
        return aes;
    }

    /// <summary>The framework wants whole blocks; in this mode what is behind does not change what is before.</summary>
    private static byte[] Padded(ReadOnlySpan<byte> data)
    {
        byte[] padded = new byte[(data.Length + AesBlockBytes - 1) / AesBlockBytes * AesBlockBytes];
        data.CopyTo(padded);
        return padded;
    }
}
