using EgressAppliance.Decision.Cost;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.History.Store;

/// <summary>How long each resolution is kept.</summary>
/// <param name="Minute">Samples of one minute.</param>
/// <param name="FiveMinutes">Samples of five minutes.</param>
/// <param name="Hour">Samples of an hour.</param>
/// <param name="Day">Samples of a day, and billing months.</param>
/// <param name="Events">Decisions, overrides and other events.</param>
public sealed record HistoryRetention(TimeSpan Minute, TimeSpan FiveMinutes, TimeSpan Hour, TimeSpan Day, TimeSpan Events)
{
    /// <summary>The defaults.</summary>
    public static HistoryRetention Default { get; } = new(Days(400), Days(400), Days(1100), Days(3650), Days(400));

    /// <summary>That of a level.</summary>
    public TimeSpan Of(HistoryLevel level) => level.Seconds switch
    {
        60 => Minute,
        300 => FiveMinutes,
        3600 => Hour,
        _ => Day,
    };

    private static TimeSpan Days(int days) => TimeSpan.FromDays(days);
}

/// <summary>How a link is billed, for the month's percentile and the report.</summary>
/// <param name="Link">The link.</param>
/// <param name="Billing">Which samples make a month, and how many are free.</param>
/// <param name="Percentile">Percentile that is billed.</param>
/// <param name="CommitBps">Commit, bit/s, or null.</param>
/// <param name="PricePerMbit">Price of a Mbit/s, or null.</param>
public sealed record LinkTerms(string Link, BillingOptions Billing, int Percentile, long? CommitBps, double? PricePerMbit);

/// <summary>What governs the history of rates and events.</summary>
public sealed record HistoryOptions
{
    /// <summary>The database file.</summary>
    public required string Path { get; init; }

    /// <summary>How long each resolution is kept.</summary>
    public HistoryRetention Retention { get; init; } = HistoryRetention.Default;

    /// <summary>Most disk space of the database, octets; the oldest of the finest samples go first.</summary>
    public long MaxBytes { get; init; } = 8L << 30;

    /// <summary>How many of the largest prefixes are kept of each minute and step.</summary>
    public int TopPrefixes { get; init; } = 1000;

    /// <summary>The links' terms.</summary>
    public IReadOnlyList<LinkTerms> Terms { get; init; } = [];

    /// <summary>The database and its folder are deleted at the end, for the demo.</summary>
    public bool Temporary { get; init; }

    /// <summary>Ticks that may wait to be written: an hour and a half of a disk that is full.</summary>
    public int MaxWaitingTicks { get; init; } = 90;

    /// <summary>Events that may wait to be written.</summary>
    public int MaxWaitingEvents { get; init; } = 20_000;

    /// <summary>Wait after a failure before the next attempt.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time that stopping waits for the disk.</summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>As configured; null if there is to be no history.</summary>
    public static HistoryOptions? From(ApplianceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        HistoryConfig history = config.History;
        return history.Path.Length == 0 ? null : new HistoryOptions
        {
            Path = history.Path,
            Retention = history.Retention,
            MaxBytes = history.MaxBytes,
            TopPrefixes = history.TopPrefixes,
            Temporary = history.Temporary,
            Terms =
            [
                .. config.Links.Select(l => new LinkTerms(
                    l.Name, new BillingOptions { BillingDay = l.BillingDay, TimeZone = l.BillingZone, FreeRatio = (100 - l.BillingPercentile) / 100.0 }, l.BillingPercentile, l.CommitBps,
                    l.PricePerMbit)),
            ],
        };
    }
}

/// <summary>A resolution that is stored, with the tables of it.</summary>
/// <param name="Name">As in <c>history.retention</c> and in the tables' names.</param>
/// <param name="Seconds">Length of a step.</param>
public sealed record HistoryLevel(string Name, int Seconds)
{
    /// <summary>Samples of one minute.</summary>
    public static HistoryLevel Minute { get; } = new("minute", 60);

    /// <summary>Samples of five minutes.</summary>
    public static HistoryLevel FiveMinutes { get; } = new("five_minutes", 300);

    /// <summary>Samples of an hour.</summary>
    public static HistoryLevel Hour { get; } = new("hour", 3600);

    /// <summary>Samples of a day, UTC.</summary>
    public static HistoryLevel Day { get; } = new("day", 86400);

    /// <summary>All, the finest first; each is rolled up from the one before.</summary>
    public static IReadOnlyList<HistoryLevel> All { get; } = [Minute, FiveMinutes, Hour, Day];

    /// <summary>Table of the links.</summary>
    public string LinkTable => "link_" + Name;

    /// <summary>Table of the prefixes.</summary>
    public string PrefixTable => "prefix_" + Name;

    /// <summary>Begin of the step that a time falls into, seconds since 1970.</summary>
    public long Floor(long unixSeconds) => unixSeconds - (unixSeconds % Seconds);
}
