using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EgressAppliance.Host.Http.Access;

/// <summary>
/// A token for remote access, as the tokens file keeps it: without the secret, of which there is only the SHA-256 hash. The secret is 256
/// random bits, so that no salt and no slow hash is needed: there is nothing to guess.
/// </summary>
/// <param name="Name">Who has it: appears in the audit log.</param>
/// <param name="Scope">What it allows.</param>
/// <param name="Hash">SHA-256 of the secret's characters, 32 octets.</param>
/// <param name="Expires">First day on which it is not valid any more (UTC), or null.</param>
public sealed record AccessToken(string Name, AccessScope Scope, ReadOnlyMemory<byte> Hash, DateOnly? Expires)
{
    /// <summary>What secrets begin with, so that scanners for leaked secrets can know them.</summary>
    public const string Prefix = "egress_";

    private const int SecretBytes = 32;
    private const string HashMark = "sha256:";
    private const string ExpiryFormat = "yyyy-MM-dd";
    private const int LongestName = 64;

    /// <summary>Makes a token and the secret that goes with it, which is kept nowhere.</summary>
    public static (AccessToken Token, string Secret) Create(string name, AccessScope scope, DateOnly? expires)
    {
        string secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        return (new AccessToken(name, scope, HashOf(secret), expires), secret);
    }

    /// <summary>The hash by which a secret is known.</summary>
    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>Whether a name can stand in the file: letters, digits and <c>.-_@</c>, at most 64.</summary>
    public static bool IsName(string name) =>
        name is { Length: > 0 and <= LongestName } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '@');

    /// <summary>The line of the tokens file: <c>name scope sha256:… [expires]</c>.</summary>
    public string ToLine() =>
        $"{Name} {(Scope == AccessScope.Operate ? "operate" : "read")} {HashMark}{Convert.ToHexStringLower(Hash.Span)}"
        + (Expires is { } day ? " " + day.ToString(ExpiryFormat, CultureInfo.InvariantCulture) : "");

    /// <summary>Reads a line of the tokens file.</summary>
    /// <param name="line">The line, no comment and not empty.</param>
    /// <param name="problem">What is wrong with it if the result is null. Never holds the line's text: it may be a secret put there by mistake.</param>
    public static AccessToken? Parse(string line, out string problem)
    {
        ArgumentNullException.ThrowIfNull(line);
        problem = "";
        string[] words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is < 3 or > 4)
        {
            problem = "it is not 'name scope sha256:hash [expires]'";
            return null;
        }

        AccessScope scope = words[1] switch { "read" => AccessScope.Read, "operate" => AccessScope.Operate, _ => AccessScope.None };
        byte[] hash = new byte[SHA256.HashSizeInBytes];
        DateOnly? expires = null;
        if (!IsName(words[0]))
        {
            problem = "the name may have letters, digits and .-_@ only, at most 64";
        }
        else if (scope == AccessScope.None)
        {
            problem = "the scope is neither read nor operate";
        }
        else if (!words[2].StartsWith(HashMark, StringComparison.Ordinal) || words[2].Length != HashMark.Length + (2 * hash.Length)
            || Convert.FromHexString(words[2].AsSpan(HashMark.Length), hash, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            problem = "the hash is not sha256: and 64 hexadecimal digits";
        }
        else if (words.Length == 4)
        {
            if (DateOnly.TryParseExact(words[3], ExpiryFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day))
            {
                expires = day;
            }
            else
            {
                problem = "the day of expiry is not written as 2026-12-31";
            }
        }

        return problem.Length > 0 ? null : new AccessToken(words[0], scope, hash, expires);
    }
}
