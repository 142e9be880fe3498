using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using EgressAppliance.Host.Support;

namespace EgressAppliance.Host.Cli;

/// <summary>
/// <c>support</c>: one file with what somebody who helps needs to know of a box, and without its secrets. The appliance need not run: what it would have told then stands in the manifest as
/// missing.
/// </summary>
internal sealed class SupportCommand(ICommandHandlers handlers, CommandConsole console, GlobalOptions global)
{
    public Command Build()
    {
        Option<string> config = new("--config", "-c") { Description = "The configuration file.", HelpName = "FILE", DefaultValueFactory = _ => ConfigLoader.DefaultPath };
        Option<string?> output = new("--output", "-o") { Description = "Where to write it [default: egress-support-TIME.tar.gz here].", HelpName = "FILE" };
        Option<int> hours = new("--hours") { Description = "How far back the log goes.", HelpName = "N", DefaultValueFactory = _ => 24 };
        hours.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }] && int.TryParse(text, CultureInfo.InvariantCulture, out int asked) && asked is < 1 or > 24 * 366)
            {
                result.AddError("--hours is 1 to 8784.");
            }
        });
        Option<bool> list = new("--list") { Description = "Only say what would be in it." };
        Command command = new("support", "Write a file with all that helps to find a fault, without secrets.") { config, output, hours, list };
        command.SetAction(async (parsed, cancellation) =>
        {
            string path = parsed.GetRequiredValue(config);
            ConfigResult result = ConfigLoader.Load(path);
            using ApiClient client = global.Client(parsed);
            SupportParts parts = new(path, result, client, parsed.GetRequiredValue(hours), (args, c) => CaptureAsync([.. args, .. Globals(parsed)], c), console.Time);
            if (parsed.GetValue(list))
            {
                TextTable table = new("FILE", "WHAT");
                foreach (SupportPart part in parts.All())
                {
                    table.Add(part.Name, part.What);
                }

                table.Write(console, "");
                return ExitCode.Done;
            }

            DateTimeOffset now = console.Time.GetUtcNow();
            string file = parsed.GetValue(output) ?? string.Create(CultureInfo.InvariantCulture, $"egress-support-{now:yyyyMMdd-HHmmss}.tar.gz");
            return await WriteAsync(parsed, file, parts, SecretFilter.Of(result.Partial, Path.GetDirectoryName(Path.GetFullPath(path))!), now, cancellation);
        });
        return command;
    }

    private async Task<int> WriteAsync(ParseResult parsed, string file, SupportParts parts, SecretFilter filter, DateTimeOffset now, CancellationToken cancellation)
    {
        SupportManifest manifest;
        if (File.Exists(file))
        {
            throw new ApiException($"{file}: it is there already; give another name with --output");
        }

        IReadOnlyList<SupportPart> all = parts.All();
        using (Progress progress = new(console, "collecting"))
        {
            try
            {
                manifest = await SupportBundle.WriteAsync(
                    file, all, filter, results => new SupportManifest(file, now, StateBuilder.Version, ProcessMetrics.Revision, parts.Running, results), now,
                    i => progress.Report((double)i / all.Count), cancellation);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ApiException($"{file}: {e.Message}", e);
            }
        }

        if (parsed.GetValue(global.Json))
        {
            await console.Out.WriteLineAsync(JsonSerializer.Serialize(manifest, CliJson.Default.SupportManifest));
            return ExitCode.Done;
        }

        TextTable table = new("FILE", ">BYTES", "RESULT", "WHY");
        foreach (SupportPartResult part in manifest.Parts)
        {
            table.Add(part.Name, part.Bytes.ToString("N0", CultureInfo.InvariantCulture), new Cell(part.Result, part.Result == "failed" ? CellStyle.Bad : part.Result == "cut" ? CellStyle.Warning : CellStyle.Plain), part.Reason ?? "");
        }

        table.Write(console, "");
        await console.Out.WriteLineAsync($"\n{file}: written. Look through it before you send it: secrets were taken out, names and addresses were not.");
        return ExitCode.Done;
    }

    /// <summary>The options by which the running appliance is found, for a command that is run within this one.</summary>
    private IEnumerable<string> Globals(ParseResult parsed)
    {
        foreach (Option<string?> option in new[] { global.Socket, global.Url, global.TokenFile, global.CaFile })
        {
            if (parsed.GetValue(option) is { } value)
            {
                yield return option.Name;
                yield return value;
            }
        }
    }

    private async Task<string> CaptureAsync(string[] args, CancellationToken cancellation)
    {
        using StringWriter text = new() { NewLine = "\n" };
        await CommandLine.RunAsync(args, handlers, new CommandConsole { Out = text, Error = text, Time = console.Time }, cancellation);
        return text.ToString();
    }
}
