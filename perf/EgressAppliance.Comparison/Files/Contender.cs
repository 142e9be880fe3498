namespace EgressAppliance.Comparison.Files;

/// <summary>A program that is compared.</summary>
/// <param name="Name">As reports show it.</param>
/// <param name="Note">How it is run, for reports.</param>
/// <param name="Version">Its version.</param>
/// <param name="Run">Counts a mix once.</param>
internal sealed record Contender(string Name, string Note, string Version, Func<string, Sample> Run);
