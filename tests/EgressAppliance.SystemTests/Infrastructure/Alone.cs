namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>Classes that have the machine to themselves: they run many networks at a time, drive a browser, or compare rates to a hundredth.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    /// <summary>Name of the collection.</summary>
    public const string Name = "alone";
}
