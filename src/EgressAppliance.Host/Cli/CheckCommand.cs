using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History;
using EgressAppliance.Host.Support;

namespace EgressAppliance.Host.Cli;

/// <summary>What <c>check --json</c> prints.</summary>
/// <param name="File">The configuration file.</param>
/// <param name="Ok">Whether it is good.</param>
/// <param name="Errors">What is wrong.</param>
/// <param name="Warnings">What is odd.</param>
/// <param name="Setup">What <c>--setup</c> tried; null without it.</param>
/// <param name="Keys">What is in effect, with <c>--defaults</c>; null without it.</param>
public sealed record CheckReport(
    string File, bool Ok, IReadOnlyList<ConfigError> Errors, IReadOnlyList<ConfigWarning> Warnings, IReadOnlyList<SetupCheck>? Setup,
    IReadOnlyList<EffectiveKey>? Keys);

/// <summary>What <c>override release --json</c> prints.</summary>
/// <param name="Prefix">The prefix that was given back.</param>
public sealed record ReleasedReport(string Prefix);

/// <summary><c>bgp dump --json</c></summary>
/// <param name="File">The file written.</param>
public sealed record DumpReport(string File);

/// <summary>Serialization of what commands print themselves.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(ReleasedReport))]
[JsonSerializable(typeof(DumpReport))]
[JsonSerializable(typeof(ReplayJournalReport))]
[JsonSerializable(typeof(SnmpWalkReport))]
[JsonSerializable(typeof(LinkDiscoverReport))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(SupportManifest))]
[JsonSerializable(typeof(TokenReport))]
[JsonSerializable(typeof(TokenReport[]))]
public sealed partial class CliJson : JsonSerializerContext;

/// <summary><c>check</c></summary>
internal sealed class CheckCommand(ICommandHandlers handlers, CommandConsole console)
{
    public async Task<int> RunAsync(string? file, bool defaults, bool setup, bool json, CancellationToken cancellationToken)
    {
        if (file is null && defaults && !setup && !json)
        {
            await console.Out.WriteAsync(EffectiveConfig.Template());
            return ExitCode.Done;
        }

        string path = file ?? ConfigLoader.DefaultPath;
        ConfigResult result = ConfigLoader.Load(path);
        IReadOnlyList<SetupCheck>? tried = setup && result.Config is { } config ? await handlers.CheckSetupAsync(config, cancellationToken) : null;
        tried = tried is null || result.Bound is not { } root ? tried : [.. tried.Select(t => Locate(t, root))];
        bool setUp = tried?.All(t => t.Passed) ?? true;
        if (json)
        {
            CheckReport report = new(
                path, result.Config is not null && setUp, result.Errors, result.Warnings, tried,
                defaults && result.Bound is { } bound ? EffectiveConfig.ToList(bound) : null);
            await console.Out.WriteLineAsync(JsonSerializer.Serialize(report, CliJson.Default.CheckReport));
        }
        else
        {
            await WriteAsync(path, result, defaults, tried);
        }

        return result.Config is null ? ExitCode.Usage : setUp ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>Adds the place of the key that a check is about.</summary>
    private static SetupCheck Locate(SetupCheck check, BoundSection root)
    {
        if (check.Key is null)
        {
            return check;
        }

        BoundSection section = root;
        string[] parts = check.Key.Split('.');
        foreach (string part in parts[..^1])
        {
            string[] names = part.TrimEnd(']').Split('[');
            BoundSection? inner = names.Length == 1 ? section.Section(names[0])
                : section.Sections(names[0]).ElementAtOrDefault(int.Parse(names[1], CultureInfo.InvariantCulture));
            if (inner is null)
            {
                return check;
            }

            section = inner;
        }

        ConfigPosition at = section.Value(parts[^1]) is { Given: true } value ? value.At : section.KeyAt(parts[^1]);
        return check with { Line = at.Line, Column = at.Column };
    }

    private async Task WriteAsync(string path, ConfigResult result, bool defaults, IReadOnlyList<SetupCheck>? tried)
    {
        foreach (ConfigError error in result.Errors)
        {
            await console.Error.WriteLineAsync(error.ToString());
        }

        foreach (ConfigWarning warning in result.Warnings)
        {
            await console.Error.WriteLineAsync(warning.ToString());
        }

        if (result.Config is not { } config)
        {
            await console.Error.WriteLineAsync($"{path}: {result.Errors.Count} error{(result.Errors.Count == 1 ? "" : "s")}");
            return;
        }

        if (defaults && result.Bound is { } bound)
        {
            await console.Out.WriteAsync(EffectiveConfig.ToYaml(bound));
        }
        else
        {
            await console.Out.WriteLineAsync(
                $"{path}: good; {config.Routers.Count} router{(config.Routers.Count == 1 ? "" : "s")}, {config.Links.Count} link{(config.Links.Count == 1 ? "" : "s")}, "
                + $"mode {(config.Mode == ApplianceMode.Inject ? "inject" : "observe")}");
        }

        if (tried is not null)
        {
            // What one would change in the file is told as the file's own errors are: editors and terminals find the place.
            foreach (SetupCheck check in tried.Where(t => t.Line is not null))
            {
                await console.Error.WriteLineAsync(
                    $"{path}:{check.Line}:{check.Column}: {(check.Passed ? "warning: " : "")}'{check.Key}': {check.Detail}{(check.Remedy is null ? "" : "; " + check.Remedy)}");
            }

            SetupViews.Write(tried, console, "SETUP", "Nothing to set up.");
        }
    }
}
