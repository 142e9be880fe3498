namespace EgressAppliance.Host.Steering;

/// <summary>
/// Ends announcements when this box may no longer make them. It looks ten times a second at a clock and needs nothing but the speaker, so that neither a control loop that hangs nor a
/// database that does not answer holds it up.
/// </summary>
public sealed class LeadershipWatchdog : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private readonly ITimer _timer;

    /// <summary>Starts watching.</summary>
    /// <param name="leads">Whether this box takes itself for the one that decides.</param>
    /// <param name="mayAnnounce">Whether it may.</param>
    /// <param name="withdraw">Withdraws everything.</param>
    /// <param name="time">The clock.</param>
    public LeadershipWatchdog(Func<bool> leads, Func<bool> mayAnnounce, Action withdraw, TimeProvider time)
    {
        Lock gate = new();
        bool done = false;
        _timer = time.CreateTimer(
            _ =>
            {
                if (!gate.TryEnter())
                {
                    return;
                }

                try
                {
                    bool over = leads() && !mayAnnounce();
                    if (over && !done)
                    {
                        withdraw();
                    }

                    done = over;
                }
                finally
                {
                    gate.Exit();
                }
            },
            null,
            Period,
            Period);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();
}
