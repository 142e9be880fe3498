using System.Globalization;
using EgressAppliance.Comparison.Bgp.Daemons;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;

namespace EgressAppliance.Comparison.Bgp;

/// <summary>What <c>compare-bgp</c> is to do.</summary>
internal sealed record BgpComparisonOptions
{
    /// <summary>Folder of the feeds.</summary>
    public required string Data { get; init; }

    /// <summary>Names of those who take part, see <see cref="Contender.All"/>.</summary>
    public required IReadOnlyList<string> Only { get; init; }

    /// <summary>Times everyone has its turn.</summary>
    public required int Rounds { get; init; }

    /// <summary>Prefixes of the table; 0: all.</summary>
    public int Prefixes { get; init; }

    /// <summary>Paths of a prefix, one table for each number.</summary>
    public IReadOnlyList<int> Paths { get; init; } = [1, 3];

    /// <summary>How often the appliance's speaker loses its session and gets it back.</summary>
    public int Flaps { get; init; } = 20;

    /// <summary>The same for BIRD.</summary>
    public int BirdFlaps { get; init; } = 5;

    /// <summary>Withdrawals measured while a table loads; 0: no latency measured.</summary>
    public int Withdrawals { get; init; } = 500;

    /// <summary>Peers whose full tables a router shows by BMP; 0: that is not measured.</summary>
    public int MonitoredPeers { get; init; } = 3;
}

/// <summary>All that was measured.</summary>
internal sealed class BgpResults
{
    /// <summary>The tables, by number of paths.</summary>
    public SortedDictionary<int, FeedFile> Feeds { get; } = [];

    /// <summary>Loads, by contender and number of paths, one a round.</summary>
    public Dictionary<(string Name, int Paths), List<LoadSample>> Loads { get; } = [];

    /// <summary>Loads in one process, by contender.</summary>
    public Dictionary<string, List<LoadSample>> Flaps { get; } = [];

    /// <summary>Managed heap of the appliance's speaker after the last flap, dead objects collected; bytes.</summary>
    public long LiveAfterFlaps { get; set; }

    /// <summary>Withdrawals and keepalives while a table loads, for each way of giving the speaker processors.</summary>
    public List<LatencyResult> Latencies { get; } = [];

    /// <summary>Tables taken in by BMP, one a round.</summary>
    public List<MonitoringSample> Monitoring { get; } = [];
}

/// <summary>Compares speakers: each loads the same octets, in turn, in a process and a lab of its own.</summary>
internal static class BgpComparison
{
    /// <summary>Measures everything.</summary>
    public static BgpResults Run(BgpComparisonOptions options)
    {
        BgpResults results = new();
        Contender[] contenders = [.. Contender.All.Where(c => options.Only.Contains(c.Name))];
        foreach (int paths in options.Paths)
        {
            results.Feeds[paths] = FeedGenerator.Ensure(options.Data, new() { Prefixes = options.Prefixes, Paths = paths });
        }

        for (int round = 1; round <= options.Rounds; round++)
        {
            foreach ((int paths, FeedFile feed) in results.Feeds)
            {
                foreach (Contender contender in contenders)
                {
                    using Speaker speaker = contender.Start(paths > 1);
                    LoadSample sample = new LoadMeasurement(feed).Run(speaker);
                    Note($"{round}/{options.Rounds} {contender.Title}, {paths} path(s): {sample}");
                    Add(results.Loads, (contender.Name, paths), sample);
                }
            }
        }

        foreach (Contender contender in contenders)
        {
            int flaps = contender.Name switch { Contender.Own => options.Flaps, Contender.Bird => options.BirdFlaps, _ => 0 };
            if (flaps > 0)
            {
                using Speaker speaker = contender.Start(false);
                LoadMeasurement load = new(results.Feeds.First().Value);
                for (int flap = 1; flap <= flaps; flap++)
                {
                    LoadSample sample = load.Run(speaker);
                    Note($"flap {flap}/{flaps} {contender.Title}: {sample}");
                    Add(results.Flaps, contender.Name, sample);
                }

                results.LiveAfterFlaps = speaker is OwnSpeaker own ? own.LiveBytes() : results.LiveAfterFlaps;
            }
        }

        if (options.MonitoredPeers > 0 && contenders.Any(c => c.Name == Contender.Own))
        {
            // Of another seed each: peers agree in next to no attributes.
            FeedFile[] tables = [.. Enumerable.Range(1, options.MonitoredPeers).Select(seed => FeedGenerator.Ensure(options.Data, new() { Prefixes = options.Prefixes, Seed = seed }))];
            for (int round = 0; round < options.Rounds; round++)
            {
                results.Monitoring.Add(MonitoringMeasurement.Run(tables));
                Note(results.Monitoring[^1].ToString());
            }
        }

        if (options.Withdrawals > 0 && contenders.Any(c => c.Name == Contender.Own))
        {
            FeedFile feed = FeedGenerator.Ensure(options.Data, new() { Prefixes = options.Prefixes, Paths = 3, Internal = true });
            foreach (string processors in (string[])[BgpLab.SpeakerProcessor, BgpLab.BothProcessors])
            {
                results.Latencies.Add(LatencyMeasurement.Run(feed, options.Withdrawals, processors));
                Note(results.Latencies[^1].ToString());
            }
        }

        return results;
    }

    private static void Add<TKey>(Dictionary<TKey, List<LoadSample>> samples, TKey key, LoadSample sample)
        where TKey : notnull
    {
        if (!samples.TryGetValue(key, out List<LoadSample>? list))
        {
            samples.Add(key, list = []);
        }

        list.Add(sample);
    }

    private static void Note(FormattableString text) => Console.Error.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static void Note(string text) => Console.Error.WriteLine(text);
}
