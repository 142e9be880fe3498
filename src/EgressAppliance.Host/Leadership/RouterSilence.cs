using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Host.Leadership;

/// <summary>
/// For how long routers may still hold what this box announced, once it has fallen silent. A router with a session may have its last word as late as the kernel gives a message up, and keeps it for the
/// hold time; one whose session has ended here has heard nothing since. Any thread.
/// </summary>
/// <param name="hold">The longest hold time.</param>
/// <param name="silence">What is owed to a router with a session.</param>
/// <param name="time">The clock.</param>
public sealed class RouterSilence(TimeSpan hold, TimeSpan silence, TimeProvider time)
{
    /// <summary>For what was on its way when the session ended.</summary>
    private static readonly TimeSpan OnTheWay = TimeSpan.FromMilliseconds(500);
    private readonly Dictionary<string, long?> _ended = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>What is owed now.</summary>
    public TimeSpan Owed
    {
        get
        {
            lock (_gate)
            {
                TimeSpan owed = TimeSpan.Zero;
                foreach (long? ended in _ended.Values)
                {
                    TimeSpan own = ended is { } since ? hold + OnTheWay - time.GetElapsedTime(since) : silence;
                    owed = own > owed ? own : owed;
                }

                return _ended.Count == 0 ? silence : owed;
            }
        }
    }

    /// <summary>Takes the sessions as they are. Seen later than it happened, an end owes longer than it must.</summary>
    public void Note(IReadOnlyList<PeerStatus> peers)
    {
        ArgumentNullException.ThrowIfNull(peers);
        lock (_gate)
        {
            foreach (PeerStatus peer in peers)
            {
                _ended[peer.Name] = peer.State == SessionState.Established ? null : _ended.GetValueOrDefault(peer.Name) ?? time.GetTimestamp();
            }
        }
    }
}
