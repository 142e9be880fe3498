using System.Text;

namespace EgressAppliance.Host.Config;

// The configuration is one YAML file that an engineer edits by hand, often in a hurry, so that the loader's first duty is to say
// everything that is wrong with it, at once, each with its line and column and with what to write instead. It goes in four steps:
//
//   ConfigYaml     text → tree. Keeps positions and repeated keys, which object mappers lose.
//   ConfigBinder   tree + ConfigKeys → BoundSection. Each key alone: known? once? right shape, type, unit, range? Defaults are filled in.
//   ConfigChecks   BoundSection → errors. Values against each other, and the files they name. Reads secrets.
//   ConfigMapper   BoundSection → ApplianceConfig. Runs only when nothing was wrong, and so cannot fail.
//
// ConfigKeys is the one list of keys; the binder, `check --defaults` and docs/configuration.md all work from it. A key whose feature this
// version lacks stays in the list and is refused by name: a setting is never silently ignored.

/// <summary>What came of loading a configuration.</summary>
public sealed record ConfigResult
{
    /// <summary>The configuration; null exactly if there are errors.</summary>
    public ApplianceConfig? Config { get; init; }

    /// <summary>Every error, in the order of the file.</summary>
    public required IReadOnlyList<ConfigError> Errors { get; init; }

    /// <summary>Every warning, in the order of the file.</summary>
    public required IReadOnlyList<ConfigWarning> Warnings { get; init; }

    /// <summary>The file with defaults filled in, for <c>check --defaults</c>; null exactly if there are errors.</summary>
    public BoundSection? Bound { get; init; }

    /// <summary>The same in spite of errors, as far as it goes: to tell what the file says, never to run by. Null where it is no YAML.</summary>
    public BoundSection? Partial { get; init; }
}

/// <summary>Loads the configuration file.</summary>
public static class ConfigLoader
{
    /// <summary>Where the file is unless said otherwise.</summary>
    public const string DefaultPath = "/etc/egress-appliance/appliance.yaml";

    // A thousand links and policies with comments stay far below.
    private const int MaximumFileBytes = 1 << 20;

    /// <summary>Loads and checks a file. Never throws for what the file, or a file it names, holds.</summary>
    /// <param name="path">The file; relative paths in it are relative to its folder.</param>
    public static ConfigResult Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ConfigDiagnostics diagnostics = new(path);
        string file = Path.GetFullPath(path);
        string? text = ReadText(path, diagnostics);
        ConfigResult result = Read(text, Path.GetDirectoryName(file) ?? "/", diagnostics);
        return result.Bound is null
            ? result
            : result with { Config = result.Config! with { Source = new ConfigSource(file, DateTimeOffset.UtcNow, EffectiveConfig.ToYaml(result.Bound)) } };
    }

    /// <summary>Checks the text of a configuration as if it stood in the default file. Never throws for what it holds.</summary>
    public static ConfigResult Check(string text)
    {
        ConfigDiagnostics diagnostics = new("appliance.yaml");
        ArgumentNullException.ThrowIfNull(text);
        bool large = text.Length > MaximumFileBytes;
        if (large)
        {
            TooLarge(diagnostics);
        }

        return Read(large ? null : text, Path.GetDirectoryName(DefaultPath)!, diagnostics);
    }

    private static ConfigResult Read(string? text, string baseDirectory, ConfigDiagnostics diagnostics)
    {
        BoundSection? bound = null;
        if (text is not null && ConfigYaml.Read(text, diagnostics) is var root && !(root is null && diagnostics.HasErrors))
        {
            bound = ConfigBinder.Bind(root ?? new YamlMapping(ConfigPosition.Start, []), diagnostics);
            ConfigChecks.Run(bound, baseDirectory, diagnostics);
        }

        bool good = bound is not null && !diagnostics.HasErrors;
        return new ConfigResult
        {
            Config = good ? ConfigMapper.Map(bound!, baseDirectory) : null,
            Bound = good ? bound : null,
            Partial = bound,
            Errors = diagnostics.Errors,
            Warnings = diagnostics.Warnings,
        };
    }

    private static void TooLarge(ConfigDiagnostics diagnostics) =>
        diagnostics.Error(ConfigPosition.Start, "the file is larger than 1 MiB", "check that it is the configuration file");

    private static string? ReadText(string path, ConfigDiagnostics diagnostics)
    {
        try
        {
            if (!File.Exists(path))
            {
                diagnostics.Error(
                    ConfigPosition.Start, Directory.Exists(path) ? "this is a directory" : "there is no such file",
                    "give the path of the configuration file");
                return null;
            }

            // Not by the length the file system gives: devices and pipes have none.
            using FileStream stream = File.OpenRead(path);
            byte[] buffer = new byte[MaximumFileBytes + 1];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > MaximumFileBytes)
            {
                TooLarge(diagnostics);
                return null;
            }

            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(buffer, 0, length).TrimStart('\uFEFF');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            diagnostics.Error(ConfigPosition.Start, "the file cannot be read: " + e.Message, "let the appliance's user read it");
        }
        catch (DecoderFallbackException)
        {
            diagnostics.Error(ConfigPosition.Start, "the file is not UTF-8 text", "save it as UTF-8");
        }

        return null;
    }
}
