using System.Globalization;
using System.Text;
using EgressAppliance.SystemTests.Interop.Routers;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>The generated parts of <c>docs/bgp-interop.md</c>: the matrix from the declared table, the configurations from the adapters that the tests use.</summary>
internal static class InteropPage
{
    private static readonly InteropOptions Options = new() { RouterPassword = "SECRET", RouterMaxPrefix = 500 };

    /// <summary>The parts by the names of their markers, <c>&lt;!-- begin NAME --&gt;</c> and <c>&lt;!-- end NAME --&gt;</c>.</summary>
    public static IReadOnlyDictionary<string, string> Parts { get; } = new Dictionary<string, string>
    {
        ["matrix"] = Matrix(),
        ["frr"] = Config(InteropSoftware.Frr),
        ["bird"] = Config(InteropSoftware.Bird),
        ["openbgpd"] = Config(InteropSoftware.OpenBgpd),
        ["gobgp"] = Config(InteropSoftware.GoBgp),
        ["exabgp"] = Config(InteropSoftware.ExaBgp),
    };

    /// <summary>The page with the parts put in.</summary>
    public static string Fill(string page)
    {
        foreach ((string name, string part) in Parts)
        {
            string begin = $"<!-- begin {name} -->\n";
            string end = $"<!-- end {name} -->\n";
            int from = page.IndexOf(begin, StringComparison.Ordinal);
            int to = page.IndexOf(end, StringComparison.Ordinal);
            if (from < 0 || to < from)
            {
                throw new InvalidOperationException($"the page has no place for \"{name}\"");
            }

            page = string.Concat(page.AsSpan(0, from), begin, part, page.AsSpan(to));
        }

        return page;
    }

    private static string Matrix()
    {
        var text = new StringBuilder();
        var notes = new List<string>();
        text.Append("| row | what works |");
        foreach ((_, string name, string version) in InteropMatrix.Software)
        {
            text.Append(CultureInfo.InvariantCulture, $" {name} {version} |");
        }

        text.Append("\n|---|---|").Insert(text.Length, "---|", InteropMatrix.Software.Count).Append('\n');
        foreach (InteropRow row in InteropMatrix.Rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{row.Key}` | {row.Title} |");
            foreach ((InteropSoftware software, _, _) in InteropMatrix.Software)
            {
                string? reason = InteropMatrix.WhyNot(row, software);
                if (reason is not null && !notes.Contains(reason))
                {
                    notes.Add(reason);
                }

                text.Append(CultureInfo.InvariantCulture, $" {(reason is null ? "yes" : $"– ({notes.IndexOf(reason) + 1})")} |");
            }

            text.Append('\n');
        }

        text.Append("\nNot offered by the software:\n\n");
        for (int i = 0; i < notes.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{i + 1}. {notes[i]}\n");
        }

        return text.ToString();
    }

    private static string Config(InteropSoftware software)
    {
        InteropRouter router = InteropBed.CreateRouter(software, new InteropSite("page", null, "/", new InteropAddresses(0), Options));
        return $"```\n{router.ApplianceSection}\n```\n";
    }
}
