using System.CommandLine;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Fuzz.Targets;

namespace EgressAppliance.Fuzz;

/// <summary>The command.</summary>
internal static class Program
{
    private const int Failed = 1;
    private const int Usage = 2;

    private static int Main(string[] args)
    {
        string[] names = [.. FuzzTargets.All.Select(t => t.Name)];
        Option<string[]> target = new("--target")
        {
            Description = $"Targets [default: all of {string.Join(", ", names)}].",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        target.AcceptOnlyFromAmong(names);
        Option<ulong> seed = new("--seed") { Description = "Start of all chance: the same seed gives the same inputs.", HelpName = "N", DefaultValueFactory = _ => 1 };
        Option<double?> seconds = new("--seconds") { Description = "End after so long [default: 60 without --count].", HelpName = "S" };
        Option<long?> count = new("--count") { Description = "End after so many inputs over all targets.", HelpName = "N" };
        Option<long> first = new("--first") { Description = "Number of the first input of each target: a finding names it.", HelpName = "N" };
        Option<string[]> corpus = new("--corpus")
        {
            Description = "Folders with more messages, in the form of tests/data/bgp, which is always read.",
            HelpName = "DIR",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<string?> keep = new("--keep") { Description = "Write the input of each finding into this folder.", HelpName = "DIR" };
        Option<string[]> replay = new("--replay")
        {
            Description = "Feed these inputs, as --keep writes them, and nothing else.",
            HelpName = "FILE",
            AllowMultipleArgumentsPerToken = true,
        };
        RootCommand root = new("Feeds changed BGP and SNMP messages to the libraries and checks what must hold. Exit code 1 on any finding, 2 if the command line is wrong.")
        {
            target, seed, seconds, count, first, corpus, keep, replay,
        };
        root.SetAction(parsed =>
        {
            if (parsed.GetValue(replay) is { Length: > 0 } files)
            {
                return Replay(files);
            }

            IFuzzTarget[] targets = parsed.GetValue(target) is { Length: > 0 } chosen ? [.. chosen.Select(n => FuzzTargets.Find(n)!)] : [.. FuzzTargets.All];
            double limit = parsed.GetValue(seconds) ?? (parsed.GetValue(count) is null ? 60 : 0);
            return Run(
                targets,
                new FuzzOptions(parsed.GetValue(seed), parsed.GetValue(count) ?? 0, TimeSpan.FromSeconds(limit), parsed.GetValue(first)),
                parsed.GetValue(corpus) ?? [],
                parsed.GetValue(keep));
        });
        ParseResult command = root.Parse(args);
        if (command.Errors.Count > 0)
        {
            _ = command.Invoke();
            return Usage;
        }

        try
        {
            return command.Invoke(new() { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            Console.Error.WriteLine("fuzz: " + e.Message);
            return Usage;
        }
    }

    private static int Run(IFuzzTarget[] targets, FuzzOptions options, string[] folders, string? keep)
    {
        var corpus = new Corpus([.. Corpus.Bundled(), .. folders]);
        Console.WriteLine(
            $"seed {options.Seed}, corpus {corpus.Hash:x16}: {corpus.Opens.Count} OPEN, {corpus.Updates.Count} UPDATE, {corpus.Notifications.Count} NOTIFICATION, "
            + $"{corpus.Refreshes.Count} ROUTE-REFRESH, {corpus.Streams.Count} streams, {corpus.Dumps.Count} table dumps, {corpus.Bmp.Count} BMP");
        foreach (IFuzzTarget target in targets)
        {
            Console.WriteLine($"  {target.Name,-13} {target.Description}");
        }

        void Tell(Finding finding)
        {
            Console.WriteLine(finding);
            if (keep is not null)
            {
                Console.WriteLine("  kept as " + finding.Save(keep));
            }
        }

        // Compilation and buffers settle in the first few inputs; what comes after that must not grow.
        long warmUp = options.Count > 0 ? Math.Min(100_000, options.Count / 10) : 100_000;
        using var watchdog = new Watchdog(options.Seed, warmUp, finding =>
        {
            Tell(finding);
            Console.Out.Flush();
            Environment.Exit(Failed);
        });
        var runner = new FuzzRunner(targets, corpus, options);
        runner.Found += Tell;
        using RunningInput? running = keep is null ? null : new(keep);
        if (running is not null)
        {
            runner.Next += running.Begin;
        }

        FuzzReport report = runner.Run(watchdog);
        watchdog.Dispose();
        watchdog.Sample();
        Print(report, watchdog);
        return report.Findings.Count > 0 ? Failed : 0;
    }

    private static int Replay(string[] files)
    {
        int findings = 0;
        foreach (string file in files)
        {
            InputFile input = InputFile.Read(file);
            Finding? finding = FuzzTargets.Find(input.Target) is { } target ? FuzzRunner.Replay(target, input.Input) : throw new FormatException($"{file}: no target '{input.Target}'");
            Console.WriteLine(finding is null ? $"{file}: nothing found" : $"{file}: {finding}");
            findings += finding is null ? 0 : 1;
        }

        return findings > 0 ? Failed : 0;
    }

    private static void Print(FuzzReport report, Watchdog watchdog)
    {
        foreach (TargetCounts target in report.Targets)
        {
            Console.WriteLine($"{target.Name}: {target.Inputs} inputs");
            foreach ((string verdict, long number) in target.Verdicts.OrderByDescending(v => v.Value).ThenBy(v => v.Key, StringComparer.Ordinal))
            {
                Console.WriteLine($"  {verdict,-22} {number,10} {100.0 * number / target.Inputs,6:0.0} %");
            }
        }

        Console.WriteLine($"inputs {report.Inputs} in {report.Elapsed.TotalSeconds:0.0} s: {report.Inputs / report.Elapsed.TotalSeconds:0} a second");
        Console.WriteLine(
            $"heap {watchdog.HeapBefore >> 10} KiB after warm-up, {watchdog.HeapNow >> 10} KiB at the end; resident {watchdog.ResidentBefore >> 20} and {watchdog.ResidentNow >> 20} MiB");
        Console.WriteLine($"findings {report.Findings.Count}");
        Console.WriteLine($"verdict hash {report.Hash:x16}");
    }
}
