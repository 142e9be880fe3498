using System.Globalization;
using EgressAppliance.Host.History.Store;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.HistoryLoad;

/// <summary>
/// <c>write FILE LINKS PREFIXES</c>: goes on where the database ends and writes minute after minute, each in a transaction of its own, as fast as the disk takes them. After each one that is
/// committed its time is printed, so that whoever kills this process knows what must be there.
/// </summary>
internal static class WriteCommand
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Run(string path, int links, int prefixes)
    {
        SampleTraffic traffic = new(links, prefixes);
        using HistoryStore store = HistoryStore.Open(Options(path, traffic), Begin, out HistoryOpening opening);
        Console.WriteLine(opening.Repair is { } repair ? $"repaired {repair.Damage}" : "opened");
        DateTimeOffset minute = Newest(path)?.AddMinutes(1) ?? Begin;
        while (true)
        {
            store.Write([traffic.Tick(minute)], [new HistoryEvent(minute, EventKind.Plan) { Count = minute.ToUnixTimeSeconds() / 60 }], []);
            Console.WriteLine(minute.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            minute = minute.AddMinutes(1);
        }
    }

    /// <summary>Options of a history of this traffic, with a price on every link.</summary>
    internal static HistoryOptions Options(string path, SampleTraffic traffic) => new()
    {
        Path = path,
        Terms = [.. traffic.Links.Select(l => new LinkTerms(l, new(), 95, 20_000_000_000, 0.35))],
    };

    private static DateTimeOffset? Newest(string path)
    {
        using SqliteConnection connection = HistoryDatabase.OpenForReading(path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT MAX(time) FROM link_minute";
        return command.ExecuteScalar() is long time ? DateTimeOffset.FromUnixTimeSeconds(time) : null;
    }
}
