using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace EgressAppliance.Tests.Architecture;

/// <summary>Holds the references between projects, and who may announce routes, to what the design says.</summary>
public sealed partial class ReferenceTests
{
    [Theory]
    [InlineData("Net")]
    [InlineData("Capture", "Net")]
    [InlineData("Dataplane", "Net", "Capture")]
    [InlineData("Snmp")]
    [InlineData("Flow", "Net", "Capture", "Dataplane")]
    [InlineData("Bgp", "Net")]
    [InlineData("Decision", "Net")]
    [InlineData("Cluster", "Net")]
    [InlineData("Simulator", "Net", "Bgp", "Snmp", "Decision")]
    public void Project_references_only_what_the_design_allows(string project, params string[] allowed)
    {
        string path = Path.Combine(TestData.RepositoryRoot, "src", $"EgressAppliance.{project}", $"EgressAppliance.{project}.csproj");
        string[] references = [.. XDocument.Load(path).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(((string?)r.Attribute("Include"))!.Replace('\\', '/'))["EgressAppliance.".Length..])];
        Assert.Empty(references.Except(allowed));
    }

    [Fact]
    public void Only_steering_announces_or_withdraws()
    {
        string host = Path.Combine(TestData.RepositoryRoot, "src", "EgressAppliance.Host");
        string[] files = [.. Directory.EnumerateFiles(host, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal))];
        string[] callers = [.. files.Where(f => SpeakerCall().IsMatch(File.ReadAllText(f)))
            .Select(f => Path.GetRelativePath(host, f)).Where(f => !f.StartsWith("Steering/", StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        Assert.Empty(callers);
    }

    [GeneratedRegex(@"[sS]peaker\s*\.\s*(Announce|Withdraw|WithdrawAll|TryCreateOverride)\s*\(")]
    private static partial Regex SpeakerCall();
}
