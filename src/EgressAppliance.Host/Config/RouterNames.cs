namespace EgressAppliance.Host.Config;

/// <summary>Finds the router that a section names by its key <c>router</c>.</summary>
internal static class RouterNames
{
    /// <summary>The router; null, with an error, if there is none of that name, and null without one where that cannot be told.</summary>
    /// <param name="root">The whole file.</param>
    /// <param name="section">The section that names it.</param>
    /// <param name="diagnostics">Takes the error.</param>
    public static BoundSection? Find(BoundSection root, BoundSection section, ConfigDiagnostics diagnostics)
    {
        if (!section.TryGet("router", out string name))
        {
            return null;
        }

        IReadOnlyList<BoundSection> routers = root.Sections("routers");
        if (routers.FirstOrDefault(r => r.TryGet("name", out string candidate) && candidate == name) is { } router)
        {
            return router;
        }

        string[] known = [.. routers.Select(r => r.TryGet("name", out string n) ? n : "").Where(n => n.Length > 0)];
        if (known.Length == 0 || known.Length < routers.Count)
        {
            // The router may well be the one whose name was refused.
            return null;
        }

        string? near = NearestName.Find(name, known);
        diagnostics.Error(
            section.Value("router").At, $"'{section.Path}.router': there is no router '{name}'",
            near is not null ? $"did you mean '{near}'?" : "use one of " + string.Join(", ", known));
        return null;
    }
}
