using System.Globalization;
using EgressAppliance.ClusterLoad;

// Measures what a controller spends on the deltas of many collectors; perf/reports/cluster.md says what for.
switch (args)
{
    case ["generate", string folder, string collectors, string prefixes, string ticks]:
        Generator.Run(folder, Number(collectors), Number(prefixes), Number(ticks));
        return 0;
    case ["measure", string folder, string collectors]:
        return Measurement.Run(folder, Number(collectors));
    default:
        Console.Error.WriteLine("generate FOLDER COLLECTORS PREFIXES TICKS | measure FOLDER COLLECTORS");
        return 2;
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
