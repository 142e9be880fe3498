using System.Text;

namespace EgressAppliance.Host.Http.Access;

/// <summary>What a tokens file holds.</summary>
/// <param name="Tokens">Its tokens, in order.</param>
/// <param name="Problems">Lines that are not tokens and give no access, as <c>line N: …</c>; or why the file cannot be read.</param>
public sealed record TokenFileContent(IReadOnlyList<AccessToken> Tokens, IReadOnlyList<string> Problems);

/// <summary>
/// The tokens file: a line for each token, <c>#</c> begins a comment. It is text so that a token is revoked with any editor, and has no secret in it.
/// </summary>
public static class TokenFile
{
    /// <summary>Where it is unless the configuration says otherwise.</summary>
    public const string DefaultPath = "/etc/egress-appliance/tokens";

    private const int MaximumBytes = 1 << 20;
    private const int MaximumTokens = 1000;

    /// <summary>Reads the file. Never throws for what is in it or in its way.</summary>
    public static TokenFileContent Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            byte[] buffer = new byte[MaximumBytes + 1];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return length > MaximumBytes
                ? new TokenFileContent([], [$"{path} is larger than 1 MiB"])
                : Parse(Encoding.UTF8.GetString(buffer, 0, length));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new TokenFileContent([], [$"{path} cannot be read: {e.Message}"]);
        }
    }

    /// <summary>Reads the text of the file.</summary>
    public static TokenFileContent Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<AccessToken> tokens = [];
        List<string> problems = [];
        int number = 0;
        foreach (string raw in text.Split('\n'))
        {
            number++;
            string line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (tokens.Count == MaximumTokens)
            {
                problems.Add($"line {number}: more than {MaximumTokens} tokens; the rest gives no access");
                break;
            }

            AccessToken? token = AccessToken.Parse(line, out string problem);
            if (token is null)
            {
                problems.Add($"line {number}: {problem}");
            }
            else if (tokens.Exists(t => t.Name == token.Name))
            {
                problems.Add($"line {number}: there is a token {token.Name} already");
            }
            else
            {
                tokens.Add(token);
            }
        }

        return new TokenFileContent(tokens, problems);
    }

    /// <summary>Adds a token at the end, and makes the file, for its owner only, if there is none.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Append(string path, AccessToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        string text = File.Exists(path) ? File.ReadAllText(path) : "# name scope sha256:hash [day of expiry]\n";
        Replace(path, (text.Length == 0 || text[^1] == '\n' ? text : text + "\n") + token.ToLine() + "\n");
    }

    /// <summary>Removes a token; false if there is none of that name.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static bool Remove(string path, string name)
    {
        string[] lines = File.ReadAllLines(path);
        string[] left = [.. lines.Where(l => AccessToken.Parse(l.Trim(), out _)?.Name != name)];
        if (left.Length == lines.Length)
        {
            return false;
        }

        Replace(path, string.Concat(left.Select(l => l + "\n")));
        return true;
    }

    /// <summary>By a new file beside it: a reader never sees half of it. Owner, group and mode stay as they are, for the appliance's user may be another.</summary>
    private static void Replace(string path, string text)
    {
        if (File.Exists(path))
        {
            // A new file would belong to whoever runs the command, and the appliance could not read it.
            using FileStream stream = new(path, FileMode.Open, FileAccess.Write, FileShare.Read);
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.SetLength(stream.Position);
            stream.Flush(flushToDisk: true);
            return;
        }

        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        };
        using FileStream created = new(path, options);
        created.Write(Encoding.UTF8.GetBytes(text));
        created.Flush(flushToDisk: true);
    }
}
