using System.CommandLine;
using EgressAppliance.Comparison.Api;
using EgressAppliance.Comparison.Bgp;
using EgressAppliance.Comparison.Files;
using EgressAppliance.Comparison.Live;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;

Option<DirectoryInfo> data = new("--data")
{
    Description = "Folder for traffic and scratch files.",
    DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Repository.Root, "perf-data")),
    Recursive = true,
};
Option<int> packets = new("--packets")
{
    Description = "IP packets of a full capture file; short ones have a fifth.",
    DefaultValueFactory = _ => 5_000_000,
    Recursive = true,
};
Option<int> every = new("--every") { Description = "Take one prefix of the routing table in this many.", DefaultValueFactory = _ => 1, Recursive = true };
Option<int> rounds = new("--rounds") { Description = "Rounds.", DefaultValueFactory = _ => 5, Recursive = true };
Option<DirectoryInfo> reports = new("--reports")
{
    Description = "Folder for the report.",
    DefaultValueFactory = _ => new DirectoryInfo(Repository.Reports),
    Recursive = true,
};
Option<int> passes = new("--passes") { Description = "How often a run counts its file.", DefaultValueFactory = _ => 20 };
Option<string[]> mixes = new("--mix")
{
    Description = "Traffic to compare over.",
    DefaultValueFactory = _ => ["mixed", "ipv4", "ipv6"],
    AllowMultipleArgumentsPerToken = true,
};
mixes.AcceptOnlyFromAmong("mixed", "ipv4", "ipv6");

Command generate = new("generate", "Write the routing table and the capture files; nothing if they are there.");
generate.SetAction(parsed =>
{
    TrafficGenerator.Ensure(parsed.GetRequiredValue(data).FullName, parsed.GetRequiredValue(packets), parsed.GetRequiredValue(every));
    return 0;
});

Command compare = new("compare", "Compare over capture files, and write pipeline.md.") { passes, mixes };
compare.SetAction(parsed =>
{
    string folder = parsed.GetRequiredValue(data).FullName;
    string load = Machine.Load();
    TrafficGenerator.Ensure(folder, parsed.GetRequiredValue(packets), parsed.GetRequiredValue(every));
    FileComparison comparison = new(folder, parsed.GetRequiredValue(packets), parsed.GetRequiredValue(passes));
    IReadOnlyList<MixResult> results = comparison.Run(parsed.GetRequiredValue(mixes), parsed.GetRequiredValue(rounds));
    new FileReport(comparison, results).Write(
        parsed.GetRequiredValue(reports).FullName, "make compare", load, TrafficGenerator.Describe(folder));
    return 0;
});

Option<double> seconds = new("--seconds") { Description = "How long each receiver is measured at a rate.", DefaultValueFactory = _ => 5 };
Command compareLive = new("compare-live", "Compare live capture on a veth pair (root), and write live.md.") { seconds };
compareLive.SetAction(parsed =>
{
    string folder = parsed.GetRequiredValue(data).FullName;
    string load = Machine.Load();
    TrafficGenerator.Ensure(folder, parsed.GetRequiredValue(packets), parsed.GetRequiredValue(every));
    LiveComparison comparison = new(folder, parsed.GetRequiredValue(seconds));
    LiveReport.Write(
        parsed.GetRequiredValue(reports).FullName, "make compare-live", load, TrafficGenerator.Describe(folder), comparison, comparison.Run(parsed.GetRequiredValue(rounds)));
    return 0;
});

Option<string> interfaceName = new("--interface") { Required = true };
Option<string> tablePath = new("--table") { Required = true };
Command receive = new("receive", "The appliance's live data path on an interface, for compare-live.") { interfaceName, tablePath };
receive.SetAction((parsed, _) => ReceiveCommand.RunAsync(parsed.GetRequiredValue(interfaceName), parsed.GetRequiredValue(tablePath)));

RootCommand root = new("Compares the appliance's data path with C programs and other tools, and its BGP speaker with other daemons.")
{
    generate, compare, compareLive, receive, BgpCommands.Compare(data, rounds, reports), BgpCommands.Send(data), BgpCommands.Receive(),
    ApiReport.Command(data, packets, every, reports),
};
root.Options.Add(data);
root.Options.Add(packets);
root.Options.Add(every);
root.Options.Add(rounds);
root.Options.Add(reports);
try
{
    return await root.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (ComparisonException e)
{
    Console.Error.WriteLine("comparison: " + e.Message);
    return 1;
}
