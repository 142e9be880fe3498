using System.Net;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>States of the BGP finite state machine (RFC 4271 section 8.2.2).</summary>
public enum SessionState
{
    /// <summary>Not trying.</summary>
    Idle,

    /// <summary>Waiting for the TCP connection.</summary>
    Connect,

    /// <summary>Listening, or waiting to retry.</summary>
    Active,

    /// <summary>OPEN sent.</summary>
    OpenSent,

    /// <summary>OPEN received, KEEPALIVE awaited.</summary>
    OpenConfirm,

    /// <summary>Routes are exchanged.</summary>
    Established,
}

/// <summary>How to reach one router.</summary>
public sealed record BgpPeerOptions
{
    /// <summary>The router's name in configuration.</summary>
    public required string Name { get; init; }

    /// <summary>The router's address.</summary>
    public required IPAddress RemoteAddress { get; init; }

    /// <summary>Our address of the session, or null to let the kernel choose.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>TCP port the router listens on.</summary>
    public int RemotePort { get; init; } = 179;

    /// <summary>Our AS, 4 octets.</summary>
    public required uint LocalAs { get; init; }

    /// <summary>The router's AS; equal to ours for iBGP.</summary>
    public required uint PeerAs { get; init; }

    /// <summary>True to wait for the router to connect and never connect ourselves.</summary>
    public bool Passive { get; init; }

    /// <summary>Hold time proposed; zero or at least 3 s (RFC 4271 section 4.2).</summary>
    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>Shortest wait before a reconnect; doubles up to a minute.</summary>
    public TimeSpan ConnectRetry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Families offered.</summary>
    public IReadOnlyList<IpFamily> Families { get; init; } = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>TCP MD5 key (RFC 2385), or null.</summary>
    public string? Password { get; init; }

    /// <summary>Routes accepted before the session is torn down with Cease/1 (RFC 4486).</summary>
    public int MaxPrefix { get; init; } = 2_000_000;
}

/// <summary>What the whole speaker needs.</summary>
public sealed record BgpSpeakerOptions
{
    /// <summary>BGP identifier, non-zero; host order.</summary>
    public required uint RouterId { get; init; }

    /// <summary>The routers.</summary>
    public required IReadOnlyList<BgpPeerOptions> Peers { get; init; }

    /// <summary>Addresses and port to accept sessions on; empty: none (purely active).</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [];

    /// <summary>The only next hops an override may carry: those of the configured links.</summary>
    public required IReadOnlySet<IpAddr> AllowedNextHops { get; init; }

    /// <summary>Our own addresses, which never may be a next hop.</summary>
    public required IReadOnlySet<IpAddr> OwnAddresses { get; init; }

    /// <summary>The community that marks our overrides (RFC 1997; upper 16 bits AS).</summary>
    public required uint MarkerCommunity { get; init; }

    /// <summary>Most overrides announced at a time.</summary>
    public int MaxOverrides { get; init; } = 1000;

    /// <summary>A quiet time after which a table counts as complete where the router sends no End-of-RIB.</summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Without <see cref="IBgpSpeaker.Heartbeat"/> for this long no KEEPALIVE is sent, so that routers drop the session of a frozen controller. Zero: off.</summary>
    public TimeSpan HeartbeatTimeout { get; init; }
}

/// <summary>One peer as it stands.</summary>
/// <param name="Name">The router's name.</param>
/// <param name="RemoteAddress">The router's address.</param>
/// <param name="State">FSM state.</param>
/// <param name="Since">When the state was entered.</param>
/// <param name="AddPath">ADD-PATH receive is in force for every negotiated family; without it only the best path is seen and nothing may be moved.</param>
/// <param name="TableComplete">End-of-RIB came for each family, or the quiet time passed.</param>
/// <param name="RoutesIPv4">IPv4 paths held.</param>
/// <param name="RoutesIPv6">IPv6 paths held.</param>
/// <param name="Overrides">Overrides announced to it.</param>
/// <param name="MessagesReceived">BGP messages since start.</param>
/// <param name="MessagesSent">BGP messages since start.</param>
/// <param name="Transitions">Times the session went up.</param>
/// <param name="UpdateErrors">UPDATEs handled by RFC 7606.</param>
/// <param name="LastError">Why the session last went down or could not come up, in words, or null.</param>
public sealed record PeerStatus(
    string Name, IPAddress RemoteAddress, SessionState State, DateTimeOffset Since, bool AddPath, bool TableComplete,
    int RoutesIPv4, int RoutesIPv6, int Overrides, long MessagesReceived, long MessagesSent, long Transitions, long UpdateErrors, string? LastError);

/// <summary>Why a path cannot be an override.</summary>
public enum OverrideRefusal
{
    /// <summary>It can.</summary>
    None,

    /// <summary>No live path for exactly this prefix has this next hop.</summary>
    PathNotLearned,

    /// <summary>The next hop is not in the configured list.</summary>
    NextHopNotAllowed,

    /// <summary>The next hop is an address of our own: routers accept that and black-hole.</summary>
    NextHopIsOurs,

    /// <summary>The path's AS_PATH is empty.</summary>
    EmptyAsPath,

    /// <summary>The peer sends best paths only (no ADD-PATH).</summary>
    BestPathOnly,

    /// <summary>The cap on overrides is reached.</summary>
    TooMany,
}

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
    /// Makes an override: the live path of exactly <paramref name="prefix"/> with this next hop, ready to be announced with a LOCAL_PREF above the highest seen.
    /// </summary>
    bool TryCreateOverride(IpPrefix prefix, IpAddr nextHop, out Override? created, out OverrideRefusal refusal);

    /// <summary>Announces overrides to every established peer, and to peers that come up later. Those whose path has meanwhile gone are refused.</summary>
    IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Announce(IReadOnlyCollection<Override> overrides);

    /// <summary>Withdraws overrides; unknown prefixes are ignored.</summary>
    void Withdraw(IReadOnlyCollection<IpPrefix> prefixes);

    /// <summary>Withdraws everything in one step; returns how many.</summary>
    int WithdrawAll();

    /// <summary>The overrides announced now.</summary>
    IReadOnlyList<Override> GetOverrides();

    /// <summary>Tells that the control loop is alive; see <see cref="BgpSpeakerOptions.HeartbeatTimeout"/>.</summary>
    void Heartbeat();

    /// <summary>Raised after the speaker itself withdrew an override because its path went. Handlers are quick and do not call back.</summary>
    event Action<IpPrefix, string>? OverrideLost;
}

/// <summary>A route to announce: made only by <see cref="IBgpSpeaker.TryCreateOverride"/> from a live Adj-RIB-In path.</summary>
public sealed class Override
{
    internal Override(IpPrefix prefix, RibPath path)
    {
        Prefix = prefix;
        Path = path;
    }

    /// <summary>The prefix, exactly as learned.</summary>
    public IpPrefix Prefix { get; }

    /// <summary>The learned path.</summary>
    public RibPath Path { get; }
}
