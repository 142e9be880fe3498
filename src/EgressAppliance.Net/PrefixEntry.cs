namespace EgressAppliance.Net;

/// <summary>A prefix and the number kept for it: a dense id in a <see cref="PrefixTable"/>.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Id">Its number, 1 or more.</param>
public readonly record struct PrefixEntry(IpPrefix Prefix, uint Id);
