using System.Diagnostics;

namespace EgressAppliance.SystemTests.Cluster;

/// <summary>Looks at the router all the time, several times a second: who has overrides there.</summary>
internal sealed class OverrideWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _violations = [];
    private readonly Lock _gate = new();
    private readonly Task _running;
    private IReadOnlyDictionary<string, string[]> _latest = new Dictionary<string, string[]>();
    private long _looks;

    public OverrideWatch(ClusterLab cluster) => _running = Task.Run(() => RunAsync(cluster));

    /// <summary>Looks at which two controllers had overrides at once.</summary>
    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_gate)
            {
                return [.. _violations];
            }
        }
    }

    /// <summary>How often it looked.</summary>
    public long Looks => Interlocked.Read(ref _looks);

    /// <summary>What it saw last, by controller.</summary>
    public IReadOnlyDictionary<string, string[]> Latest
    {
        get
        {
            lock (_gate)
            {
                return _latest;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(ClusterLab cluster)
    {
        long start = Stopwatch.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            IReadOnlyDictionary<string, string[]> seen = await cluster.OverridesAsync();
            Interlocked.Increment(ref _looks);
            lock (_gate)
            {
                _latest = seen;
                if (seen.Values.Count(prefixes => prefixes.Length > 0) > 1)
                {
                    _violations.Add($"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s: {string.Join("; ", seen.Select(s => $"{s.Key} {string.Join(' ', s.Value)}"))}");
                }
            }

            await Task.Delay(50, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
