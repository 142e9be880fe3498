namespace EgressAppliance.Host.Systemd;

/// <summary>The sign of life of one part of the appliance without which the rest is worth nothing.</summary>
/// <param name="Part">Name of the part, for the log.</param>
/// <param name="Beats">Grows as long as the part gets on with its work.</param>
/// <param name="Idle">The part has nothing to do, or ended in order: it need not beat.</param>
/// <param name="Limit">How long it may go without a beat.</param>
public readonly record struct VitalSign(string Part, long Beats, bool Idle, TimeSpan Limit);
