using System.Text;

namespace EgressAppliance.Host.Config;

/// <summary>
/// Reads the files that <c>*_file</c> keys name. Secrets stand in files of their own so that the configuration can be shown, stored and
/// mailed; what is read here never reaches a message.
/// </summary>
public static class SecretFile
{
    // Stands for the file, which the configuration and the command line name as they were given it.
    private const string FileMark = "\0";

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Reads a secret; null (with an error at the key) if it cannot be used.</summary>
    /// <param name="key">The key that names the file.</param>
    /// <param name="baseDirectory">What relative paths are relative to.</param>
    /// <param name="maximumBytes">Longest secret allowed, in bytes of UTF-8.</param>
    /// <param name="diagnostics">Takes errors and warnings.</param>
    public static string? Read(BoundValue key, string baseDirectory, int maximumBytes, ConfigDiagnostics diagnostics)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(diagnostics);
        string path = Path.GetFullPath(key.Text, baseDirectory);
        (string? secret, string problem, string remedy) = Read(path, maximumBytes);
        if (problem.Length > 0)
        {
            diagnostics.Error(key.At, $"'{key.Path}': {problem.Replace(FileMark, $"'{key.Text}'", StringComparison.Ordinal)}", remedy);
            return null;
        }

        WarnIfOthersMayRead(key, path, diagnostics);
        if (secret!.Trim().Length != secret.Length)
        {
            diagnostics.Warn(key.At, $"'{key.Path}': the secret in '{key.Text}' begins or ends with a blank", "remove it, unless the router has it too: it is part of the secret");
        }

        return secret;
    }

    /// <summary>Reads the secret of a command line's option.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="path">The file.</param>
    /// <param name="maximumBytes">Longest secret allowed, in bytes of UTF-8.</param>
    /// <param name="error">What is wrong and what to do about it if the result is null.</param>
    public static string? Read(string option, string path, int maximumBytes, out string error)
    {
        (string? secret, string problem, string remedy) = Read(Path.GetFullPath(path), maximumBytes);
        error = $"{option}: {problem.Replace(FileMark, $"'{path}'", StringComparison.Ordinal)}; {remedy}";
        return problem.Length > 0 ? null : secret;
    }

    /// <summary>The secret, or a problem that has <see cref="FileMark"/> in place of the file.</summary>
    private static (string? Secret, string Problem, string Remedy) Read(string path, int maximumBytes)
    {
        string secret;
        try
        {
            if (!File.Exists(path))
            {
                return (
                    null, Directory.Exists(path) ? $"{FileMark} is a directory" : $"there is no file {FileMark}",
                    path.Contains("/~/", StringComparison.Ordinal) ? "'~' is not expanded; write the whole path"
                        : "create the file with the secret as its only line, readable by the appliance's user");
            }

            // One line is asked for; a wrong path to something huge must not be read whole.
            using FileStream stream = File.OpenRead(path);
            byte[] buffer = new byte[maximumBytes + 3];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            secret = Encoding.UTF8.GetString(buffer, 0, length).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"{FileMark} cannot be read: {e.Message}", "let the appliance's user read the file");
        }

        return secret.Length == 0 ? (null, $"{FileMark} is empty", "write the secret into it as its only line")
            : secret.AsSpan().ContainsAny('\r', '\n', '\0') ? (null, $"{FileMark} has more than one line", "leave the secret as its only line")
            : Encoding.UTF8.GetByteCount(secret) > maximumBytes ? (null, $"{FileMark} is longer than {maximumBytes} bytes", $"use at most {maximumBytes} bytes")
            : (secret, "", "");
    }

    /// <summary>Warns if accounts other than its owner may read or write a file with a secret.</summary>
    internal static void WarnIfOthersMayRead(BoundValue key, string path, ConfigDiagnostics diagnostics)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        UnixFileMode mode;
        try
        {
            mode = File.GetUnixFileMode(path);
        }
        catch (IOException)
        {
            // Replaced since it was read; the next check sees the new one.
            return;
        }

        if ((mode & Others) != 0)
        {
            diagnostics.Warn(key.At, $"'{key.Path}': others than its owner may read or write '{key.Text}'", "run `chmod 600` on it");
        }
    }
}
