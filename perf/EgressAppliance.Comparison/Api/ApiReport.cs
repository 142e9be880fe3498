using System.CommandLine;
using System.Globalization;
using System.Text;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Reporting;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;

namespace EgressAppliance.Comparison.Api;

/// <summary>The verb <c>measure-api</c> and its report, <c>api.md</c>.</summary>
internal static class ApiReport
{
    /// <summary>The verb.</summary>
    public static Command Command(Option<DirectoryInfo> data, Option<int> packets, Option<int> every, Option<DirectoryInfo> reports)
    {
        Option<int> clients = new("--clients") { Description = "Clients at once.", DefaultValueFactory = _ => 100 };
        Option<int> seconds = new("--api-seconds") { Description = "How long each document is read.", DefaultValueFactory = _ => 15 };
        Option<int> rate = new("--rate") { Description = "Frames a second on the mirror port.", DefaultValueFactory = _ => 100_000 };
        Command command = new("measure-api", "Read the API of an appliance with a full table and traffic by many clients (root, wrk), and write api.md.") { clients, seconds, rate };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetRequiredValue(data).FullName;
            string load = Machine.Load();
            TrafficGenerator.Ensure(folder, parsed.GetRequiredValue(packets), parsed.GetRequiredValue(every));
            ApiMeasurement measurement = new(folder, parsed.GetRequiredValue(clients), parsed.GetRequiredValue(seconds), parsed.GetRequiredValue(rate));
            (FeedFile feed, IReadOnlyList<ApiSample> samples) = measurement.Run();
            Write(parsed.GetRequiredValue(reports).FullName, load, parsed.GetRequiredValue(clients), parsed.GetRequiredValue(rate), feed, samples);
            return 0;
        });
        return command;
    }

    private static void Write(string folder, string loadBefore, int clients, int rate, FeedFile feed, IReadOnlyList<ApiSample> samples)
    {
        MarkdownTable table = new("document", "octets", "answers a second", "median, ms", "p99, ms", "failed", "frames sent", "received", "lost");
        foreach (ApiSample sample in samples)
        {
            table.Add(
                $"{sample.Question}", Count(sample.Octets), MarkdownTable.Number(sample.Clients.RequestsPerSecond), MarkdownTable.Number(sample.Clients.MedianMilliseconds),
                MarkdownTable.Number(sample.Clients.P99Milliseconds), Count(sample.Clients.Failed), Count(sample.Sent), Count(sample.Counted), Count(sample.Lost));
        }

        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"""
            # The API under load

            Command: `make measure-api`, commit {Repository.Commit()}.
            Machine: {Machine.Describe()}.
            Load average before and after: {loadBefore}; {Machine.Load()}.

            One appliance with {feed}, by iBGP with ADD-PATH, a cycle of a second, and {rate} frames a second on its mirror port, all processors shared with the sender and with wrk, whose {clients} clients ask
            as fast as they are answered: figures are those of a machine without any idle time, not those of a page that asks once a second. "frames sent" is what the sender's interface counted, "received" what the
            appliance counted of it, "lost" what NIC, kernel and pipeline lost.

            {table}
            """);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "api.md"), text.ToString().TrimEnd() + "\n");
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
