using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Host.History.Sinks;

/// <summary>
/// Keeps one sink up to date: whenever the history was written, what the sink does not have is sent in batches, and how far it has come is noted in the history once a batch was taken. A sink
/// that does not take it is asked again after a wait that doubles up to five minutes. Between the batch and the note a crash makes a batch be sent twice, which sinks do not mind.
/// </summary>
internal sealed class SinkLoop : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Answer = TimeSpan.FromMinutes(2);
    private readonly IHistorySink _sink;
    private readonly SinkFeed _feed;
    private readonly HistoryWriter _writer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _due = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private volatile string? _problem = "nothing was sent yet";
    private long _rows;
    private long _failures;

    public SinkLoop(IHistorySink sink, string path, HistoryWriter writer, TimeProvider time, ILogger logger)
    {
        _sink = sink;
        _feed = new SinkFeed(path, sink.Name);
        _writer = writer;
        _time = time;
        _logger = logger;
        _writer.Written += OnWritten;
        _running = Task.Run(RunAsync);
    }

    public SinkStatus Status => new(_sink.Name, _problem, Interlocked.Read(ref _rows), Interlocked.Read(ref _failures), _feed.LagSeconds);

    public async ValueTask DisposeAsync()
    {
        _writer.Written -= OnWritten;
        await _stop.CancelAsync();
        await _running;
        await _sink.DisposeAsync();
        _stop.Dispose();
        _due.Dispose();
    }

    private void OnWritten()
    {
        try
        {
            // One is enough, however often the history was written meanwhile.
            if (_due.CurrentCount == 0)
            {
                _due.Release();
            }
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // Due already, or over.
        }
    }

    private async Task RunAsync()
    {
        TimeSpan wait = FirstWait;
        bool prepared = false;
        try
        {
            while (true)
            {
                await _due.WaitAsync(_stop.Token);
                string? failure = await TryAsync(prepared);
                if (failure is null)
                {
                    prepared = true;
                    wait = FirstWait;
                    if (_problem is not null)
                    {
                        HistoryLog.SinkGoesOn(_logger, _sink.Name);
                    }

                    _problem = null;
                    continue;
                }

                prepared = false;
                Interlocked.Increment(ref _failures);
                if (_problem != failure)
                {
                    HistoryLog.SinkFailed(_logger, _sink.Name, failure, wait.TotalSeconds);
                }

                _problem = failure;
                await Task.Delay(wait, _time, _stop.Token);
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
                OnWritten();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>Sends all there is; null if it was taken, else why not.</summary>
    private async Task<string?> TryAsync(bool prepared)
    {
        using CancellationTokenSource answer = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            if (!prepared)
            {
                answer.CancelAfter(Answer);
                await _sink.PrepareAsync(answer.Token);
            }

            while (true)
            {
                (SinkBatch batch, IReadOnlyList<SinkPosition> positions) = _feed.Next();
                if (positions.Count == 0)
                {
                    return null;
                }

                answer.CancelAfter(Answer);
                if (batch.Rows > 0)
                {
                    await _sink.SendAsync(batch, answer.Token);
                }

                Interlocked.Add(ref _rows, batch.Rows);
                _feed.Taken(positions);
                foreach (SinkPosition position in positions)
                {
                    _writer.Add(position);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            return $"no answer within {Answer.TotalSeconds} s";
        }
        catch (Exception e)
        {
            // Whatever it is, of the network, the sink's server or a bug: the sink is not worth more than the history, which goes on.
            return e.Message;
        }
    }
}
