using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Session;

/// <summary>
/// What a session needs of the speaker. Calls come under the session's lock, one at a time per peer, except where it says otherwise.
/// Implementations may take the speaker's lock, and never call back into a session.
/// </summary>
internal interface IPeerOwner
{
    /// <summary>True while the control loop gives no sign of life: nothing is sent and no session is begun. Any thread.</summary>
    bool Frozen { get; }

    /// <summary>Routes stand at routers that may not stand there any longer, because another controller may lead. Any thread, without waiting.</summary>
    bool Overdue { get; }

    /// <summary>The session is up.</summary>
    void OnUp(int peer, SessionParameters parameters, BgpConnection connection);

    /// <summary>The session is down: the peer's routes go.</summary>
    void OnDown(int peer, string reason);

    /// <summary>Routes. Returns an error if the session must end for it (too many prefixes).</summary>
    BgpError? OnUpdate(int peer, SessionParameters parameters, UpdateMessage update);

    /// <summary>All that has arrived so far was given to <see cref="OnUpdate"/>: what it put off must be done now.</summary>
    void OnIdle(int peer);

    /// <summary>The peer wants a family announced again.</summary>
    void OnRefresh(int peer, AfiSafi family);

    /// <summary>The connection that <see cref="OnUp"/> gave was behind and has caught up. Any thread, no lock held.</summary>
    void OnDrained(int peer, BgpConnection connection);

    /// <summary>Called after the session's lock was released, so that events may be raised without holding it.</summary>
    void AfterStep();
}
