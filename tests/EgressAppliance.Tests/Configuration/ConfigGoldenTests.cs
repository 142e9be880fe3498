using EgressAppliance.Host.Config;

namespace EgressAppliance.Tests.Configuration;

/// <summary>
/// <c>tests/data/config/CASE/in.yaml</c> → <c>expected.txt</c>: every error and warning, or "ok". <c>UPDATE_GOLDEN=1</c> rewrites what is expected.
/// </summary>
public sealed class ConfigGoldenTests
{
    public static TheoryData<string> Cases() =>
        [.. Directory.GetDirectories(TestData.Path("config")).Select(d => System.IO.Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_case_gives_the_expected_messages(string name)
    {
        using ConfigFolder folder = ConfigFolder.OfCase(name);
        ConfigResult result = ConfigLoader.Load(folder.File);

        string[] lines =
        [
            .. result.Errors.Select(e => e.ToString()),
            .. result.Warnings.Select(w => w.ToString()),
            .. result.Config is null ? Array.Empty<string>() : ["ok"],
        ];
        string actual = string.Join('\n', lines).Replace(folder.Path + "/", "", StringComparison.Ordinal) + "\n";
        Golden.Compare(TestData.Path("config", name, "expected.txt"), actual);
        Assert.Equal(result.Errors.Count == 0, result.Config is not null);
    }
}
