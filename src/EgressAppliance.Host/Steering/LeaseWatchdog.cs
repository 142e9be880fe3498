using EgressAppliance.Decision.Overrides;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// Ends leases when nobody else does: it looks once a second at the overrides that the last cycle published and withdraws those whose
/// lease has run out. It needs nothing but that list, a clock and the speaker, so a control loop that hangs cannot hold it up.
/// </summary>
public sealed class LeaseWatchdog : IAsyncDisposable
{
    private readonly ITimer _timer;

    /// <summary>Starts watching.</summary>
    /// <param name="overrides">Gives the overrides in force, from any thread.</param>
    /// <param name="withdraw">Withdraws those that expired.</param>
    /// <param name="time">The clock of the leases.</param>
    public LeaseWatchdog(Func<IReadOnlyList<OverrideEntry>> overrides, Action<IReadOnlyList<OverrideEntry>> withdraw, TimeProvider time)
    {
        Lock gate = new();
        HashSet<(Net.IpPrefix, DateTimeOffset)> done = [];
        _timer = time.CreateTimer(
            _ =>
            {
                // A withdrawal that waits must not gather a queue of timer threads behind it.
                if (!gate.TryEnter())
                {
                    return;
                }

                try
                {
                    IReadOnlyList<OverrideEntry> all = overrides();
                    done.RemoveWhere(d => !all.Any(e => e.Prefix == d.Item1 && e.LeaseExpires == d.Item2));

                    // The loop that would take them off the list is the one that hangs: withdraw each lease once.
                    OverrideEntry[] expired =
                        [.. OverrideLedger.Expired(all, time.GetUtcNow()).Where(e => !done.Contains((e.Prefix, e.LeaseExpires)))];
                    if (expired.Length > 0)
                    {
                        withdraw(expired);
                        done.UnionWith(expired.Select(e => (e.Prefix, e.LeaseExpires)));
                    }
                }
                finally
                {
                    gate.Exit();
                }
            },
            null,
            TimeSpan.FromSeconds(1),
            TimeSpan.FromSeconds(1));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();
}
