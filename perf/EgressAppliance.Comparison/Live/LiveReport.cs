using System.Globalization;
using System.Text;
using EgressAppliance.Comparison.Reporting;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Live;

/// <summary>Writes the report of a live comparison: <c>live.md</c> and its chart.</summary>
internal static class LiveReport
{
    private const string ChartName = "live.svg";

    /// <summary>Writes both files.</summary>
    public static void Write(
        string folder, string command, string loadBefore, string traffic, LiveComparison comparison, Dictionary<(string Receiver, int Rate), List<LiveSample>> results)
    {
        string[] names = [.. comparison.Receivers.Select(r => r.Name)];
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Live capture

            Command: `{command}`, commit {Repository.Commit()}.
            Machine: {Machine.Describe()}.
            Load average before and after: {loadBefore}; {Machine.Load()}.
            Traffic: {traffic}, the first million frames of "mixed", over and over, through a veth pair between two network namespaces.

            The sender runs on CPU 0 and the receiver on CPU 1. The sender's system calls also do the kernel's part of receiving, so this shows what a receiver spends on frames that the kernel has put into
            its ring, and at which rate it loses some; the greatest rate is that of the sender. All receivers keep 128 bytes of a frame, have 64 MiB of ring, look every packet up in
            the same table and count packets and IP bytes by prefix and link. They take turns; figures are medians of {results.Values.First().Count} round(s), with least and most, and ratios are medians of the
            ratios within a round. What was sent is what was counted and dropped, or the run fails.

            The appliance's data path is its capture source, pipeline and table in a process of their own. "capture threads" is the processor time of the threads that read and
            count, "process" that of all threads, less what the process uses when nothing arrives.

            ![Nanoseconds of CPU for each packet]({ChartName})


            """);
        foreach (int rate in LiveComparison.Rates)
        {
            MarkdownTable table = new(
                "receiver", "sent, M frames/s", "sent, frames", "dropped", "ring freezes", "capture threads, ns a packet", "of C", "process, ns a packet", "of C");
            foreach (string name in names)
            {
                List<LiveSample> samples = results[(name, rate)];
                List<LiveSample> reference = results[(names[0], rate)];
                table.Add(
                    name,
                    MarkdownTable.Format(Spread.Of(samples.Select(s => s.SentPerSecond / 1e6))),
                    samples.Sum(s => s.Sent).ToString(CultureInfo.InvariantCulture),
                    samples.Sum(s => s.Drops).ToString(CultureInfo.InvariantCulture),
                    samples.Sum(s => s.Freezes).ToString(CultureInfo.InvariantCulture),
                    MarkdownTable.Format(Spread.Of(samples.Select(s => s.CaptureNanoseconds))),
                    MarkdownTable.Number(Spread.OfRatios(samples.Select(s => s.CaptureNanoseconds), reference.Select(s => s.CaptureNanoseconds)).Median),
                    MarkdownTable.Format(Spread.Of(samples.Select(s => s.ProcessNanoseconds))),
                    MarkdownTable.Number(Spread.OfRatios(samples.Select(s => s.ProcessNanoseconds), reference.Select(s => s.ProcessNanoseconds)).Median));
            }

            text.Append(CultureInfo.InvariantCulture, $"## {Describe(rate)}\n\n{table}\n");
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "live.md"), text.ToString().TrimEnd() + "\n");
        BarChart.Write(
            Path.Combine(folder, ChartName),
            "CPU time of the receiver for each packet",
            "nanoseconds a packet, capture threads",
            names,
            [.. LiveComparison.Rates.Select(rate => (
                rate == 0 ? "greatest rate" : $"{rate / 1000} k/s",
                (IReadOnlyList<double>)[.. names.Select(name => Spread.Of(results[(name, rate)].Select(s => s.CaptureNanoseconds)).Median)]))]);
    }

    private static string Describe(int rate) => rate == 0 ? "As fast as the sender can" : $"{rate / 1000},000 packets a second";
}
