namespace EgressAppliance.SystemTests.Interop;

/// <summary><c>docs/bgp-interop.md</c> says what the tests do; <c>UPDATE_GOLDEN=1</c> puts the generated parts in.</summary>
public sealed class InteropPageTests
{
    [Fact]
    public void Page_shows_the_matrix_and_the_configurations_of_the_tests()
    {
        string path = PagePath();
        string page = File.ReadAllText(path);
        string filled = InteropPage.Fill(page);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, filled);
            page = filled;
        }

        Assert.Equal(filled, page);
    }

    private static string PagePath()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "EgressAppliance.sln")))
        {
            root = root.Parent;
        }

        Assert.NotNull(root);
        return Path.Combine(root.FullName, "docs", "bgp-interop.md");
    }
}
