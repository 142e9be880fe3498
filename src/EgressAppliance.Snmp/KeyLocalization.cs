using System.Security.Cryptography;

namespace EgressAppliance.Snmp;

/// <summary>
/// Keys from passwords (RFC 3414 section 2.6 and appendix A.2). A password gives one key, and that gives a key for each engine, so that an
/// agent that is taken over gives away its own key only.
/// </summary>
public static class KeyLocalization
{
    private const int RepeatedBytes = 1 << 20;

    /// <summary>The key of a password: the digest over a mebibyte of it repeated.</summary>
    /// <param name="protocol">Chooses the digest.</param>
    /// <param name="password">At least one octet; RFC 3414 section 11.2 wants eight.</param>
    public static byte[] PasswordToKey(AuthenticationProtocol protocol, ReadOnlySpan<byte> password)
    {
        ArgumentOutOfRangeException.ThrowIfZero(password.Length);
        byte[] repeated = GC.AllocateUninitializedArray<byte>(RepeatedBytes);
        for (int at = 0; at < repeated.Length; at += password.Length)
        {
            password[..Math.Min(password.Length, repeated.Length - at)].CopyTo(repeated.AsSpan(at));
        }

        byte[] key = UsmHash.Hash(protocol, repeated);
        CryptographicOperations.ZeroMemory(repeated);
        return key;
    }

    /// <summary>The key at one engine.</summary>
    public static byte[] Localize(AuthenticationProtocol protocol, ReadOnlySpan<byte> key, EngineId engine)
    {
        Span<byte> joined = stackalloc byte[(2 * UsmHash.MaxDigestBytes) + EngineId.MaxLength];
        key.CopyTo(joined);
        engine.Octets.CopyTo(joined[key.Length..]);
        key.CopyTo(joined[(key.Length + engine.Octets.Length)..]);
        byte[] localized = UsmHash.Hash(protocol, joined[..((2 * key.Length) + engine.Octets.Length)]);
        CryptographicOperations.ZeroMemory(joined);
        return localized;
    }

    /// <summary>The key of a privacy protocol at one engine: made longer where the digest is shorter than it must be, cut where it is longer.</summary>
    /// <param name="protocol">The authentication protocol, whose digest makes all keys.</param>
    /// <param name="privacy">The privacy protocol.</param>
    /// <param name="key">The key of the privacy password.</param>
    /// <param name="engine">The engine.</param>
    public static byte[] LocalizePrivacyKey(AuthenticationProtocol protocol, PrivacyProtocol privacy, ReadOnlySpan<byte> key, EngineId engine)
    {
        int length = UsmCipher.KeyBytes(privacy);
        byte[] localized = Localize(protocol, key, engine);
        while (localized.Length < length)
        {
            byte[] more;
            if (privacy is PrivacyProtocol.Aes192Reeder or PrivacyProtocol.Aes256Reeder)
            {
                // The last piece is taken for a password. With digests of 16 octets and more there are two pieces at most.
                byte[] again = PasswordToKey(protocol, localized);
                more = Localize(protocol, again, engine);
                CryptographicOperations.ZeroMemory(again);
            }
            else
            {
                // The digest over all that there is so far.
                more = UsmHash.Hash(protocol, localized);
            }

            byte[] longer = [.. localized, .. more];
            CryptographicOperations.ZeroMemory(localized);
            CryptographicOperations.ZeroMemory(more);
            localized = longer;
        }

        byte[] cut = localized[..length];
        CryptographicOperations.ZeroMemory(localized);
        return cut;
    }
}
