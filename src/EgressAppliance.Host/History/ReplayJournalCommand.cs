using System.Text.Json;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Host.History;

/// <summary>One file in what <c>replay-journal --json</c> prints.</summary>
/// <param name="File">The file.</param>
/// <param name="Program">Version of the program that wrote it; null if that cannot be read.</param>
/// <param name="Written">When it was begun.</param>
/// <param name="Cycles">Cycles replayed.</param>
/// <param name="Commands">Operators' commands replayed.</param>
/// <param name="Reports">Replayed reports of announced and lost overrides.</param>
/// <param name="Moves">Moves planned in them.</param>
/// <param name="Differences">Calls that came out differently.</param>
/// <param name="First">The first differences.</param>
/// <param name="Complete">False if the file was cut short or is being written; what is whole was replayed.</param>
/// <param name="Fault">What is wrong with the file, or null.</param>
public sealed record ReplayedJournalFile(
    string File, string? Program, DateTimeOffset? Written, long Cycles, long Commands, long Reports, long Moves, long Differences,
    IReadOnlyList<JournalDifference> First, bool Complete, JournalFault? Fault);

/// <summary>What <c>replay-journal --json</c> prints.</summary>
/// <param name="Equal">Everything was replayed and came out the same.</param>
/// <param name="Cycles">Cycles of all files.</param>
/// <param name="Commands">Commands of all files.</param>
/// <param name="Moves">Moves of all files.</param>
/// <param name="Differences">Differences of all files.</param>
/// <param name="Files">The files in the order they were replayed.</param>
public sealed record ReplayJournalReport(
    bool Equal, long Cycles, long Commands, long Moves, long Differences, IReadOnlyList<ReplayedJournalFile> Files);

/// <summary>
/// <c>replay-journal</c>: makes every recorded call again and tells where the outcome differs. A file that follows another one must also begin with the state in
/// which the other ended.
/// </summary>
public static class ReplayJournalCommand
{
    /// <summary>Runs the command.</summary>
    /// <returns>0: everything is equal; 1: something differs; 2: nothing differs, but a file cannot be used, or there is none.</returns>
    public static async Task<int> RunAsync(ReplayJournalOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(console);
        bool unusable = false;
        List<ReplayedJournalFile> replayed = [];
        JournalReplayResult? before = null;
        foreach (string path in options.Paths)
        {
            (IReadOnlyList<string> files, string? problem) = FilesOf(path);
            if (problem is not null)
            {
                unusable = true;
                await console.Error.WriteLineAsync(Human.Clean($"replay-journal: {path}: {problem}"));
            }

            foreach (string file in files)
            {
                // Replaying is work for a processor, and the loop of the console is not to be held up by it.
                JournalReplayResult result;
                using (new Progress(console, $"deciding anew {Path.GetFileName(file)}"))
                {
                    result = await Task.Run(() => Replay(file, cancellationToken), cancellationToken);
                }

                JournalDifference? between = before is null ? null : JournalReplayer.CompareStates(before, result);
                before = result;
                ReplayedJournalFile report = Report(result, between);
                replayed.Add(report);
                unusable |= report.Fault is not null;
                if (report.Fault is not null)
                {
                    await console.Error.WriteLineAsync(Human.Clean($"replay-journal: {report.Fault}"));
                }

                if (!options.Json)
                {
                    await WriteAsync(report, console.Out);
                }
            }
        }

        ReplayJournalReport all = new(
            !unusable && replayed.All(f => f.Differences == 0), replayed.Sum(f => f.Cycles), replayed.Sum(f => f.Commands), replayed.Sum(f => f.Moves),
            replayed.Sum(f => f.Differences), replayed);
        if (options.Json)
        {
            await console.Out.WriteLineAsync(JsonSerializer.Serialize(all, CliJson.Default.ReplayJournalReport));
        }
        else if (replayed.Count > 1)
        {
            await console.Out.WriteLineAsync($"{Human.Count(replayed.Count)} files: {Counts(all.Cycles, all.Commands, all.Moves, all.Differences)}");
        }

        return all.Differences > 0 ? ExitCode.Failed : unusable ? ExitCode.Usage : ExitCode.Done;
    }

    private static (IReadOnlyList<string> Files, string? Problem) FilesOf(string path)
    {
        if (!Directory.Exists(path))
        {
            return ([path], null);
        }

        try
        {
            string[] files = [.. JournalFolder.List(path).Select(f => f.Path)];
            return (files, files.Length == 0 ? "the folder holds no journal files" : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ([], e.Message);
        }
    }

    private static JournalReplayResult Replay(string file, CancellationToken cancellationToken)
    {
        FileStream stream;
        try
        {
            // The appliance may be writing it, or taking it away.
            stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new JournalReplayResult { File = file, Fault = new JournalFault(JournalFaultKind.Unreadable, file, 0, e.Message) };
        }

        return JournalReplayer.Replay(stream, file, cancellationToken);
    }

    private static ReplayedJournalFile Report(JournalReplayResult result, JournalDifference? between) => new(
        result.File, result.Header?.Program, result.Header?.Written, result.Cycles, result.Commands, result.Reports, result.Moves,
        result.Differences + (between is null ? 0 : 1), between is null ? result.First : [between, .. result.First], result.IsComplete, result.Fault);

    private static async Task WriteAsync(ReplayedJournalFile file, TextWriter output)
    {
        if (file.Program is null)
        {
            await output.WriteLineAsync(Human.Clean($"{file.File}: unusable"));
            return;
        }

        string end = file.Fault is not null ? "; unusable from there on" : file.Complete ? "" : "; cut short, or being written: what is whole was replayed";
        string program = file.Differences > 0 ? $"; recorded by version {file.Program}" : "";
        await output.WriteLineAsync(Human.Clean($"{file.File}: {Counts(file.Cycles, file.Commands, file.Moves, file.Differences)}{program}{end}"));
        foreach (JournalDifference difference in file.First)
        {
            await output.WriteLineAsync("  " + Human.Clean(difference.ToString()));
        }
    }

    private static string Counts(long cycles, long commands, long moves, long differences) =>
        $"{Count(cycles, "cycle")}, {Count(commands, "command")}, {Count(moves, "move")}, {Count(differences, "difference")}";

    private static string Count(long value, string what) => $"{Human.Count(value)} {what}{(value == 1 ? "" : "s")}";
}
