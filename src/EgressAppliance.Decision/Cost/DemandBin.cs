namespace EgressAppliance.Decision.Cost;

/// <summary>A part of the samples still to come.</summary>
/// <param name="Scale">Total demand, as a multiple of the present one.</param>
/// <param name="Weight">How many samples it stands for.</param>
internal readonly record struct DemandBin(double Scale, double Weight);
