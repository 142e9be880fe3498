using System.Text;

namespace EgressAppliance.Host.Config;

/// <summary>
/// Reads the files that <c>*_file</c> keys name. Secrets stand in files of their own so that the configuration can be shown, stored and
/// mailed; what is read here never reaches a message.
/// </summary>
public static class SecretFile
{
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
        string secret;
        try
        {
            if (!File.Exists(path))
            {
                diagnostics.Error(
                    key.At,
                    Directory.Exists(path) ? $"'{key.Path}': '{key.Text}' is a directory" : $"'{key.Path}': there is no file '{key.Text}'",
                    "create the file with the secret as its only line, readable by the appliance's user");
                return null;
            }

            WarnIfOthersMayRead(key, path, diagnostics);

            // One line is asked for; a wrong path to something huge must not be read whole.
            using FileStream stream = File.OpenRead(path);
            byte[] buffer = new byte[maximumBytes + 3];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            secret = Encoding.UTF8.GetString(buffer, 0, length).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            diagnostics.Error(key.At, $"'{key.Path}': '{key.Text}' cannot be read: {e.Message}", "let the appliance's user read the file");
            return null;
        }

        (string? problem, string remedy) =
            secret.Length == 0 ? ("is empty", "write the secret into it as its only line")
            : secret.AsSpan().ContainsAny('\r', '\n', '\0') ? ("has more than one line", "leave the secret as its only line")
            : Encoding.UTF8.GetByteCount(secret) > maximumBytes ? ($"is longer than {maximumBytes} bytes", $"use at most {maximumBytes} bytes")
            : (null, "");
        if (problem is not null)
        {
            diagnostics.Error(key.At, $"'{key.Path}': '{key.Text}' {problem}", remedy);
            return null;
        }

        return secret;
    }

    private static void WarnIfOthersMayRead(BoundValue key, string path, ConfigDiagnostics diagnostics)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        if ((File.GetUnixFileMode(path) & Others) != 0)
        {
            diagnostics.Warn(key.At, $"'{key.Path}': others than its owner may read or write '{key.Text}'", "run `chmod 600` on it");
        }
    }
}
