using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Infrastructure;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgressAppliance.SystemTests.Page;

/// <summary>The web page in a real browser, over the demo: an operator who watches a relief, asks why, and takes everything back.</summary>
[Collection(Alone.Name)]
public sealed partial class PageTests(ITestOutputHelper output)
{
    private const string Overloaded = "isp-a";
    private const int Narrow = 400;
    private const int Wide = 1280;
    private const int Height = 900;
    private const string WithdrawAll = "Withdraw all";
    private const string NoOverride = "None: every prefix goes where plain BGP sends it.";
    private static readonly string[] Links = [Overloaded, "isp-b", "isp-c"];

    [PageFact]
    public async Task Operator_watches_a_relief_and_takes_it_back()
    {
        PageRequirements.Demand();
        await using DemoSite demo = await DemoSite.StartAsync(output);
        await using BrowserTab tab = await BrowserTab.OpenAsync(Wide, Height);
        await tab.Page.GotoAsync(demo.Origin);

        await SeeLinksAsync(tab.Page);
        (string prefix, string from, string to) = await SeeConfirmedOverrideAsync(tab.Page);
        await SeeExplanationAsync(tab.Page, prefix, from, to);
        await SeeMovesAmongVerdictsAsync(tab.Page);
        Assert.Empty(tab.Changes);
        await WithdrawAllAsync(tab);
        await SwitchToInjectAsync(tab);

        tab.AssertClean(demo.Origin);
        await tab.DisposeAsync();
        Assert.Equal(0, await demo.EndAsync());
    }

    [PageFact]
    public async Task Page_fits_any_width_in_both_colour_schemes()
    {
        PageRequirements.Demand();
        await using DemoSite demo = await DemoSite.StartAsync(output);
        await using BrowserTab tab = await BrowserTab.OpenAsync(Narrow, Height);
        await tab.Page.GotoAsync(demo.Origin);

        // Everything that may be too wide is on the page: overrides, an explanation, verdicts with moves.
        (string prefix, string from, string to) = await SeeConfirmedOverrideAsync(tab.Page);
        await SeeExplanationAsync(tab.Page, prefix, from, to);
        await SeeMovesAmongVerdictsAsync(tab.Page);
        double dark = await SeeFitAsync(tab.Page, ColorScheme.Dark);
        double light = await SeeFitAsync(tab.Page, ColorScheme.Light);
        Assert.True(dark < 0.2 && light > 0.8, $"the background's lightness is {dark:F2} in the dark scheme and {light:F2} in the light one");

        tab.AssertClean(demo.Origin);
    }

    private async Task SeeLinksAsync(IPage page)
    {
        ILocator links = Section(page, "Links");
        foreach (string name in Links)
        {
            ILocator link = links.GetByRole(AriaRole.Article, new() { Name = name, Exact = true });
            await Expect(link).ToContainTextAsync(LoadOfCapacity());
            await Expect(link.GetByRole(AriaRole.Meter, new() { Name = $"Load of {name}" })).ToHaveAttributeAsync("aria-valuetext", Percent());
            await Expect(link.GetByTitle("threshold 95 %")).ToHaveCountAsync(1);
            await Expect(link.Locator("canvas")).ToHaveCountAsync(1);
        }

        await Expect(links.GetByRole(AriaRole.Article)).ToHaveCountAsync(Links.Length);
        await Expect(links.GetByRole(AriaRole.Article, new() { Name = Overloaded, Exact = true })).ToContainTextAsync(UnderPressure());
        output.WriteLine($"{Overloaded} is over its threshold or relieved");
    }

