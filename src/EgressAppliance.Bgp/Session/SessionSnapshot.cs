using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Bgp.Session;

/// <summary>What is shown of a session.</summary>
/// <param name="State">The more advanced state of its connections.</param>
/// <param name="Since">When that was entered.</param>
internal sealed record SessionSnapshot(SessionState State, DateTimeOffset Since)
{
    /// <summary>Times it went up.</summary>
    public long Established { get; init; }

    /// <summary>Times each state was entered since start, by <see cref="SessionState"/>.</summary>
    public IReadOnlyList<long> Entered { get; init; } = new long[(int)SessionState.Established + 1];

    /// <summary>Hold time in force while established, else zero.</summary>
    public TimeSpan HoldTime { get; init; }

    /// <summary>Why it last went down or could not come up, or null.</summary>
    public string? LastError { get; init; }

    /// <summary>When that happened, or null.</summary>
    public DateTimeOffset? LastErrorTime { get; init; }

    /// <summary>The last NOTIFICATION that ended a connection, those of collisions left out, or null.</summary>
    public PeerNotification? LastNotification { get; init; }

    /// <summary>Those sent.</summary>
    public long NotificationsSent { get; init; }

    /// <summary>Those received.</summary>
    public long NotificationsReceived { get; init; }
}
