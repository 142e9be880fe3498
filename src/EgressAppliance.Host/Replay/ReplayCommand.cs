using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Replay;

/// <summary><c>replay</c>: counts capture files and prints the result.</summary>
public static class ReplayCommand
{
    private const int ShownPrefixes = 50;

    /// <summary>Runs the command.</summary>
    /// <param name="options">As given on the command line.</param>
    /// <param name="config">Names the links, or null.</param>
    /// <param name="console">Where to.</param>
    /// <param name="cancellationToken">Checked between files.</param>
    public static async Task<int> RunAsync(
        ReplayCommandOptions options, ApplianceConfig? config, CommandConsole console, CancellationToken cancellationToken)
    {
        using Progress progress = new(console, "reading and counting");
        ReplayOptions replay = new()
        {
            Progress = progress.Report,
            PcapFiles = options.Pcaps,
            RibFiles = options.Ribs,
            RibFormats = [MrtRibFormat.Instance],
            PerFile = options.PerFile,
            Workers = options.Workers ?? 0,
            Match = options.Match == MatchHeader.Inner ? HeaderMatch.Inner : HeaderMatch.Outer,
            Links = config is null ? [] : CaptureSources.ToMatches(config.Links),
            LinkNames = config is null ? [] : ["", .. config.Links.Select(l => l.Name)],
        };
        foreach (string name in (config?.Links ?? []).Where(l => !l.HasMatch).Select(l => l.Name))
        {
            await console.Error.WriteLineAsync($"replay: {name} has no match, and there is no router to ask: none of its packets get their link");
        }

        try
        {
            bool failed = false;
            IEnumerable<ReplayResult> results = options.PerFile ? ReplayRunner.RunPerFile(replay, TimeProvider.System) : [ReplayRunner.Run(replay, TimeProvider.System)];
            foreach (ReplayResult result in results)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress.Clear();
                failed |= result.Failed;
                foreach (string problem in result.Problems)
                {
                    await console.Error.WriteLineAsync("replay: " + problem);
                }

                await WriteAsync(result, options, console);
            }

            return failed ? ExitCode.Failed : ExitCode.Done;
        }
        catch (ReplayException e)
        {
            progress.Clear();
            await console.Error.WriteLineAsync("replay: " + e.Message);
            return e.IsUsageError ? ExitCode.Usage : ExitCode.Failed;
        }
    }

    private static async Task WriteAsync(ReplayResult result, ReplayCommandOptions options, CommandConsole console)
    {
        if (options.Json)
        {
            using MemoryStream text = new();
            ReplayJson.Write(text, result, options.Summary);
            await console.Out.WriteAsync(System.Text.Encoding.UTF8.GetString(text.ToArray()));
            return;
        }

        if (result.File is not null)
        {
            await console.Out.WriteLineAsync(result.File);
        }

        await console.Out.WriteLineAsync(
            $"{Human.Count(result.Statistics.Frames)} frames: {Human.Count(result.Statistics.Packets)} IP packets ({Human.Count(result.Statistics.IpBytes)} IP bytes), "
            + $"{Human.Count(result.Statistics.NonIp)} non-IP, {Human.Count(result.Undecodable)} undecodable; "
            + $"{Human.Count(result.Statistics.UnroutedPackets)} packets match no prefix; {Human.PacketRate(result.PacketsPerSecond)}");
        if (!options.Summary)
        {
            TextTable table = new("PREFIX", "LINK", ">PACKETS", ">IP BYTES");
            foreach (ReplayPrefix prefix in result.Prefixes.OrderByDescending(p => p.IpBytes).Take(ShownPrefixes))
            {
                table.Add(prefix.Prefix.ToString(), prefix.Link ?? "-", Human.Count(prefix.Packets), Human.Count(prefix.IpBytes));
            }

            table.Write(console, "No packet matches a prefix.");
            if (result.Prefixes.Count > ShownPrefixes)
            {
                await console.Out.WriteLineAsync($"… and {Human.Count(result.Prefixes.Count - ShownPrefixes)} smaller ones (--output json has all)");
            }
        }
    }
}
