using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Replay;

/// <summary>
/// Counts the packets of capture files by prefix and link, through the same pipeline as live traffic.
/// </summary>
/// <remarks>
/// The sum of all files is one pipeline whose threads take file after file, large ones in parts. Parts are cut where
/// records seem to begin; should they turn out not to meet, the counts are thrown away and all is counted again, uncut. Per file it is one pipeline
/// after the other over the same table of prefixes. A file that is damaged gives its counts up to the damage and a problem in
/// the result; one that cannot be opened is a problem too, and does not keep the others from being counted.
/// </remarks>
public static class ReplayRunner
{
    /// <summary>Counts all files together.</summary>
    /// <exception cref="ReplayException">The options make no sense, or the table of prefixes cannot be read.</exception>
    public static ReplayResult Run(ReplayOptions options, TimeProvider time)
    {
        Check(options);
        using PrefixTable table = LoadTable(options);
        return Count(options, options.PcapFiles, table, time);
    }

    /// <summary>Counts each file on its own, in the order given; the results come as they are ready.</summary>
    /// <exception cref="ReplayException">The options make no sense, or the table of prefixes cannot be read.</exception>
    public static IEnumerable<ReplayResult> RunPerFile(ReplayOptions options, TimeProvider time)
    {
        Check(options);
        return CountEach(options, time);
    }

    private static IEnumerable<ReplayResult> CountEach(ReplayOptions options, TimeProvider time)
    {
        using PrefixTable table = LoadTable(options);
        int done = 0;
        foreach (string file in options.PcapFiles)
        {
            ReplayOptions one = options with { Progress = part => options.Progress((done + part) / options.PcapFiles.Count) };
            yield return Count(one, [file], table, time) with { File = file };
            done++;
        }
    }

    private static void Check(ReplayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.PcapFiles.Count == 0)
        {
            throw new ReplayException("no capture file given") { IsUsageError = true };
        }

        if (options.Workers is < 0 or > 256)
        {
            throw new ReplayException($"--workers must be 1 to 256, and is {options.Workers}") { IsUsageError = true };
        }
    }

    private static PrefixTable LoadTable(ReplayOptions options)
    {
        PrefixTable table = new();
        try
        {
            foreach (string path in options.RibFiles)
            {
                table.AddRange([.. RibFile.ReadPrefixes(path, options.RibFormats)]);
            }

            return table;
        }
        catch
        {
            table.Dispose();
            throw;
        }
    }

    private static ReplayResult Count(ReplayOptions options, IReadOnlyList<string> files, PrefixTable table, TimeProvider time)
    {
        int workers = options.Workers == 0 ? Environment.ProcessorCount : options.Workers;
        return TryCount(options, files, workers, new FileQueue(files, workers, options.Progress), table, time)
            ?? TryCount(options, files, workers, new FileQueue(files, readers: 1, options.Progress), table, time)!;
    }

    /// <summary>Counts all files; null if they were cut wrongly.</summary>
    private static ReplayResult? TryCount(
        ReplayOptions options, IReadOnlyList<string> files, int workers, FileQueue queue, PrefixTable table, TimeProvider time)
    {

        // Rules may name a file as their source: then every file is a source of its own, else a few threads share all of them.
        bool bySource = options.Links.Any(rule => rule.Source is not null);
        List<IPacketSource> sources = [];
        try
        {
            if (bySource)
            {
                sources.AddRange(files.Select(file => new FileSequenceSource(file, queue.Only(file))));
            }
            else
            {
                sources.AddRange(Enumerable.Range(0, workers).Select(_ => new FileSequenceSource("replay", queue)));
            }

            PipelineOptions pipelineOptions = new()
            {
                Batches = 4 * sources.Count,
                WaitForBatch = true,
                Links = options.Links,
                Decapsulation = options.Match == HeaderMatch.Inner ? Decapsulation.Innermost : Decapsulation.None,
            };
            long start = time.GetTimestamp();
            TimeSpan cpuStart = Environment.CpuUsage.TotalTime;
            CounterSnapshot snapshot = RunToEnd(pipelineOptions, sources, table, time);
            TimeSpan cpu = Environment.CpuUsage.TotalTime - cpuStart;
            queue.CheckCuts();
            return queue.WasCutWrong ? null : new ReplayResult
            {
                Statistics = snapshot.Statistics,
                Prefixes = MakePrefixes(snapshot, table, options.LinkNames),
                Problems = queue.Problems,
                Failed = queue.AnyFailed,
                Elapsed = time.GetElapsedTime(start, snapshot.Timestamp),
                Cpu = cpu,
            };
        }
        finally
        {
            sources.ForEach(source => source.Dispose());
        }
    }

    private static CounterSnapshot RunToEnd(
        PipelineOptions options, IReadOnlyList<IPacketSource> sources, PrefixTable table, TimeProvider time)
    {
        // The command has nothing else to do, and no synchronization context to block: waiting here is what it is for.
#pragma warning disable VSTHRD002
        CapturePipeline pipeline = new(options, sources, table.Lookup, time);
        try
        {
            pipeline.Start();
            pipeline.Completion.GetAwaiter().GetResult();
            return pipeline.TakeSnapshot();
        }
        finally
        {
            pipeline.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
#pragma warning restore VSTHRD002
    }

    private static List<ReplayPrefix> MakePrefixes(CounterSnapshot snapshot, PrefixTable table, IReadOnlyList<string> linkNames)
    {
        List<ReplayPrefix> prefixes = [];
        foreach (CounterCell cell in snapshot.Cells)
        {
            if (cell.PrefixId != 0)
            {
                string? link = cell.Link.Value switch
                {
                    0 => null,
                    ushort number when number < linkNames.Count => linkNames[number],
                    ushort number => $"link{number}",
                };
                prefixes.Add(new(table.PrefixOf(cell.PrefixId), link, cell.Packets, cell.IpBytes));
            }
        }

        prefixes.Sort(static (a, b) => a.Prefix.CompareTo(b.Prefix) is var byPrefix and not 0
            ? byPrefix
            : string.CompareOrdinal(a.Link, b.Link));
        return prefixes;
    }
}
