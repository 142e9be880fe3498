using EgressAppliance.Host.History.Store;
using EgressAppliance.Net;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Tests.History.Store;

/// <summary>A database in a folder of its own.</summary>
internal sealed class HistoryBench : IDisposable
{
    public static readonly DateTimeOffset Begin = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("egress-history-");

    public HistoryBench(Func<HistoryOptions, HistoryOptions>? with = null)
    {
        HistoryOptions options = new() { Path = Path.Combine(_folder.FullName, "history.db") };
        Options = with?.Invoke(options) ?? options;
    }

    public HistoryOptions Options { get; }

    public string Folder => _folder.FullName;

    public static LinkSample Link(string name, long mbps, long? counterMbps = null, long? nativeMbps = null, int seconds = 60, int overload = 0, int nativeOverload = 0) => new(
        name, seconds, mbps * 1_000_000, mbps * 1_000_000, counterMbps * 1_000_000, nativeMbps * 1_000_000, mbps * 1_000_000, 10_000_000_000, 9_500_000_000, overload, nativeOverload, 0, 0);

    public static PrefixSample Prefix(string prefix, string link, long mbps) => new(IpPrefix.Parse(prefix), link, mbps * 1_000_000);

    public static HistoryTick Tick(DateTimeOffset minute, IReadOnlyList<LinkSample> links, params PrefixSample[] prefixes) => new(minute, links.Count > 0 ? links[0].Seconds : 60, links, prefixes);

    public HistoryStore Open() => Open(out _);

    public HistoryStore Open(out HistoryOpening opening) => HistoryStore.Open(Options, Begin, out opening);

    public long Scalar(string sql)
    {
        using SqliteConnection connection = HistoryDatabase.OpenForReading(Options.Path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is long value ? value : 0;
    }

    public List<string> Rows(string sql)
    {
        using SqliteConnection connection = HistoryDatabase.OpenForReading(Options.Path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader row = command.ExecuteReader();
        List<string> rows = [];
        while (row.Read())
        {
            rows.Add(string.Join(' ', Enumerable.Range(0, row.FieldCount).Select(i => row.IsDBNull(i) ? "-" : row.GetValue(i).ToString())));
        }

        return rows;
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
