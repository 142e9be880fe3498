using System.Security.Cryptography;

namespace EgressAppliance.Host.Http.Access;

/// <summary>
/// The tokens in force. The file is looked at anew when it changes, so that a token is revoked by removing its line; one that cannot be
/// read gives no access to anybody. Any thread.
/// </summary>
public sealed class TokenStore
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly Action<string> _report;
    private readonly Lock _gate = new();
    private TokenFileContent _content = new([], []);
    private (DateTime Written, long Length) _seen;
    private long? _looked;

    /// <summary>Reads the file for the first time.</summary>
    /// <param name="path">The tokens file.</param>
    /// <param name="time">The clock, for expiry.</param>
    /// <param name="report">Told of each problem once when the file is read.</param>
    public TokenStore(string path, TimeProvider time, Action<string> report)
    {
        _path = path;
        _time = time;
        _report = report;
        _ = Content();
    }

    /// <summary>Number of tokens in the file, expired ones included.</summary>
    public int Count => Content().Tokens.Count;

    /// <summary>What is wrong with the file now.</summary>
    public IReadOnlyList<string> Problems => Content().Problems;

    /// <summary>The token of a secret, or null. Takes as long whichever token it is, and if it is none.</summary>
    public AccessToken? Find(string secret)
    {
        byte[] hash = AccessToken.HashOf(secret);
        AccessToken? found = null;
        foreach (AccessToken token in Content().Tokens)
        {
            // Without leaving the loop: how long it takes must not tell how far a guess has come.
            if (CryptographicOperations.FixedTimeEquals(token.Hash.Span, hash))
            {
                found = token;
            }
        }

        return found?.Expires is { } day && DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime) >= day ? null : found;
    }

    private TokenFileContent Content()
    {
        lock (_gate)
        {
            if (_looked is { } before && _time.GetElapsedTime(before) < LookEvery)
            {
                return _content;
            }

            FileInfo file = new(_path);
            (DateTime, long) now = file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
            if (_looked is null || now != _seen)
            {
                _seen = now;
                _content = TokenFile.Read(_path);
                foreach (string problem in _content.Problems)
                {
                    _report(problem);
                }
            }

            _looked = _time.GetTimestamp();
            return _content;
        }
    }
}
