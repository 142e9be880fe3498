namespace EgressAppliance.SystemTests.Belief;

/// <summary>A test's output for one of several labs that run at the same time.</summary>
internal sealed class NamedOutput(ITestOutputHelper output, string name) : ITestOutputHelper
{
    /// <inheritdoc/>
    public void WriteLine(string message) => output.WriteLine($"{name} | {message.ReplaceLineEndings($"\n{name} | ")}");

    /// <inheritdoc/>
    public void WriteLine(string format, params object[] args) => WriteLine(string.Format(System.Globalization.CultureInfo.InvariantCulture, format, args));
}
