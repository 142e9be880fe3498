using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>A database elsewhere that keeps a copy of the history. One caller at a time.</summary>
public interface IHistorySink : IAsyncDisposable
{
    /// <summary>Its name, by which positions are remembered.</summary>
    string Name { get; }

    /// <summary>Connects, and makes the tables that are not there. Called before the first batch, and again after a failure.</summary>
    /// <exception cref="SinkException">It cannot; any other exception means the same.</exception>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Takes a batch, whole or not at all. What it has already, it may be given again.</summary>
    /// <exception cref="SinkException">It was not taken; any other exception means the same.</exception>
    Task SendAsync(SinkBatch batch, CancellationToken cancellationToken);
}

/// <summary>Rows for a sink.</summary>
/// <param name="Links">Samples of links.</param>
/// <param name="Prefixes">Rates of prefixes.</param>
/// <param name="Events">Events with their numbers.</param>
public sealed record SinkBatch(
    IReadOnlyList<(DateTimeOffset Minute, LinkSample Sample)> Links, IReadOnlyList<(DateTimeOffset Minute, PrefixSample Sample)> Prefixes,
    IReadOnlyList<(long Id, HistoryEvent Event)> Events)
{
    /// <summary>All rows.</summary>
    public int Rows => Links.Count + Prefixes.Count + Events.Count;
}

/// <summary>A sink refused; the message is meant for the operator and holds no secret.</summary>
public sealed class SinkException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public SinkException()
    {
    }

    /// <summary>Makes one.</summary>
    public SinkException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public SinkException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
