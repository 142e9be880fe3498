using System.Globalization;
using System.Text.Json;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;

namespace EgressAppliance.Comparison.Files;

/// <summary>The appliance's <c>replay</c> and the C programs that do the same work.</summary>
/// <param name="folder">Folder of the traffic.</param>
/// <param name="passes">How often a file is counted in one run.</param>
/// <remarks>
/// A run counts the same file several times, in all programs alike: the appliance's code is compiled while it runs, and this takes the first seconds of a process
/// that is meant to run for months. The C programs' passes are added up too, the slower first one included.
/// </remarks>
internal sealed class OwnPrograms(string folder, int passes)
{
    private readonly string _baselines = Repository.BuildBaselines("pipeline");
    private readonly string _config = WriteConfig(folder);

    private static IEnumerable<string> LinkArguments =>
        TrafficMix.Links.SelectMany(link => (string[])["--link", $"{link.Name}={TrafficMix.FormatMac(link.Mac)}"]);

    /// <summary>The C pipeline with a number of threads.</summary>
    public Contender Pipeline(int threads) => new(
        threads == 1 ? "C, mapped file, batches" : $"C, mapped file, batches, {threads} threads",
        $"`pipeline --passes {passes} --threads {threads}`",
        CompilerVersion(),
        mix => ReadC(ProcessRun.Run(Path.Combine(_baselines, "pipeline"), CArguments(mix, passes, "--threads", Text(threads)))));

    /// <summary>The C program with a libpcap callback for each packet. It is slow enough for fewer passes.</summary>
    public Contender Callback()
    {
        int fewer = Math.Max(1, passes / 10);
        return new(
            "C, libpcap callback",
            $"`callback --passes {fewer}`",
            CompilerVersion(),
            mix => ReadC(ProcessRun.Run(Path.Combine(_baselines, "callback"), CArguments(mix, fewer))));
    }

    /// <summary>The appliance with a number of workers.</summary>
    public Contender Replay(int workers) => new(
        workers == 1 ? "egress-appliance replay" : $"egress-appliance replay, {workers} workers",
        $"`replay --workers {workers} --config … --rib table.txt --pcap` with the file {passes} times",
        Repository.Commit(),
        mix => MeasureReplay(mix, workers));

    /// <summary>Counts a mix once with the C pipeline; every (prefix, link) cell.</summary>
    public Counts CountWithPipeline(string mix, int threads) => CountWithC("pipeline", mix, "--threads", Text(threads));

    /// <summary>Counts a mix once with the callback program.</summary>
    public Counts CountWithCallback(string mix) => CountWithC("callback", mix);

