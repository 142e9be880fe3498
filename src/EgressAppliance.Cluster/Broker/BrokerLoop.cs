using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace EgressAppliance.Cluster.Broker;

/// <summary>Keeps a connection to one of the brokers, and makes a new one when it is lost. What is done on it is the derived class's matter.</summary>
public abstract class BrokerLoop : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Within this time a loop ends, whatever the broker does.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private Task _running = Task.CompletedTask;
    private bool _disposed;

    private protected BrokerLoop(BrokerOptions options, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        Options = options;
        _time = time;
        Logger = logger;
    }

    private protected BrokerOptions Options { get; }

    private protected ILogger Logger { get; }

    private protected Lock Gate { get; } = new();

    /// <summary>Changed under <see cref="Gate"/>.</summary>
    private protected BrokerStatus Kept { get; set; } = new() { Problem = "not connected yet" };

    private protected CancellationToken Stopping => _stop.Token;

    /// <summary>Begins to connect.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Ends the connection. What is not sent by then is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        GC.SuppressFinalize(this);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.WaitAsync(StopWithin).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    /// <summary>Uses a connection until it is lost or the loop ends. Its channels are left to it: they end with the connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="lost">Completes when it is lost.</param>
    private protected abstract Task UseAsync(IConnection connection, Task lost);

    /// <summary>Notes that all is well.</summary>
    private protected void Well()
    {
        lock (Gate)
        {
            Kept = Kept with { Problem = null };
        }
    }

    private async Task RunAsync()
    {
        TimeSpan pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            List<string> problems = [];
            try
            {
                if (await BrokerConnector.ConnectAsync(Options, problems, _stop.Token).ConfigureAwait(false) is { } made)
                {
                    if (await UseAsync(made.Connection, made.Broker, problems).ConfigureAwait(false))
                    {
                        pause = FirstPause;
                    }
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }

            Lost(string.Join("; ", problems.DefaultIfEmpty("the connection was closed")));
            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Uses a connection to its end; true if it was of use.</summary>
    private async Task<bool> UseAsync(IConnection connection, string broker, List<string> problems)
    {
        TaskCompletionSource lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.ConnectionShutdownAsync += (_, _) =>
        {
            lost.TrySetResult();
            return Task.CompletedTask;
        };
        if (!connection.IsOpen)
        {
            lost.TrySetResult();
        }

        lock (Gate)
        {
            Kept = Kept with { ConnectedTo = broker, Connections = Kept.Connections + 1 };
        }

        BrokerLog.Connected(Logger, broker);
        try
        {
            await UseAsync(connection, lost.Task).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return true;
        }
        catch (Exception e) when (BrokerConnector.IsFailure(e))
        {
            problems.Add($"{broker}: {BrokerConnector.Words(e)}");
            return false;
        }
        finally
        {
            if (_stop.IsCancellationRequested)
            {
                await BrokerConnector.CloseAsync(connection).ConfigureAwait(false);
            }
            else
            {
                _ = BrokerConnector.AbandonAsync(connection);
            }
        }
    }

    private void Lost(string problem)
    {
        bool told;
        lock (Gate)
        {
            told = Kept.ConnectedTo is null && Kept.Problem == problem;
            Kept = Kept with { ConnectedTo = null, Problem = problem };
        }

        if (!told && !_stop.IsCancellationRequested)
        {
            BrokerLog.Lost(Logger, problem);
        }
    }
}
