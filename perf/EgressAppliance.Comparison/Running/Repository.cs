namespace EgressAppliance.Comparison.Running;

/// <summary>Places in the source tree that this program was built from.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The appliance's command, as <c>make build</c> leaves it.</summary>
    public static string Appliance => Path.Combine(Root, "bin", "egress-appliance");

    /// <summary>Where reports go by default.</summary>
    public static string Reports => Path.Combine(Root, "perf", "reports");

    /// <summary>Builds the C programs of a folder under <c>perf/baselines</c>.</summary>
    /// <returns>The folder of the programs.</returns>
    /// <exception cref="ComparisonException">It does not build.</exception>
    public static string BuildBaselines(string folder)
    {
        string path = Path.Combine(Root, "perf", "baselines", folder);
        ProcessRun.Run("make", "-s", "-C", path);
        return Path.Combine(path, "bin");
    }

    /// <summary>The commit checked out, with a word if files differ from it.</summary>
    public static string Commit()
    {
        string commit = ProcessRun.TryFirstLine("git", "-C", Root, "rev-parse", "--short=10", "HEAD") ?? "unknown";
        bool changed = ProcessRun.TryFirstLine("git", "-C", Root, "status", "--porcelain", "--untracked-files=no", "--", ":!perf/reports") is not null;
        return changed ? commit + " with local changes" : commit;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EgressAppliance.sln")))
            {
                return folder.FullName;
            }
        }

        throw new ComparisonException("This program must stay inside the source tree.");
    }
}
