namespace EgressAppliance.Decision.Control;

/// <summary>Until when a prefix is left as it is, by the control loop's clock. Times that have passed are null.</summary>
/// <param name="HoldUntil">Its override is not given back or moved on for convenience before this.</param>
/// <param name="DampedUntil">The same, because it changed links too often of late.</param>
/// <param name="QuarantinedUntil">It is not moved before this, because a move of it failed.</param>
/// <param name="LeaseExpires">Its override ends then unless a cycle renews it.</param>
public sealed record PrefixTimers(DateTimeOffset? HoldUntil, DateTimeOffset? DampedUntil, DateTimeOffset? QuarantinedUntil, DateTimeOffset? LeaseExpires);
