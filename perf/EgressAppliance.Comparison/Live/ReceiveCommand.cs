using System.Globalization;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Comparison.Traffic;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Live;

/// <summary>
/// The appliance's live data path and nothing else: its capture source with default settings, its pipeline and its table, put together as <c>run</c> does
/// it, with the prefixes from a file. Speaks like <c>live.c</c>: "ready", then the totals for each line on standard input, until that ends.
/// </summary>
internal static class ReceiveCommand
{
    /// <summary>Receives until standard input ends.</summary>
    /// <param name="interfaceName">The interface.</param>
    /// <param name="tablePath">Prefixes, one a line.</param>
    public static async Task<int> RunAsync(string interfaceName, string tablePath)
    {
        using PrefixTable table = new();
        table.AddRange([.. File.ReadLines(tablePath).Select(line => IpPrefix.Parse(line))]);
        IReadOnlyList<AfPacketSource> sources = AfPacketSource.Open(new AfPacketOptions { Interface = interfaceName });
        try
        {
            PipelineOptions options = new()
            {
                Links = [.. TrafficMix.Links.Select((link, i) => new LinkMatch(new LinkId((ushort)(i + 1)), new MacAddress(link.Mac), null, null))],
            };
            await using CapturePipeline pipeline = new(options, sources, table.Lookup, TimeProvider.System);
            pipeline.Start();
            Console.Out.WriteLine("ready");

            // A steering cycle reads the counters every five seconds; here the runner asks, before and after it sends.
            while (await Console.In.ReadLineAsync() is not null)
            {
                PipelineStatistics statistics = pipeline.TakeSnapshot().Statistics;
                long drops = statistics.PoolExhausted + statistics.Sources.Values.Sum(source => source.DroppedFrames);
                long freezes = statistics.Sources.Values.Sum(source => source.Freezes);
                Console.Out.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"packets":{{statistics.Packets}},"ip_bytes":{{statistics.IpBytes}},"drops":{{drops}},"freezes":{{freezes}}}"""));
            }
        }
        finally
        {
            foreach (AfPacketSource source in sources)
            {
                source.Dispose();
            }
        }

        return 0;
    }
}
