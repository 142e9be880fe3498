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
        _loops = [.. config.History.Sinks.Select(s => new SinkLoop(Make(s, config, time), config.History.Path, writer, time, logger))];
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

    private static IHistorySink Make(HistorySinkConfig sink, ApplianceConfig config, TimeProvider time) => sink.Kind == HistorySinkKind.Postgresql
        ? new PostgresSink(sink.Name, config.Site, config.Box, sink.Connection!, config.History.Retention, time)
        : new ClickHouseSink(sink.Name, config.Site, sink.Url!, sink.Database, sink.User, sink.Password);
}
