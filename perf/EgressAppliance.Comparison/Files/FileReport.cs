using System.Globalization;
using System.Text;
using EgressAppliance.Comparison.Reporting;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;

namespace EgressAppliance.Comparison.Files;

/// <summary>Writes the report of a file comparison: <c>pipeline.md</c> and its chart.</summary>
/// <param name="comparison">What was compared.</param>
/// <param name="results">The rounds of each mix.</param>
internal sealed class FileReport(FileComparison comparison, IReadOnlyList<MixResult> results)
{
    private const string ChartName = "pipeline.svg";
    private const double Million = 1e6;

    /// <summary>Writes both files.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="command">The command that does it again.</param>
    /// <param name="loadBefore">Load averages when the comparison began.</param>
    /// <param name="traffic">What the traffic is made of.</param>
    public void Write(string folder, string command, string loadBefore, string traffic)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Data path over capture files

            Command: `{command}`, commit {Repository.Commit()}.
            Machine: {Machine.Describe()}.
            Load average before and after: {loadBefore}; {Machine.Load()}.
            Traffic: {traffic}. Ethernet frames of 64, 576 and 1514 bytes as 7:4:1, cut to 96 bytes, {TrafficMix.TaggedShare * 100:0} % with an 802.1Q tag; flows drawn by
            Zipf(1.0), a flow's destination in a random prefix of the table; {TrafficMix.Links.Count} links by destination MAC. "mixed" is 90 % IPv4 and 10 % IPv6.

            Every round runs each program once, in turn; figures are medians of {results[0].Samples.Values.First().Count} round(s), with least and most. Ratios are medians of the
            ratios within a round. Before any of this, the C programs and the appliance counted each mix and agreed on all totals and on packets and IP bytes of every
            (prefix, link) cell; what every timed run counted was checked too. CPU time is user and system time of all threads and processes; loading the table is not in it.

            ![Millions of packets per CPU-second]({ChartName})


            """);
        foreach (MixResult result in results)
        {
            WriteMix(text, result);
        }

        WriteWorkers(text);
        WritePrograms(text);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "pipeline.md"), text.ToString());
        WriteChart(Path.Combine(folder, ChartName));
    }

    private static IEnumerable<double> PerCpuSecond(MixResult result, Contender contender) => result.Samples[contender].Select(s => s.PerCpuSecond);

    private static IEnumerable<double> PerSecond(MixResult result, Contender contender) => result.Samples[contender].Select(s => s.PerSecond);

    private void WriteMix(StringBuilder text, MixResult result)
    {
        MarkdownTable table = new(["program", "M packets per CPU-second", "ns a packet", "of C", .. comparison.Tools.Select(t => $"times {t.Name}")]);
        foreach (Contender contender in comparison.All)
        {
            double[] rates = [.. PerCpuSecond(result, contender)];
            Spread rate = Spread.Of(rates.Select(r => r / Million));
            IEnumerable<string> ratios = comparison.Tools.Prepend(comparison.Reference)
                .Select(other => MarkdownTable.Number(Spread.OfRatios(rates, PerCpuSecond(result, other)).Median));
            table.Add([contender.Name, MarkdownTable.Format(rate), MarkdownTable.Number(1000 / rate.Median), .. ratios]);
        }

        text.Append(CultureInfo.InvariantCulture, $"## {result.Mix}\n\n{table}\n");
    }

    private void WriteWorkers(StringBuilder text)
    {
        MarkdownTable table = new("traffic", "replay, 1 worker, M packets/s", "2 workers", "2 to 1", "C, 1 thread, M packets/s", "2 threads", "2 to 1");
        foreach (MixResult result in results)
        {
            table.Add([result.Mix, .. Scaling(result, comparison.Product, comparison.Product2), .. Scaling(result, comparison.Reference, comparison.Reference2)]);
        }

        text.Append(CultureInfo.InvariantCulture, $"## Two workers, by the clock\n\nThe C program's threads share nothing but the memory: what it gains is what this machine has to give.\n\n{table}\n");
    }

    private static IEnumerable<string> Scaling(MixResult result, Contender one, Contender two) =>
    [
        MarkdownTable.Format(Spread.Of(PerSecond(result, one).Select(r => r / Million))),
        MarkdownTable.Format(Spread.Of(PerSecond(result, two).Select(r => r / Million))),
        MarkdownTable.Number(Spread.OfRatios(PerSecond(result, two), PerSecond(result, one)).Median),
    ];

    private void WritePrograms(StringBuilder text)
    {
        MarkdownTable table = new(areWords: true, "program", "how", "version");
        foreach (Contender contender in comparison.All)
        {
            table.Add(contender.Name, contender.Note, contender.Version);
        }

        Sample[] products = [.. results.SelectMany(r => r.Samples[comparison.Product])];
        double crossCheck = Spread.Of(products.Select(s => s.CrossCheckCpuSeconds / s.CpuSeconds)).Median;
        string productTime = products.All(s => s.CpuSeconds == s.CrossCheckCpuSeconds)
            ? "The appliance's CPU time is that of the whole process, less that of a run over 100 packets."
            : string.Create(CultureInfo.InvariantCulture, $"The appliance tells the CPU time of its counting; that of the whole process, less that of a run over 100 packets, is {crossCheck:0.00} times as much (median).");
        text.Append(CultureInfo.InvariantCulture, $"""
            ## Programs

            {table}
            The file is counted several times in one run, in the appliance and in C alike: the appliance's code is compiled while it runs, which a process that runs for months does once, and its
            share of the first passes is in the figures. {productTime}
            Programs of others count a file of a fifth of the packets and a fifth of the flows, once, and their CPU time is likewise less that of a run over 100 packets; they do not tell
            links apart, and softflowd and nfpcapd look up no prefix.

            """);
    }

    private void WriteChart(string path) => BarChart.Write(
        path,
        "Packets counted per CPU-second",
        "millions of packets per CPU-second",
        [.. comparison.All.Select(c => c.Name)],
        [.. results.Select(r => (r.Mix, (IReadOnlyList<double>)[.. comparison.All.Select(c => Spread.Of(PerCpuSecond(r, c)).Median / Million)]))]);
}