    private static async Task<(string Prefix, string From, string To)> SeeConfirmedOverrideAsync(IPage page)
    {
        ILocator row = Section(page, "Overrides").GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByText("confirmed", new() { Exact = true }) }).First;
        await Expect(row).ToBeVisibleAsync();
        string[] cells = [.. await row.GetByRole(AriaRole.Cell).AllInnerTextsAsync()];
        Match direction = Direction().Match(cells[1]);
        Assert.True(direction.Success, cells[1]);
        Assert.Equal(Overloaded, direction.Groups[1].Value);
        Assert.Contains("bit/s", cells[2], StringComparison.Ordinal);
        return (cells[0].Trim(), direction.Groups[1].Value, direction.Groups[2].Value);
    }

    private static async Task SeeExplanationAsync(IPage page, string prefix, string from, string to)
    {
        await Section(page, "Overrides").GetByRole(AriaRole.Button, new() { Name = prefix, Exact = true }).ClickAsync();
        ILocator explanation = Section(page, "Why does it go there?");
        await Expect(explanation.GetByLabel("Address or prefix")).ToHaveValueAsync(prefix);
        await Expect(explanation.Locator("strong")).ToHaveTextAsync(prefix);
        foreach (string link in new[] { from, to })
        {
            await Expect(explanation.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByRole(AriaRole.Cell, new() { Name = link, Exact = true }) }).First)
                .ToBeVisibleAsync();
        }

        await Expect(explanation.GetByRole(AriaRole.Table, new() { Name = "Paths" })).ToBeInViewportAsync();
        await Expect(explanation.GetByRole(AriaRole.Table, new() { Name = "Latest changes" }).GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("moved");
        await Expect(explanation.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
    }

    private static async Task SeeMovesAmongVerdictsAsync(IPage page)
    {
        ILocator verdicts = Section(page, "Latest verdicts");
        await Expect(verdicts.GetByRole(AriaRole.Row).Filter(new() { HasTextRegex = Move() }).First).ToBeVisibleAsync();
        await verdicts.GetByLabel("only those that changed something").CheckAsync();
        await Expect(verdicts.GetByRole(AriaRole.Row).Filter(new() { HasTextRegex = Move() }).First).ToBeVisibleAsync();
    }

    private static async Task WithdrawAllAsync(BrowserTab tab)
    {
        IPage page = tab.Page;
        ILocator banner = page.GetByRole(AriaRole.Banner);
        await banner.GetByRole(AriaRole.Button, new() { Name = WithdrawAll }).ClickAsync();
        ILocator question = page.GetByRole(AriaRole.Dialog, new() { Name = "Withdraw every override?" });
        await Expect(question).ToContainTextAsync(HowMany());
        await question.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(question).ToBeHiddenAsync();
        Assert.Empty(tab.Changes);
        await Expect(Mode(page, "inject")).ToBeVisibleAsync();
        await Expect(page.GetByText(NoOverride)).ToHaveCountAsync(0);

        await banner.GetByRole(AriaRole.Button, new() { Name = WithdrawAll }).ClickAsync();
        await question.GetByRole(AriaRole.Button, new() { Name = WithdrawAll }).ClickAsync();
        await Expect(question).ToBeHiddenAsync();
        Assert.Equal(["POST /api/v1/withdraw-all"], tab.Changes);
        await Expect(Mode(page, "observe")).ToBeVisibleAsync();
        await Expect(page.GetByText(NoOverride)).ToBeVisibleAsync();

        // The surge goes on, so observe mode proposes them again: the page must not pass that off as relief.
        await Expect(banner).ToContainTextAsync(Proposed());
        await Expect(Section(page, "Overrides").GetByText("proposed", new() { Exact = true }).First).ToBeVisibleAsync();
        await Expect(Section(page, "Overrides").GetByText(Announced())).ToHaveCountAsync(0);
        await Expect(page.GetByText(NoOverride)).ToBeVisibleAsync();
    }

    private async Task SwitchToInjectAsync(BrowserTab tab)
    {
        IPage page = tab.Page;
        ILocator banner = page.GetByRole(AriaRole.Banner);
        int before = tab.Changes.Count;
        await banner.GetByRole(AriaRole.Button, new() { Name = "Switch to inject" }).ClickAsync();
        ILocator question = page.GetByRole(AriaRole.Dialog, new() { Name = "Switch to inject?" });
        await Expect(question).ToContainTextAsync("announce routes to your routers");
        Assert.Equal(before, tab.Changes.Count);
        await question.GetByRole(AriaRole.Button, new() { Name = "Switch to inject" }).ClickAsync();
        await Expect(question).ToBeHiddenAsync();
        Assert.Equal(["PUT /api/v1/mode"], tab.Changes.Skip(before));
        await Expect(Mode(page, "inject")).ToBeVisibleAsync();
        await Expect(banner.GetByRole(AriaRole.Button, new() { Name = "Switch to observe" })).ToBeVisibleAsync();
        await SeeConfirmedOverrideAsync(page);
        await Expect(page.GetByText(NoOverride)).ToHaveCountAsync(0);
        output.WriteLine("withdrawn, and in inject mode again");
    }

    /// <summary>Sees that the document is never wider than the window in this scheme, nor the question; returns the background's lightness, 0 to 1.</summary>
    private static async Task<double> SeeFitAsync(IPage page, ColorScheme scheme)
    {
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        foreach (int width in new[] { Narrow, Wide })
        {
            await page.SetViewportSizeAsync(width, Height);
            await SeeNoOverflowAsync(page, $"{scheme}, {width} px");
            await page.GetByRole(AriaRole.Button, new() { Name = WithdrawAll }).ClickAsync();
            ILocator question = page.GetByRole(AriaRole.Dialog);
            await Expect(question.GetByRole(AriaRole.Button, new() { Name = WithdrawAll })).ToBeInViewportAsync(new() { Ratio = 1 });
            await SeeNoOverflowAsync(page, $"{scheme}, {width} px, with the question");
            await page.Keyboard.PressAsync("Escape");
            await Expect(question).ToBeHiddenAsync();
        }

        return await page.EvaluateAsync<double>(
            "() => getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / (3 * 255)");
    }

    private static async Task SeeNoOverflowAsync(IPage page, string where)
    {
        // Charts follow a new width one frame later.
        await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        int[] widths = await page.EvaluateAsync<int[]>("() => [document.documentElement.scrollWidth, innerWidth]");
        Assert.True(widths[0] <= widths[1], $"{where}: the document is {widths[0]} px wide in a window of {widths[1]} px");
    }

    private static ILocator Section(IPage page, string title) => page.GetByRole(AriaRole.Region, new() { Name = title });

    private static ILocator Mode(IPage page, string mode) => page.GetByRole(AriaRole.Banner).GetByText(mode, new() { Exact = true });

    [GeneratedRegex(@"\d %[\s\S]*\d [MG]bit/s of \d+ Mbit/s")]
    private static partial Regex LoadOfCapacity();

    [GeneratedRegex(@"^\d+(\.\d)? %$")]
    private static partial Regex Percent();

    [GeneratedRegex("over threshold|over capacity|relieved")]
    private static partial Regex UnderPressure();

    [GeneratedRegex(@"^\s*(\S+) → (\S+)\s*$")]
    private static partial Regex Direction();

    [GeneratedRegex(@"/\d+ isp-a → isp-[bc] \d")]
    private static partial Regex Move();

    [GeneratedRegex("All [1-9][0-9]* overrides are withdrawn")]
    private static partial Regex HowMany();

    [GeneratedRegex("As if the [1-9][0-9]* proposed overrides? (was|were) announced")]
    private static partial Regex Proposed();

    [GeneratedRegex("^(announced|confirmed)$")]
    private static partial Regex Announced();
}
