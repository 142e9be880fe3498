using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// Runs cells of the matrix. Most of a cell's time is waiting for timers and retries, so when a test asks for a cell, the same row begins for the other software
/// too, a few cells at a time; each test then takes the outcome of its own. All have ended before another class of tests begins.
/// </summary>
public sealed class InteropRuns : IAsyncLifetime, IDisposable
{
    private const int Together = 6;
    private readonly ConcurrentDictionary<(string Row, InteropSoftware Software), Task<(CellLog Log, ExceptionDispatchInfo? Failure)>> _cells = new();
    private readonly SemaphoreSlim _room = new(Together);

    /// <inheritdoc/>
    public Task InitializeAsync() => NetNamespace.SweepAsync();

    /// <inheritdoc/>
    public Task DisposeAsync() => Task.WhenAll(_cells.Values);

    /// <inheritdoc/>
    public void Dispose() => _room.Dispose();

    /// <summary>The outcome of a cell: returns if it works, throws what failed; prints its log either way.</summary>
    internal async Task AwaitAsync(InteropRow row, InteropSoftware software, ITestOutputHelper output)
    {
        SystemRequirements.Demand();
        Begin(row, software);
        foreach ((InteropSoftware other, _, _) in InteropMatrix.Software.Where(other => InteropMatrix.WhyNot(row, other.Software) is null))
        {
            Begin(row, other);
        }

        (CellLog log, ExceptionDispatchInfo? failure) = await _cells[(row.Key, software)];
        foreach (string line in log.Lines)
        {
            output.WriteLine(line);
        }

        failure?.Throw();
    }

    private void Begin(InteropRow row, InteropSoftware software) => _cells.GetOrAdd((row.Key, software), _ => Task.Run(() => RunAsync(row, software)));

    private async Task<(CellLog Log, ExceptionDispatchInfo? Failure)> RunAsync(InteropRow row, InteropSoftware software)
    {
        await _room.WaitAsync();
        using var log = new CellLog();
        try
        {
            await InteropBed.RunAsync(software, row.Options, row.Test, log);
            return (log, null);
        }
#pragma warning disable CA1031 // Whatever it is, it is thrown again in the test that asks for this cell.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return (log, ExceptionDispatchInfo.Capture(e));
        }
        finally
        {
            _room.Release();
        }
    }
}
