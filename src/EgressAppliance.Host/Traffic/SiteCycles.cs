using EgressAppliance.Cluster.Merge;
using EgressAppliance.Host.Steering;

namespace EgressAppliance.Host.Traffic;

/// <summary>
/// A controller's cycle for each tick of the collectors: as soon as all of them have been heard of it, and after a grace without those that were not.
/// </summary>
/// <param name="merger">Knows who was heard.</param>
/// <param name="period">Length of a tick.</param>
/// <param name="grace">How long after the end of a tick is waited for the last one.</param>
/// <param name="time">The clock.</param>
public sealed class SiteCycles(SiteMerger merger, TimeSpan period, TimeSpan grace, TimeProvider time) : ICycleTimer
{
    private readonly AlignedCycles _ends = new(period, time);

    /// <inheritdoc/>
    public void Start() => _ends.Start();

    /// <inheritdoc/>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _ends.WaitAsync(cancellationToken);
        long end = time.GetTimestamp();
        while (true)
        {
            // Asked for before the question: what comes in between completes it.
            Task added = merger.Added;
            if (merger.IsComplete(_ends.Tick) || (grace - time.GetElapsedTime(end)) is not { Ticks: > 0 } left)
            {
                return;
            }

            try
            {
                await added.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return;
            }
        }
    }
}
