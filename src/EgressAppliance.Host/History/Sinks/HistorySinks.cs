using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>All sinks of the configuration, each at its own pace: one that is away holds up neither the history nor another one.</summary>
public sealed class HistorySinks : IAsyncDisposable
{
    private readonly SinkLoop[] _loops;

    /// <summary>Begins to send.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="writer">Tells when there is something new, and notes how far the sinks are.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public HistorySinks(ApplianceConfig config, HistoryWriter writer, TimeProvider time, ILogger<HistorySinks> logger)
    {
        ArgumentNullException.ThrowIfNull(config);
        _loops = [.. config.History.Sinks.Select(s => new SinkLoop(Make(s, config.Site), config.History.Path, writer, time, logger))];
    }

    /// <summary>How they are doing. Any thread.</summary>
    public IReadOnlyList<SinkStatus> Status => [.. _loops.Select(l => l.Status)];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (SinkLoop loop in _loops)
        {
            await loop.DisposeAsync();
        }
    }

    private static IHistorySink Make(HistorySinkConfig config, string site) => config.Kind == HistorySinkKind.Postgresql
        ? new PostgresSink(config.Name, site, config.Connection!)
        : new ClickHouseSink(config.Name, site, config.Url!, config.Database, config.User, config.Password);
}