    /// <summary>Counts a mix once with the appliance.</summary>
    public Counts CountWithReplay(string mix, int workers)
    {
        ProcessRun run = ProcessRun.Run(Repository.Appliance, ReplayArguments(TrafficGenerator.PcapPath(folder, mix), 1, workers));
        using JsonDocument json = JsonDocument.Parse(run.Output);
        Dictionary<string, (long, long)> cells = [];
        foreach (JsonElement cell in json.RootElement.GetProperty("prefixes").EnumerateArray())
        {
            string key = $"{cell.GetProperty("prefix").GetString()} {cell.GetProperty("link").GetString() ?? "-"}";
            cells.Add(key, (cell.GetProperty("packets").GetInt64(), cell.GetProperty("ip_bytes").GetInt64()));
        }

        return new($"replay --workers {workers}", Totals(json.RootElement), cells);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string CompilerVersion() => ProcessRun.TryFirstLine("cc", "--version") ?? "cc";

    private static Dictionary<string, long> Totals(JsonElement json)
    {
        Dictionary<string, long> totals = [];
        foreach (string name in (string[])["frames", "packets", "ip_bytes", "non_ip"])
        {
            totals[name] = json.GetProperty(name).GetInt64();
        }

        foreach (JsonProperty reason in json.GetProperty("undecodable").EnumerateObject())
        {
            totals[reason.Name] = reason.Value.GetInt64();
        }

        totals["unrouted packets"] = json.GetProperty("unrouted").GetProperty("packets").GetInt64();
        totals["unrouted ip_bytes"] = json.GetProperty("unrouted").GetProperty("ip_bytes").GetInt64();
        return totals;
    }

    private static Sample ReadC(ProcessRun run)
    {
        using JsonDocument json = JsonDocument.Parse(run.Output);
        double cpu = 0;
        double wall = 0;
        foreach (JsonElement pass in json.RootElement.GetProperty("passes").EnumerateArray())
        {
            cpu += pass.GetProperty("cpu_seconds").GetDouble();
            wall += pass.TryGetProperty("wall_seconds", out JsonElement seconds) ? seconds.GetDouble() : 0;
        }

        return new(json.RootElement.GetProperty("packets").GetInt64(), json.RootElement.GetProperty("ip_bytes").GetInt64(), cpu, wall);
    }

    private static string WriteConfig(string folder)
    {
        string path = Path.Combine(folder, "appliance.yaml");
        File.WriteAllText(Path.Combine(folder, "community"), "public\n");
        using StreamWriter writer = new(path) { NewLine = "\n" };
        writer.WriteLine("version: 1");
        writer.WriteLine("capture: { sources: [ { interface: mir0 } ] }");
        writer.WriteLine("routers:");
        writer.WriteLine("  - name: edge1");
        writer.WriteLine("    address: 192.0.2.1");
        writer.WriteLine("    bgp: { local_address: 192.0.2.2, local_as: 65000 }");
        writer.WriteLine("    snmp: { community_file: community }");
        writer.WriteLine("links:");
        for (int i = 0; i < TrafficMix.Links.Count; i++)
        {
            (string name, ulong mac) = TrafficMix.Links[i];
            writer.WriteLine($"  - {{ name: {name}, router: edge1, interface: {name}, next_hops: [100.64.{i + 1}.2], match: {{ mac: \"{TrafficMix.FormatMac(mac)}\" }} }}");
        }

        return path;
    }

    private Sample MeasureReplay(string mix, int workers)
    {
        ProcessRun start = ProcessRun.Run(Repository.Appliance, [.. ReplayArguments(TrafficGenerator.HeadPath(folder, mix), 1, workers), "--summary"]);
        ProcessRun run = ProcessRun.Run(Repository.Appliance, [.. ReplayArguments(TrafficGenerator.PcapPath(folder, mix), passes, workers), "--summary"]);
        using JsonDocument json = JsonDocument.Parse(run.Output);
        JsonElement root = json.RootElement;
        double outside = run.CpuSeconds - start.CpuSeconds;
        double own = root.TryGetProperty("cpu_seconds", out JsonElement seconds) ? seconds.GetDouble() : outside;
        return new(root.GetProperty("packets").GetInt64(), root.GetProperty("ip_bytes").GetInt64(), own, root.GetProperty("elapsed_seconds").GetDouble(), outside);
    }

    private string[] ReplayArguments(string pcap, int times, int workers) =>
    [
        "replay", "--output", "json", "--config", _config, "--workers", Text(workers), "--rib", TrafficGenerator.TablePath(folder),
        "--pcap", .. Enumerable.Repeat(pcap, times),
    ];

    private string[] CArguments(string mix, int times, params string[] more) =>
    [
        "--table", TrafficGenerator.TablePath(folder), "--passes", Text(times), .. more, .. LinkArguments, TrafficGenerator.PcapPath(folder, mix),
    ];

    private Counts CountWithC(string program, string mix, params string[] more)
    {
        string dump = Path.Combine(folder, "cells.txt");
        ProcessRun run = ProcessRun.Run(Path.Combine(_baselines, program), CArguments(mix, 1, [.. more, "--dump", dump]));
        using JsonDocument json = JsonDocument.Parse(run.Output);
        Dictionary<string, (long, long)> cells = [];
        foreach (string line in File.ReadLines(dump))
        {
            string[] words = line.Split(' ');
            cells.Add($"{words[0]} {words[1]}", (long.Parse(words[2], CultureInfo.InvariantCulture), long.Parse(words[3], CultureInfo.InvariantCulture)));
        }

        return new(string.Join(' ', [program, .. more]), Totals(json.RootElement), cells);
    }
}
