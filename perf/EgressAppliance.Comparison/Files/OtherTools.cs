using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;

namespace EgressAppliance.Comparison.Files;

/// <summary>
/// What an operator would take from a distribution: pmacctd with the same table, softflowd and nfpcapd, which count flows. Each counts the short file of a
/// mix, with a fifth of the flows, which is kinder to it; what it spends on a file of 100 packets is taken off.
/// </summary>
internal sealed partial class OtherTools(string folder)
{
    /// <summary>Those that are installed.</summary>
    public IReadOnlyList<Contender> Installed()
    {
        List<Contender> found = [];
        Add("pmacctd", ["-V"], "aggregate `dst_net, dst_mask` with `networks_file` = the table, print plugin", RunPmacct);
        Add("softflowd", ["-h"], "`-v 9 -m 1500000 -r`, nothing exported", RunSoftflowd);
        Add("nfpcapd", ["-V"], "`-r -w`", RunNfpcapd);
        return found;

        void Add(string name, string[] versionArguments, string note, Func<string, long> count)
        {
            if (ProcessRun.TryFirstLine("which", name) is not null)
            {
                found.Add(new(name, note, VersionOf(name, versionArguments), mix => Measure(mix, count)));
            }
        }
    }

    private static string VersionOf(string name, string[] arguments)
    {
        string? package = name switch { "nfpcapd" => "nfdump", "pmacctd" => "pmacct", _ => name };
        return ProcessRun.TryFirstLine("dpkg-query", "-W", "-f", "${Version}", package) is { } version
            ? $"{package} {version}"
            : ProcessRun.TryFirstLine(name, arguments) ?? name;
    }

    [GeneratedRegex(@"Packets processed: (\d+)")]
    private static partial Regex SoftflowdPackets();

    [GeneratedRegex(@"Flows: \d+, Packets: (\d+)")]
    private static partial Regex NfpcapdPackets();

    private static Sample Measure(string mix, Func<string, long> count)
    {
        double before = NativeMethods.ChildrenCpuSeconds();
        count(mix + "-short-head");
        double between = NativeMethods.ChildrenCpuSeconds();
        long packets = count(mix + "-short");
        double after = NativeMethods.ChildrenCpuSeconds();
        return new(packets, 0, after - between - (between - before));
    }

    private static long Parse(Match match, string program) => match.Success
        ? long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
        : throw new ComparisonException($"{program}: its output has no count of packets");

    private long RunPmacct(string mix)
    {
        string output = Path.Combine(folder, "pmacctd.csv");
        string config = Path.Combine(folder, "pmacctd.conf");

        // The process that reads ends the one that prints at the end of the file, even if that is not ready yet to take the first packet: so it waits for it, idle,
        // and longer on a machine so busy that it was not enough.
        foreach (int delay in (int[])[3, 15, 60])
        {
            WritePmacctConfig(config, mix, output, delay);
            File.Delete(output);
            ProcessRun.Run("pmacctd", "-f", config);
            if (WaitUntilWritten(output))
            {
                return File.ReadLines(output).Skip(1).Sum(line => long.Parse(line.Split(',')[2], CultureInfo.InvariantCulture));
            }
        }

        throw new ComparisonException($"pmacctd wrote no {output}.");
    }

    /// <summary>Large buffers between its two processes, so that it neither loses packets nor wakes for few; a cache without long chains.</summary>
    private void WritePmacctConfig(string config, string mix, string output, int delay) =>
        File.WriteAllText(config, $"""
            daemonize: false
            pcap_savefile: {TrafficGenerator.PcapPath(folder, mix)}
            pcap_savefile_delay: {delay.ToString(CultureInfo.InvariantCulture)}
            plugins: print
            aggregate: dst_net, dst_mask
            networks_file: {TrafficGenerator.TablePath(folder)}
            print_output: csv
            print_output_file: {output}
            print_refresh_time: 86400
            print_cache_entries: 65537
            plugin_pipe_size: 134217728
            plugin_buffer_size: 1048576

            """);

    /// <summary>The process that prints may outlive the one that was started: on a busy machine the file comes later.</summary>
    private static bool WaitUntilWritten(string path)
    {
        long length = -1;
        for (Stopwatch limit = Stopwatch.StartNew(); limit.Elapsed < TimeSpan.FromSeconds(20); Thread.Sleep(TimeSpan.FromMilliseconds(200)))
        {
            long now = File.Exists(path) ? new FileInfo(path).Length : 0;
            if (now > 0 && now == length)
            {
                return true;
            }

            length = now;
        }

        return false;
    }

    private long RunSoftflowd(string mix)
    {
        ProcessRun run = ProcessRun.Run("softflowd", "-d", "-v", "9", "-m", "1500000", "-r", TrafficGenerator.PcapPath(folder, mix));
        return Parse(SoftflowdPackets().Match(run.Output + run.Error), "softflowd");
    }

    private long RunNfpcapd(string mix)
    {
        string output = Path.Combine(folder, "nfpcapd");
        Directory.CreateDirectory(output);
        ProcessRun run = ProcessRun.Run("nfpcapd", "-r", TrafficGenerator.PcapPath(folder, mix), "-w", output);
        Directory.Delete(output, recursive: true);
        return Parse(NfpcapdPackets().Match(run.Output + run.Error), "nfpcapd");
    }
}
