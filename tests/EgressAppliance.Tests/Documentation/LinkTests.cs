namespace EgressAppliance.Tests.Documentation;

/// <summary>Links of README and docs lead to files, and to headings that exist.</summary>
public sealed class LinkTests
{
    [Fact]
    public void Links_and_anchors_of_all_pages_exist()
    {
        (MarkdownPage Page, string Link)[] links = [.. MarkdownPage.All.SelectMany(p => p.Links.Select(l => (p, l))).Where(l => !IsAway(l.l))];
        Assert.True(links.Length > 60);
        Assert.All(links, l => Assert.True(Problem(l.Page, l.Link) is null, $"{l.Page.Name}: {l.Link}: {Problem(l.Page, l.Link)}"));
    }

    [Fact]
    public void All_pages_are_in_the_index()
    {
        MarkdownPage index = MarkdownPage.Read("docs/README.md");
        string[] pages = [.. MarkdownPage.All.Select(p => p.Name).Where(n => n.StartsWith("docs/", StringComparison.Ordinal) && n is not "docs/README.md" && n.Count(c => c == '/') == 1).Select(n => n["docs/".Length..])];
        Assert.True(pages.Length > 20);
        Assert.Empty(pages.Except(index.Links.Select(l => l.Split('#')[0])));
    }

    [Theory]
    [InlineData("# A `code`, and [a link](x.md)", "a-code-and-a-link")]
    [InlineData("## How far — they are (really) believed?", "how-far--they-are-really-believed")]
    [InlineData("# snmp walk\n# snmp walk", "snmp-walk-1")]
    public void Anchors_are_those_of_a_forge(string markdown, string anchor) => Assert.Equal(anchor, MarkdownPage.Of(markdown).Anchors[^1]);

    [Fact]
    public void What_leads_nowhere_is_found()
    {
        MarkdownPage page = MarkdownPage.Read("docs/cli.md");
        Assert.Null(Problem(page, "#snmp-walk"));
        Assert.Null(Problem(page, "configuration.md#secrets"));
        Assert.NotNull(Problem(page, "#no-such-heading"));
        Assert.NotNull(Problem(page, "configuration.md#no-such-heading"));
        Assert.NotNull(Problem(page, "no-such-page.md"));
    }

    private static bool IsAway(string link) => link.StartsWith("http://", StringComparison.Ordinal) || link.StartsWith("https://", StringComparison.Ordinal);

    private static string? Problem(MarkdownPage page, string link)
    {
        string[] parts = link.Split('#');
        string path = parts[0].Length == 0 ? page.Name : Path.Combine(Path.GetDirectoryName(page.Name)!, parts[0]);
        string full = Path.GetFullPath(Path.Combine(TestData.RepositoryRoot, path));
        return !Path.Exists(full) ? "there is no such file"
            : parts.Length > 1 && !MarkdownPage.Read(Path.GetRelativePath(TestData.RepositoryRoot, full)).Anchors.Contains(parts[1]) ? "there is no such heading"
            : null;
    }
}
