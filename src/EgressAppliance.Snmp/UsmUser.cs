using System.Security.Cryptography;
using System.Text;

namespace EgressAppliance.Snmp;

/// <summary>
/// A user of the user-based security model (RFC 3414) with its passwords. Passwords are turned into keys at once and not kept; no text
/// form shows either.
/// </summary>
public sealed class UsmUser : SnmpCredentials, IDisposable
{
    /// <summary>The most octets of a name (RFC 3414 section 5, usmUserSecurityName).</summary>
    public const int MaxNameBytes = 32;

    /// <summary>The fewest octets of a password (RFC 3414 section 11.2).</summary>
    public const int MinPasswordBytes = 8;

    private readonly byte[] _authenticationKey = [];
    private readonly byte[] _privacyKey = [];

    /// <summary>Makes a user; with an authentication protocol it takes some milliseconds to make the keys.</summary>
    /// <param name="name">1 to 32 octets of UTF-8.</param>
    /// <param name="authentication">How messages are authenticated.</param>
    /// <param name="authenticationPassword">At least eight octets of UTF-8; null without authentication.</param>
    /// <param name="privacy">How messages are enciphered; needs authentication.</param>
    /// <param name="privacyPassword">At least eight octets of UTF-8; null without privacy.</param>
    /// <exception cref="ArgumentException">Name or passwords have the wrong length, a password without a protocol or the reverse, privacy without authentication.</exception>
    public UsmUser(
        string name,
        AuthenticationProtocol authentication = AuthenticationProtocol.None,
        string? authenticationPassword = null,
        PrivacyProtocol privacy = PrivacyProtocol.None,
        string? privacyPassword = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Encoding.UTF8.GetByteCount(name) is 0 or > MaxNameBytes)
        {
            throw new ArgumentException($"a user's name has 1 to {MaxNameBytes} octets", nameof(name));
        }

        if (privacy != PrivacyProtocol.None && authentication == AuthenticationProtocol.None)
        {
            throw new ArgumentException("there is no privacy without authentication", nameof(privacy));
        }

        Name = name;
        Authentication = authentication;
        Privacy = privacy;
        _authenticationKey = Key(authentication, authentication != AuthenticationProtocol.None, authenticationPassword, nameof(authenticationPassword));
        _privacyKey = Key(authentication, privacy != PrivacyProtocol.None, privacyPassword, nameof(privacyPassword));
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The authentication protocol.</summary>
    public AuthenticationProtocol Authentication { get; }

    /// <summary>The privacy protocol.</summary>
    public PrivacyProtocol Privacy { get; }

    /// <summary>The level of every message: what the protocols allow.</summary>
    public SecurityLevel Level =>
        Privacy != PrivacyProtocol.None ? SecurityLevel.AuthPriv
        : Authentication != AuthenticationProtocol.None ? SecurityLevel.AuthNoPriv
        : SecurityLevel.NoAuthNoPriv;

    /// <summary>The context asked (RFC 3411 section 3.3.1); empty for the default one.</summary>
    public string ContextName { get; init; } = "";

    /// <summary>The agent's engine ID, if no other is to be accepted; otherwise the agent is asked for it.</summary>
    public EngineId? EngineId { get; init; }

    /// <summary>The keys at one engine.</summary>
    public LocalizedKeys Localize(EngineId engine) => new(
        Authentication,
        Authentication == AuthenticationProtocol.None ? [] : KeyLocalization.Localize(Authentication, _authenticationKey, engine),
        Privacy,
        Privacy == PrivacyProtocol.None ? [] : KeyLocalization.LocalizePrivacyKey(Authentication, Privacy, _privacyKey, engine));

    /// <summary>Overwrites the keys.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_authenticationKey);
        CryptographicOperations.ZeroMemory(_privacyKey);
    }

    /// <summary>Name, level and protocols; never a key.</summary>
    public override string ToString() => $"user {Name}, {Level} ({Authentication}, {Privacy})";

    private static byte[] Key(AuthenticationProtocol digest, bool wanted, string? password, string parameter)
    {
        if (wanted != password is not null)
        {
            throw new ArgumentException(wanted ? "the protocol needs a password" : "there is a password without a protocol", parameter);
        }

        if (password is null)
        {
            return [];
        }

        byte[] octets = Encoding.UTF8.GetBytes(password);
        if (octets.Length < MinPasswordBytes)
        {
            throw new ArgumentException($"a password has at least {MinPasswordBytes} octets (RFC 3414 section 11.2)", parameter);
        }

        byte[] key = KeyLocalization.PasswordToKey(digest, octets);
        CryptographicOperations.ZeroMemory(octets);
        return key;
    }
}
