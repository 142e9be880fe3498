using System.Text.Json;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Host.History;

/// <summary>
/// Keeps the billing months over a restart: one JSON file, written anew once in each sample of five minutes and at the end. A write goes to a second file that
/// then takes the name of the first, so a crash leaves the old or the new one, whole. A disk that fails costs samples after the next restart and nothing else.
/// </summary>
public sealed class BillingFile : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    // Two months of eight links are under 3 MiB.
    private const long MaxBytes = 64L << 20;
    private readonly string _path;
    private readonly Func<CostModeState> _state;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private volatile string? _problem;

    /// <summary>Begins to write.</summary>
    /// <param name="path">The file.</param>
    /// <param name="state">Gives what is to be written, from any thread.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public BillingFile(string path, Func<CostModeState> state, TimeProvider time, ILogger<BillingFile> logger)
    {
        _path = path;
        _state = state;
        _logger = logger;
        _running = RunAsync(time);
    }

    /// <summary>Why the file could not be written the last time; null if it was.</summary>
    public string? Problem => _problem;

    /// <summary>Reads a file. One that cannot be read as what it should be is put aside as <c>.bad</c>, and the months begin anew.</summary>
    /// <returns>What it holds; null if there is none, or none that can be read.</returns>
    public static CostModeState? Load(string path, ILogger<BillingFile> logger)
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists)
            {
                return null;
            }

            return file.Length <= MaxBytes
                ? DecisionJson.ReadCostModeState(File.ReadAllBytes(path))
                : throw new JsonException($"{file.Length} octets are more than any file of ours has");
        }
        catch (JsonException e)
        {
            BillingLog.Unreadable(logger, path, e.Message);
            PutAside(path, logger);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BillingLog.Unreadable(logger, path, e.Message);
        }

        return null;
    }

    /// <summary>Writes a last time.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static void PutAside(string path, ILogger logger)
    {
        try
        {
            File.Move(path, path + ".bad", overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BillingLog.Unreadable(logger, path, e.Message);
        }
    }

    private async Task RunAsync(TimeProvider time)
    {
        using PeriodicTimer timer = new(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                Write();
            }
        }
        catch (OperationCanceledException)
        {
            Write();
        }
    }

    private void Write()
    {
        CostModeState state = _state();
        if (state.Months.Count == 0)
        {
            // No cycle has told a time of day yet: what an earlier run wrote is worth more.
            return;
        }

        string next = _path + ".new";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            using (FileStream file = new(next, FileMode.Create, FileAccess.Write))
            {
                file.Write(DecisionJson.Write(state));
                file.Flush(flushToDisk: true);
            }

            File.Move(next, _path, overwrite: true);
            if (_problem is not null)
            {
                BillingLog.GoesOn(_logger, _path);
            }

            _problem = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_problem is null)
            {
                BillingLog.Failed(_logger, _path, e.Message);
            }

            _problem = e.Message;
        }
    }
}
