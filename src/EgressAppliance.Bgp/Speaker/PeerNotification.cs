using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>A NOTIFICATION that ended a connection with a peer.</summary>
/// <param name="Received">The router sent it; false: we did.</param>
/// <param name="Message">Code, subcode and data; <see cref="NotificationMessage.ToString"/> names them and gives the shutdown communication (RFC 9003).</param>
/// <param name="Time">When.</param>
public sealed record PeerNotification(bool Received, NotificationMessage Message, DateTimeOffset Time);
