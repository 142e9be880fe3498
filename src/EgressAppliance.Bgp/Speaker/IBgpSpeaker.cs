using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// The speaker: sessions to the routers, the routes learned from them, and our overrides. Thread-safe.
/// </summary>
public interface IBgpSpeaker : IAsyncDisposable
{
    /// <summary>Starts listening and connecting.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Status of every peer, in configuration order.</summary>
    IReadOnlyList<PeerStatus> GetPeers();

    /// <summary>
    /// All live paths of exactly this prefix, over all peers, in the order in which the router prefers them (RFC 4271 section 9.1),
    /// our own marked routes left out. Empty if there is none.
    /// </summary>
    IReadOnlyList<RibPath> GetPaths(IpPrefix prefix);

    /// <summary>
    /// What the routers that show their Loc-RIB by BMP (RFC 9069) have chosen for exactly this prefix themselves, one path a router at most, by index of the router; our own
    /// overrides are among them. A router whose Loc-RIB has path identifiers, so that it does not say which path is the best, is left out. Empty if none shows one.
    /// </summary>
    IReadOnlyList<RibPath> GetLocRib(IpPrefix prefix);

    /// <summary>
    /// Makes an override: the live path of exactly <paramref name="prefix"/> with this next hop, ready to be announced with a LOCAL_PREF above the highest seen.
    /// </summary>
    bool TryCreateOverride(IpPrefix prefix, IpAddr nextHop, out Override? created, out OverrideRefusal refusal);

    /// <summary>Announces overrides to every established peer, and to peers that come up later. Those that the rules do not allow any more, as when their path has gone, are refused.</summary>
    IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Announce(IReadOnlyCollection<Override> overrides);

    /// <summary>Withdraws overrides; unknown prefixes are ignored.</summary>
    void Withdraw(IReadOnlyCollection<IpPrefix> prefixes);

    /// <summary>Withdraws everything in one step; returns how many.</summary>
    int WithdrawAll();

    /// <summary>The overrides announced now.</summary>
    IReadOnlyList<Override> GetOverrides();

    /// <summary>
    /// Asks a router, by its name, to send its routes anew (RFC 2918), of one family or of all. What it does not send again stays: a plain refresh has
    /// no beginning and no end that would tell what is gone.
    /// </summary>
    RefreshOutcome RequestRefresh(string peer, IpFamily? family);

    /// <summary>Tells that the control loop is alive; see <see cref="BgpSpeakerOptions.HeartbeatTimeout"/>.</summary>
    void Heartbeat();

    /// <summary>
    /// Raised after the speaker itself withdrew an override, with the reason in words: its path went, or a router cannot be told of it any more. Handlers are quick
    /// and do not call back.
    /// </summary>
    event Action<IpPrefix, string>? OverrideLost;
}
