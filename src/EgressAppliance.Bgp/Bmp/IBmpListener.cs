using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// Takes what the routers tell. Calls of one router come in order, one at a time, from the thread that reads its connection (those that end a replaced
/// connection from the thread that accepts the new one); calls of different routers come at the same time. The station's lock of the router is held
/// meanwhile, so an implementation must not ask the station for its status while it holds a lock that these calls need.
/// </summary>
/// <remarks>
/// <para>Order: <see cref="ConnectionUp"/>, then for each peer <see cref="PeerUp"/>, for each of its tables at first sight <see cref="SourceUp"/>, then its
/// <see cref="Routes"/> and <see cref="EndOfRib"/>, <see cref="SourceDown"/>, <see cref="PeerDown"/>, and in the end <see cref="ConnectionDown"/>. Whatever went up
/// is taken down before the object above it, also when the connection breaks.</para>
/// <para>Tables may be sent more than once (FRR does): an announcement that changes nothing must be taken as such.</para>
/// </remarks>
public interface IBmpListener
{
    /// <summary>The router is connected; nothing is known of it yet.</summary>
    void ConnectionUp(BmpRouterOptions router);

    /// <summary>A session of the router is up.</summary>
    void PeerUp(BmpPeer peer);

    /// <summary>A table of a peer is seen for the first time; its handle is free for it from now on.</summary>
    void SourceUp(BmpSource source);

    /// <summary>
    /// Announcements and withdrawals. The message is reused after the call. Its <see cref="UpdateMessage.Action"/> is at most
    /// <see cref="ErrorAction.TreatAsWithdraw"/>, and then its announcements count as withdrawals.
    /// </summary>
    void Routes(BmpSource source, UpdateMessage update);

    /// <summary>
    /// How many routes of this source are held now: the station keeps no tables, and limits and shows what it is told here. Asked after each message with routes and for each
    /// status; what a listener has yet to work in counts.
    /// </summary>
    long Held(BmpSource source);

    /// <summary>The router has sent the whole table of a family; it may have been empty.</summary>
    void EndOfRib(BmpSource source, IpFamily family);

    /// <summary>
    /// All routes of the source are void. When this returns, they must be gone from every answer: the handle may be given to another table.
    /// </summary>
    void SourceDown(BmpSource source, string reason);

    /// <summary>The session is down or no longer monitored; its sources are down already.</summary>
    void PeerDown(BmpPeer peer, string reason);

    /// <summary>The connection ended; all is learned anew after the next <see cref="ConnectionUp"/>.</summary>
    void ConnectionDown(BmpRouterOptions router, string reason);
}

/// <summary>A monitored peer, from its Peer Up to its Peer Down.</summary>
/// <param name="Router">The router that has it.</param>
/// <param name="Id">What tells it from others of the router.</param>
/// <param name="As">Its AS; the router's own for a Loc-RIB.</param>
/// <param name="BgpId">Its BGP identifier, host order.</param>
/// <param name="RouterAs">The router's AS towards it, 0 if unknown.</param>
/// <param name="TableName">Name of its VRF or table, or null.</param>
public sealed record BmpPeer(BmpRouterOptions Router, BmpPeerId Id, uint As, uint BgpId, uint RouterAs, string? TableName)
{
    /// <summary>The session runs between two ASes.</summary>
    public bool IsExternal => Id.Type != BmpPeerType.LocRibInstance && RouterAs != 0 && RouterAs != As;

    /// <summary>As in <c>edge1 192.0.2.1</c>.</summary>
    public override string ToString() => $"{Router.Name} {Id}";
}

/// <summary>One table of a monitored peer: what routes belong to.</summary>
/// <param name="Handle">A small number, unique among those that are up; the same while it is up.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Table">Which of its tables.</param>
public sealed record BmpSource(int Handle, BmpPeer Peer, BmpTable Table)
{
    /// <summary>As in <c>edge1 192.0.2.1 adj-rib-in-pre-policy</c>.</summary>
    public override string ToString() => $"{Peer} {BmpNames.Of(Table)}";
}
