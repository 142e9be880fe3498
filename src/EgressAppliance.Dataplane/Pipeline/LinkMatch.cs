using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>Which frames belong to a link. A rule that names several things matches when all of them do.</summary>
/// <param name="Link">The link; not <see cref="LinkId.None"/>.</param>
/// <param name="DestinationMac">The provider router's MAC, or null.</param>
/// <param name="Vlan">Outermost VLAN id 1–4094, in-band or from the ring's metadata, or null.</param>
/// <param name="Source">Name of the capture source, or null.</param>
public sealed record LinkMatch(LinkId Link, MacAddress? DestinationMac, ushort? Vlan, string? Source);
