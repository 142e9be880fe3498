using EgressAppliance.Host.Config;
using EgressAppliance.Host.Steering;

namespace EgressAppliance.Host.History;

/// <summary>What governs the writing of the journal.</summary>
public sealed record JournalOptions
{
    /// <summary>Most files there are at a time, about: each is at most this part of the whole.</summary>
    private const int Files = 16;

    private const long LargestFileBytes = 64L << 20;

    /// <summary>The folder; made if it is not there.</summary>
    public required string Folder { get; init; }

    /// <summary>Most disk space for all files, octets; the oldest go first.</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>Octets after which the next file begins.</summary>
    public long FileBytes => Math.Min(MaxBytes / Files, LargestFileBytes);

    /// <summary>Age of a file after which the next one begins.</summary>
    public TimeSpan FileTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Most that waits to be written, in prefixes of cycles (<see cref="Decision.Journal.JournalCall.Weight"/>): some twenty cycles of ten thousand, 20 MB.</summary>
    public long MaxWaiting { get; init; } = 200_000;

    /// <summary>Longest time for which what was written may be lost to a power cut, beside what a single cycle takes.</summary>
    public TimeSpan SyncEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Wait after a failure before the next attempt.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time that stopping waits for the disk.</summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Version of the program.</summary>
    public string Program { get; init; } = StateBuilder.Version;

    /// <summary>As configured; null if there is to be no journal.</summary>
    public static JournalOptions? From(HistoryConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config.Journal ? new JournalOptions { Folder = config.JournalFolder, MaxBytes = config.JournalBytes } : null;
    }
}
