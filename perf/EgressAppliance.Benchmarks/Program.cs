using BenchmarkDotNet.Running;
using EgressAppliance.Benchmarks;
using EgressAppliance.Net;

// Besides the benchmarks, measurements that need more than one thing running at a time, or a process of their own.
switch (args)
{
    case ["compare-lookup", .. string[] family]:
        LookupComparison.Run(rounds: 15, family.Length == 0 ? null : Enum.Parse<IpFamily>(family[0]));
        break;
    case ["measure-updates"]:
        TableMeasurements.Updates();
        break;
    case ["measure-load", .. string[] how]:
        TableFootprint.Run(oneByOne: how is ["one-by-one"]);
        break;
    case ["measure-planner"]:
        PlannerMeasurements.Run();
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(RoutingTable).Assembly).Run(args);
        break;
}
