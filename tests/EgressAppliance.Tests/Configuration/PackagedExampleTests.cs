using System.Text.RegularExpressions;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Tests.Configuration;

/// <summary>The configuration that the package installs: nothing but comments, of which those with one <c>#</c> are a configuration that works and only observes.</summary>
public sealed partial class PackagedExampleTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(TestData.RepositoryRoot, "appliance-image", "deb", "appliance.yaml"));

    [Fact]
    public void As_it_is_it_has_no_settings() => Assert.All(Lines, l => Assert.True(l.Length == 0 || l[0] == '#', l));

    [Fact]
    public void Without_the_comment_signs_it_is_accepted_without_a_warning()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(_ => string.Join('\n', Lines.Select(l => Setting().Replace(l, "$1"))));
        ConfigResult result = ConfigLoader.Load(folder.File);
        Assert.Empty(result.Errors);
        Assert.Empty(result.Warnings);
        Assert.Equal(ApplianceMode.Observe, result.Config!.Mode);
    }

    [GeneratedRegex("^#(?!#)(.*)$")]
    private static partial Regex Setting();
}
