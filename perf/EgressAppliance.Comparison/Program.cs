using System.CommandLine;
using EgressAppliance.Comparison.Traffic;

Option<DirectoryInfo> data = new("--data")
{
    Description = "Folder for traffic and scratch files.",
    DefaultValueFactory = _ => new DirectoryInfo("perf-data"),
    Recursive = true,
};
Option<int> packets = new("--packets")
{
    Description = "IP packets of a full capture file; short ones have a fifth.",
    DefaultValueFactory = _ => 5_000_000,
    Recursive = true,
};

Command generate = new("generate", "Write the routing table and the capture files; nothing if they are there.");
generate.SetAction(parsed =>
{
    TrafficGenerator.Ensure(parsed.GetRequiredValue(data).FullName, parsed.GetRequiredValue(packets));
    return 0;
});

RootCommand root = new("Compares the appliance's data path with C programs and other tools.") { generate };
root.Options.Add(data);
root.Options.Add(packets);
return root.Parse(args).Invoke();
