using System.Globalization;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>How <c>history status</c> looks.</summary>
internal static class HistoryViews
{
    /// <summary>Writes the document.</summary>
    public static void Status(HistoryStatusDto status, CommandConsole console)
    {
        console.Out.WriteLine($"database        {Human.Clean(status.Path)}");
        console.Out.WriteLine(
            $"size            {Size(status.SizeBytes)}, {Size(status.UsedBytes)} in use{(status.MaxSizeBytes is { } most ? $", {Units.FormatSize(most)} at most" : "")}");
        if (status.WaitingTicks + status.DroppedTicks + status.TrimmedRows > 0)
        {
            console.Out.WriteLine(
                $"since start     {Human.Count(status.WaitingTicks)} minutes wait, {Human.Count(status.DroppedTicks)} left out; {Human.Count(status.TrimmedRows)} rows deleted for want of room");
        }

        foreach (string problem in status.Problems)
        {
            console.Out.WriteLine($"problem         {Human.Clean(problem)}");
        }

        foreach (string note in status.Notes)
        {
            console.Out.WriteLine($"note            {Human.Clean(note)}");
        }

        console.Out.WriteLine();
        TextTable tables = new("TABLE", ">ROWS", "OLDEST", "NEWEST");
        foreach (HistoryTableDto table in status.Tables)
        {
            tables.Add(table.Name, Human.Count(table.Rows), Moment(table.Oldest), Moment(table.Newest));
        }

        tables.Write(console, "There are no tables.");
        if (status.Sinks.Count > 0)
        {
            console.Out.WriteLine();
            TextTable sinks = new("SINK", ">LAG", ">ROWS", ">FAILURES", "PROBLEM");
            foreach (HistorySinkDto sink in status.Sinks)
            {
                sinks.Add(
                    sink.Name, sink.LagSeconds is { } lag ? Human.Span(TimeSpan.FromSeconds(lag)) : "-", Human.Count(sink.Rows), Human.Count(sink.Failures),
                    sink.Problem is { } problem ? new Cell(problem, CellStyle.Bad) : "");
            }

            sinks.Write(console, "");
        }
    }

    private static string Moment(DateTimeOffset? time) => time is { } known ? Human.Moment(known) : "-";

    private static string Size(long bytes) => bytes >= 10_000_000_000 ? (bytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + " GB"
        : bytes >= 1_000_000 ? (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB"
        : (bytes / 1e3).ToString("0", CultureInfo.InvariantCulture) + " kB";
}
