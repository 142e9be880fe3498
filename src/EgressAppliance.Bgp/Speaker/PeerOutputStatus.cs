namespace EgressAppliance.Bgp.Speaker;

/// <summary>How far what is to be told to a peer has got.</summary>
/// <param name="QueuedBytes">Octets queued that TCP has not taken yet.</param>
/// <param name="HighMarkBytes">Octets queued from which on announcements are held back (<see cref="BgpPeerOptions.OutboundHighMark"/>).</param>
/// <param name="LimitBytes">Octets queued beyond which the session ends (<see cref="BgpPeerOptions.OutboundLimit"/>).</param>
/// <param name="Behind">The router does not keep up: the high mark was passed and the low mark is not reached yet.</param>
public sealed record PeerOutputStatus(int QueuedBytes, int HighMarkBytes, int LimitBytes, bool Behind);
