namespace EgressAppliance.Simulator.Traffic;

/// <summary>Where one generated frame lies.</summary>
/// <param name="Offset">First octet in the caller's buffer.</param>
/// <param name="CapturedLength">Octets that are there.</param>
/// <param name="WireLength">Octets the frame has on the wire as a mirror delivers it: without FCS.</param>
public readonly record struct SimulatedFrame(int Offset, int CapturedLength, int WireLength);
