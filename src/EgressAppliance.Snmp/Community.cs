using System.Security.Cryptography;
using System.Text;

namespace EgressAppliance.Snmp;

/// <summary>A community string (RFC 1901). It is a password sent in clear: no text form of this type shows it.</summary>
public sealed class Community : SnmpCredentials
{
    private readonly byte[] _bytes;

    /// <summary>Takes the text in UTF-8.</summary>
    public Community(string text) => _bytes = Encoding.UTF8.GetBytes(text);

    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>True if the bytes are this community; the time taken does not tell how many agree.</summary>
    public bool Matches(ReadOnlySpan<byte> bytes) => CryptographicOperations.FixedTimeEquals(_bytes, bytes);

    /// <summary>Never the community.</summary>
    public override string ToString() => "(hidden)";
}
