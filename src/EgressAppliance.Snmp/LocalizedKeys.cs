using System.Security.Cryptography;

namespace EgressAppliance.Snmp;

/// <summary>A user's keys at one engine (RFC 3414 section 2.6). No text form shows them; they are overwritten when it is disposed.</summary>
public sealed class LocalizedKeys : IDisposable
{
    private readonly byte[] _authentication;
    private readonly byte[] _privacy;

    internal LocalizedKeys(AuthenticationProtocol authentication, byte[] authenticationKey, PrivacyProtocol privacy, byte[] privacyKey)
    {
        Authentication = authentication;
        Privacy = privacy;
        _authentication = authenticationKey;
        _privacy = privacyKey;
    }

    /// <summary>The authentication protocol.</summary>
    public AuthenticationProtocol Authentication { get; }

    /// <summary>The privacy protocol.</summary>
    public PrivacyProtocol Privacy { get; }

    /// <summary>Octets of msgAuthenticationParameters; 0 without authentication.</summary>
    public int DigestBytes => UsmHash.SentBytes(Authentication);

    internal void Sign(ReadOnlySpan<byte> message, Span<byte> digest) => UsmHash.Sign(Authentication, _authentication, message, digest);

    internal byte[] Encrypt(int boots, int time, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> plain) =>
        UsmCipher.Encrypt(Privacy, _privacy, boots, time, salt, plain);

    internal byte[]? Decrypt(int boots, int time, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> cipher) =>
        UsmCipher.Decrypt(Privacy, _privacy, boots, time, salt, cipher);

    /// <summary>Overwrites the keys.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_authentication);
        CryptographicOperations.ZeroMemory(_privacy);
    }

    /// <summary>The protocols, never the keys.</summary>
    public override string ToString() => $"{Authentication}, {Privacy}";
}
