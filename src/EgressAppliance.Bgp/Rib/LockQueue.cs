using System.Diagnostics;

namespace EgressAppliance.Bgp.Rib;

/// <summary>
/// Who waits for a lock that somebody else takes again and again. A lock does not queue: the thread that has just given it back gets it as a rule before
/// one that has been woken, for up to a tenth of a second. Work that can wait asks here between its slices and steps aside.
/// </summary>
internal sealed class LockQueue
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(5);
    private int _waiting;

    /// <summary>Told before the lock is taken by work that cannot wait.</summary>
    public void Come() => Interlocked.Increment(ref _waiting);

    /// <summary>Told when it has got it.</summary>
    public void Served() => Interlocked.Decrement(ref _waiting);

    /// <summary>Lets those who wait go first, not holding the lock. Gives up after a few milliseconds: whoever waits may have been suspended.</summary>
    public void GiveWay()
    {
        if (Volatile.Read(ref _waiting) == 0)
        {
            return;
        }

        long since = Stopwatch.GetTimestamp();
        var spinner = default(SpinWait);
        while (Volatile.Read(ref _waiting) > 0 && Stopwatch.GetElapsedTime(since) < Longest)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }
}
