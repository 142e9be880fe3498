using EgressAppliance.Host.Config;

namespace EgressAppliance.Tests.Configuration;

public sealed class EffectiveConfigTests
{
    [Theory]
    [InlineData("minimal")]
    [InlineData("full")]
    [InlineData("bmp")]
    [InlineData("bgp-session")]
    [InlineData("cluster-collector")]
    [InlineData("cluster-controller")]
    public void ToYaml_loads_to_the_same_configuration(string name)
    {
        using ConfigFolder folder = ConfigFolder.OfCase(name);
        ConfigResult first = ConfigLoader.Load(folder.File);
        Assert.Empty(first.Errors);

        folder.Write("in.yaml", EffectiveConfig.ToYaml(first.Bound!));
        ConfigResult second = ConfigLoader.Load(folder.File);

        Assert.Empty(second.Errors);
        Assert.Equal(Values(first), Values(second));
    }

    [Theory]
    [InlineData("minimal")]
    [InlineData("full")]
    public void ToYaml_marks_what_is_default(string name)
    {
        using ConfigFolder folder = ConfigFolder.OfCase(name);
        Golden.Compare(TestData.Path("config", name, "effective.yaml"), EffectiveConfig.ToYaml(ConfigLoader.Load(folder.File).Bound!));
    }

    [Fact]
    public void ToYaml_never_shows_a_secret()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        folder.Write("community", "v3ry-s3cret");
        ConfigResult result = ConfigLoader.Load(folder.File);

        Assert.Equal("v3ry-s3cret", result.Config!.Routers[0].Snmp!.Community);
        Assert.DoesNotContain("v3ry-s3cret", EffectiveConfig.ToYaml(result.Bound!), StringComparison.Ordinal);
        Assert.DoesNotContain(EffectiveConfig.ToList(result.Bound!), k => k.Value == "v3ry-s3cret");
    }

    [Fact]
    public void ToYaml_never_shows_a_secret_of_the_cluster()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("cluster-controller");
        folder.Write("broker", "v3ry-s3cret-1");
        folder.Write("database", "Host=db1;Username=egress;Password=v3ry-s3cret-2");
        ConfigResult result = ConfigLoader.Load(folder.File);

        Assert.Equal(("v3ry-s3cret-1", "Host=db1;Username=egress;Password=v3ry-s3cret-2"), (result.Config!.Cluster!.Password, result.Config.Cluster.Database));
        Assert.DoesNotContain("v3ry-s3cret", EffectiveConfig.ToYaml(result.Bound!), StringComparison.Ordinal);
        Assert.DoesNotContain(EffectiveConfig.ToList(result.Bound!), k => k.Value?.Contains("v3ry-s3cret", StringComparison.Ordinal) ?? false);
        Assert.Contains("database_file: database", EffectiveConfig.ToYaml(result.Bound!), StringComparison.Ordinal);
    }

    [Fact]
    public void Template_names_every_key_of_this_version()
    {
        string template = EffectiveConfig.Template();
        Assert.All(
            ConfigKeys.All.Where(k => !k.NotYet && k.NotYetWarning is null),
            k => Assert.Contains(k.Name + ":", template, StringComparison.Ordinal));
    }

    private static string[] Values(ConfigResult result) =>
        [.. EffectiveConfig.ToList(result.Bound!).Select(k => $"{k.Key}={k.Value}")];
}
