namespace EgressAppliance.Tests;

/// <summary>Finds test data: <c>tests/data</c> of this repository always, the large shared corpus when it lies beside it.</summary>
internal static class TestData
{
    /// <summary>The repository's root folder.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>A path under <c>tests/data</c>.</summary>
    public static string Path(params string[] parts) =>
        System.IO.Path.Combine([RepositoryRoot, "tests", "data", .. parts]);

    /// <summary>
    /// The folder of the large corpus (full table, captures, BGP messages), or null where it is not at hand:
    /// <c>EGRESS_SHARED_DATA</c>, else <c>../shared/data</c> beside the repository.
    /// </summary>
    public static string? Shared { get; } = FindShared();

    private static string FindRoot()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(d.FullName, "EgressAppliance.sln")))
            {
                return d.FullName;
            }
        }

        throw new InvalidOperationException("EgressAppliance.sln not found above " + AppContext.BaseDirectory);
    }

    private static string? FindShared()
    {
        string? named = Environment.GetEnvironmentVariable("EGRESS_SHARED_DATA");
        string path = named ?? System.IO.Path.Combine(RepositoryRoot, "..", "shared", "data");
        return Directory.Exists(path) ? System.IO.Path.GetFullPath(path) : null;
    }
}
