using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Appliance;

/// <summary>Where the built command is.</summary>
internal static class ApplianceCommand
{
    private const string Name = "egress-appliance";
    private static readonly Lazy<string> LazyPath = new(Find);

    /// <summary>
    /// The command under test: <c>EGRESS_COMMAND</c> if set, else what the build of these tests made (never older than the sources),
    /// else <c>bin/egress-appliance</c>.
    /// </summary>
    public static string Path => LazyPath.Value;

    /// <summary>Runs it to its end outside any lab.</summary>
    public static Task<ShellResult> RunAsync(params string[] arguments) => Shell.RunAsync([Path, .. arguments]);

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("EGRESS_COMMAND") is { Length: > 0 } given)
        {
            return given;
        }

        var output = new DirectoryInfo(AppContext.BaseDirectory);
        string framework = output.Name;
        string configuration = output.Parent?.Name ?? "";
        DirectoryInfo? root = output;
        while (root is not null && !File.Exists(System.IO.Path.Combine(root.FullName, "EgressAppliance.sln")))
        {
            root = root.Parent;
        }

        string[] candidates = root is null
            ? []
            : [
                System.IO.Path.Combine(root.FullName, "src", "EgressAppliance.Host", "bin", configuration, framework, Name),
                System.IO.Path.Combine(root.FullName, "bin", Name),
            ];
        return candidates.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"the command is not built; looked for {string.Join(" and ", candidates)}. Build it or set EGRESS_COMMAND.");
    }
}
