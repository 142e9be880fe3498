namespace EgressAppliance.SystemTests.Interop;

/// <summary>One row of the matrix: something that a router and the speaker must be able to do with each other.</summary>
/// <param name="Key">Short name, used to pick tests.</param>
/// <param name="Title">What works, as the documentation has it.</param>
/// <param name="Options">How both sides are configured.</param>
/// <param name="Test">Does it.</param>
internal sealed record InteropRow(string Key, string Title, InteropOptions Options, Func<InteropBed, Task> Test);
