namespace EgressAppliance.Host.Steering;

/// <summary>What the mirror, or flow export, has shown of a link since start, scaled up by the sampling.</summary>
/// <param name="Packets">IP packets.</param>
/// <param name="Bytes">Their bytes with layer-2 overhead.</param>
public readonly record struct LinkTotal(long Packets, long Bytes);
