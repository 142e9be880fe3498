using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgressAppliance.SystemTests.Page;

/// <summary>The pages of the page: how one gets to each and what is on it once it has its data.</summary>
internal static class PageTour
{
    /// <summary>Page, title, and what proves that its content is there.</summary>
    public static readonly (string Id, string Title, string Content)[] Pages =
    [
        ("overview", "Overview", "article canvas"),
        ("prefixes", "Prefixes", "table tbody td a"),
        ("matrix", "Matrix", "table[aria-label='Matrix by link'] tbody tr"),
        ("overrides", "Overrides", "main form"),
        ("decisions", "Decisions", "table[aria-label='Verdicts'] tbody td .tag"),
        ("explain", "Explain", "table[aria-label='Paths'] tbody tr"),
        ("bgp", "BGP", "table[aria-label^='Paths of'] tbody tr"),
        ("capture", "Capture", "ol.way li"),
        ("cost", "Cost", "main section"),
        ("site", "Site", "main section"),
        ("settings", "Settings", "main section >> nth=2"),
    ];

    // When the first link is on the screen, counted from the begin of the navigation.
    private const string Watch = """
        new MutationObserver((_, observer) => {
          if (!document.querySelector('article [role=meter]')) return;
          window.linksShownAt = performance.now();
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true });
        """;

    /// <summary>Opens the page; returns after how many milliseconds the links were on the screen.</summary>
    public static async Task<double> OpenAsync(IPage page, string origin)
    {
        await page.AddInitScriptAsync(Watch);
        await page.GotoAsync(origin);
        await page.WaitForFunctionAsync("() => window.linksShownAt !== undefined");
        return await page.EvaluateAsync<double>("() => window.linksShownAt");
    }

    /// <summary>Goes to a page by the navigation, as a reader does.</summary>
    public static async Task GoAsync(IPage page, string title)
    {
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { NameRegex = new Regex("^" + Regex.Escape(title)) }).ClickAsync();
        await SeeTitleAsync(page, title);
    }

    /// <summary>Goes to a page by its address and waits for its content. Pages that answer a question are asked about the prefix.</summary>
    public static async Task ShowAsync(IPage page, (string Id, string Title, string Content) which, string prefix)
    {
        string query = which.Id is "explain" or "bgp" ? "?prefix=" + Uri.EscapeDataString(prefix) : "";
        await page.EvaluateAsync("hash => { location.hash = hash; }", $"#/{which.Id}{query}");
        await SeeTitleAsync(page, which.Title);
        await Expect(page.Locator(which.Content).First).ToBeVisibleAsync();
    }

    /// <summary>The prefix with the highest rate, by the API that the page uses.</summary>
    public static Task<string> LargestPrefixAsync(IPage page) =>
        page.EvaluateAsync<string>("async () => (await (await fetch('/api/v1/prefixes?top=1')).json())[0].prefix");

    /// <summary>Fails if the document is wider than its window.</summary>
    public static async Task SeeNoOverflowAsync(IPage page, string where)
    {
        // Charts follow a new width one frame later.
        await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        int[] widths = await page.EvaluateAsync<int[]>("() => [document.documentElement.scrollWidth, innerWidth]");
        Assert.True(widths[0] <= widths[1], $"{where}: the document is {widths[0]} px wide in a window of {widths[1]} px");
    }

    /// <summary>A section of a page by its heading.</summary>
    public static ILocator Section(IPage page, string title) => page.GetByRole(AriaRole.Region, new() { Name = title, Exact = true });

    private static Task SeeTitleAsync(IPage page, string title) =>
        Expect(page.GetByRole(AriaRole.Heading, new() { Name = title, Exact = true, Level = 1 })).ToBeVisibleAsync();
}
