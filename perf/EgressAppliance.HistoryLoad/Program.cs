using System.Globalization;
using EgressAppliance.HistoryLoad;

// Loads and measures the history; docs/history.md and perf/reports/history.md say what for.
switch (args)
{
    case ["write", string path, string links, string prefixes]:
        WriteCommand.Run(path, Number(links), Number(prefixes));
        return 0;
    case ["year", string path, string links, string prefixes, string days]:
        YearCommand.Run(path, Number(links), Number(prefixes), Number(days));
        return 0;
    case ["measure", string path]:
        await MeasureCommand.RunAsync(path);
        return 0;
    default:
        Console.Error.WriteLine("write FILE LINKS PREFIXES | year FILE LINKS PREFIXES DAYS | measure FILE");
        return 2;
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
