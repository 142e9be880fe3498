namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>An output for steps that are not worth a line.</summary>
internal sealed class Silent : ITestOutputHelper
{
    /// <summary>The only one.</summary>
    public static Silent Instance { get; } = new();

    /// <inheritdoc/>
    public void WriteLine(string message)
    {
    }

    /// <inheritdoc/>
    public void WriteLine(string format, params object[] args)
    {
    }
}
