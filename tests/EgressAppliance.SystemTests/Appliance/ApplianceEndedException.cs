namespace EgressAppliance.SystemTests.Appliance;

/// <summary>The appliance ended while it was expected to run; waiting on is pointless.</summary>
/// <param name="output">What it wrote.</param>
internal sealed class ApplianceEndedException(string output) : Exception("the appliance has ended:\n" + output);
