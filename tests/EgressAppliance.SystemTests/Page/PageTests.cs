using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Infrastructure;
using Microsoft.Playwright;
using static EgressAppliance.SystemTests.Page.PageTour;
using static Microsoft.Playwright.Assertions;

namespace EgressAppliance.SystemTests.Page;

/// <summary>The web page in a real browser, over the demo: an operator who watches a relief, asks why, takes everything back and gives one prefix back.</summary>
[Collection(Alone.Name)]
public sealed partial class PageTests(ITestOutputHelper output)
{
    private const string Overloaded = "isp-a";
    private const int Wide = 1280;
    private const int Phone = 390;
    private const int Height = 900;
    private const string WithdrawAll = "Withdraw all";
    private const string NoOverride = "None: every prefix goes where plain BGP sends it.";
    private static readonly string[] Links = [Overloaded, "isp-b", "isp-c"];
    private static readonly int[] Widths = [Wide, Phone, 360];

    [PageFact]
    public async Task Operator_watches_a_relief_and_takes_it_back()
    {
        PageRequirements.Demand();
        await using DemoSite demo = await DemoSite.StartAsync(output);
        await using BrowserTab tab = await BrowserTab.OpenAsync(Wide, Height);
        output.WriteLine($"links on the screen {await OpenAsync(tab.Page, demo.Origin):F0} ms after the navigation began");

        await SeeLinksAsync(tab.Page);
        await GoAsync(tab.Page, "Overrides");
        (string prefix, string from, string to) = await SeeConfirmedOverrideAsync(tab.Page);
        await SeeExplanationAsync(tab.Page, prefix, from, to);
        await SeeMovesAmongVerdictsAsync(tab.Page);
        await GoAsync(tab.Page, "Overrides");
        Assert.Empty(tab.Changes);
        await WithdrawAllAsync(tab);
        await SwitchToInjectAsync(tab);
        (prefix, _, _) = await SeeConfirmedOverrideAsync(tab.Page);
        await ReleaseAsync(tab, prefix);
        await AddAsync(tab);

        tab.AssertClean(demo.Origin);
        await tab.DisposeAsync();
        Assert.Equal(0, await demo.EndAsync());
    }

    /// <summary>With <c>EGRESS_SCREENSHOTS</c> naming a folder it leaves a picture of every page there, in both schemes and as on a phone.</summary>
    [PageFact]
    public async Task Every_page_fits_any_width_in_both_colour_schemes()
    {
        PageRequirements.Demand();
        await using DemoSite demo = await DemoSite.StartAsync(output, endless: true);
        await using BrowserTab tab = await BrowserTab.OpenAsync(Wide, Height);
        await OpenAsync(tab.Page, demo.Origin);

        // Everything that may be too wide is there: overrides, an explanation, verdicts with moves.
        await GoAsync(tab.Page, "Overrides");
        (string prefix, _, _) = await SeeConfirmedOverrideAsync(tab.Page);
        double dark = await SeePagesAsync(tab.Page, ColorScheme.Dark, prefix);
        double light = await SeePagesAsync(tab.Page, ColorScheme.Light, prefix);
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
        foreach (string tile in new[] { "Capture", "BGP", "SNMP", "Decision" })
        {
            await Expect(page.Locator("a.tile").Filter(new() { HasText = tile })).ToBeVisibleAsync();
        }

        await Expect(links.GetByRole(AriaRole.Article, new() { Name = Overloaded, Exact = true })).ToContainTextAsync(UnderPressure());
        await Expect(Section(page, "What changed lately").GetByText("moved", new() { Exact = true }).First).ToBeVisibleAsync();
        output.WriteLine($"{Overloaded} is over its threshold or relieved");
    }

    private static async Task<(string Prefix, string From, string To)> SeeConfirmedOverrideAsync(IPage page)
    {
        ILocator row = Section(page, "In force").GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByText("confirmed", new() { Exact = true }) }).First;
        await Expect(row).ToBeVisibleAsync();
        string[] cells = [.. await row.GetByRole(AriaRole.Cell).AllInnerTextsAsync()];
        Match direction = Direction().Match(cells[2]);
        Assert.True(direction.Success, cells[2]);
        Assert.Equal(Overloaded, direction.Groups[1].Value);
        Assert.Contains("bit/s", cells[3], StringComparison.Ordinal);
        return (cells[0].Trim(), direction.Groups[1].Value, direction.Groups[2].Value);
    }

    private static async Task SeeExplanationAsync(IPage page, string prefix, string from, string to)
    {
        await Section(page, "In force").GetByRole(AriaRole.Link, new() { Name = prefix, Exact = true }).ClickAsync();
        ILocator explanation = Section(page, "Why does it go there?");
        await Expect(explanation.GetByLabel("Address or prefix")).ToHaveValueAsync(prefix);
        await Expect(explanation.Locator("strong")).ToHaveTextAsync(prefix);
        ILocator paths = page.GetByRole(AriaRole.Table, new() { Name = "Paths" });
        foreach (string link in new[] { from, to })
        {
            await Expect(paths.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByRole(AriaRole.Cell, new() { Name = link, Exact = true }) }).First)
                .ToBeVisibleAsync();
        }

        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Latest changes" }).GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("moved");
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
    }

    private static async Task SeeMovesAmongVerdictsAsync(IPage page)
    {
        await GoAsync(page, "Decisions");
        ILocator verdicts = Section(page, "Verdicts");
        await Expect(verdicts.GetByRole(AriaRole.Row).Filter(new() { HasTextRegex = Move() }).First).ToBeVisibleAsync();
        await verdicts.GetByLabel("only those that changed something").CheckAsync();
        await Expect(verdicts.GetByRole(AriaRole.Row).Filter(new() { HasTextRegex = Move() }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Slider, new() { Name = "Decision" })).ToHaveAttributeAsync("aria-valuetext", Verdict());
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
        await Expect(Section(page, "In force").GetByText("proposed", new() { Exact = true }).First).ToBeVisibleAsync();
        await Expect(Section(page, "In force").GetByText(Announced())).ToHaveCountAsync(0);
        await Expect(page.GetByText(NoOverride)).ToBeVisibleAsync();
    }

    private async Task SwitchToInjectAsync(BrowserTab tab)
    {
        IPage page = tab.Page;
        int before = tab.Changes.Count;
        await page.GetByRole(AriaRole.Banner).GetByRole(AriaRole.Button, new() { Name = "inject", Exact = true }).ClickAsync();
        ILocator question = page.GetByRole(AriaRole.Dialog, new() { Name = "Switch to inject?" });
        await Expect(question).ToContainTextAsync("announce routes to your routers");
        Assert.Equal(before, tab.Changes.Count);
        await question.GetByRole(AriaRole.Button, new() { Name = "Switch to inject" }).ClickAsync();
        await Expect(question).ToBeHiddenAsync();
        Assert.Equal(["PUT /api/v1/mode"], tab.Changes.Skip(before));
        await Expect(Mode(page, "inject")).ToBeVisibleAsync();
        await SeeConfirmedOverrideAsync(page);
        await Expect(page.GetByText(NoOverride)).ToHaveCountAsync(0);
        output.WriteLine("withdrawn, and in inject mode again");
    }

    private async Task ReleaseAsync(BrowserTab tab, string prefix)
    {
        IPage page = tab.Page;
        int before = tab.Changes.Count;
        await page.GetByRole(AriaRole.Button, new() { Name = $"Release {prefix}", Exact = true }).ClickAsync();
        ILocator question = page.GetByRole(AriaRole.Dialog, new() { Name = $"Release {prefix}?" });
        await Expect(question).ToContainTextAsync($"returns to {Overloaded}");
        Assert.Equal(before, tab.Changes.Count);
        await question.GetByRole(AriaRole.Button, new() { Name = "Release", Exact = true }).ClickAsync();
        await Expect(question).ToBeHiddenAsync();
        Assert.Equal(["DELETE /api/v1/overrides"], tab.Changes.Skip(before));
        await GoAsync(page, "Overview");
        await Expect(Section(page, "What changed lately").GetByRole(AriaRole.Listitem).Filter(new() { HasText = prefix }).Filter(new() { HasText = "released" }).First)
            .ToBeVisibleAsync();
        output.WriteLine($"released {prefix}");
    }

    /// <summary>Adds an override of the operator's own for a prefix that the appliance leaves alone.</summary>
    private async Task AddAsync(BrowserTab tab)
    {
        IPage page = tab.Page;
        string[] chosen = await page.EvaluateAsync<string[]>("""
            async () => {
              for (const p of await (await fetch('/api/v1/prefixes?top=200&link=isp-b')).json()) {
                if (p.native_link !== 'isp-b') continue;
                const answer = await (await fetch('/api/v1/explain?prefix=' + encodeURIComponent(p.prefix))).json();
                if (answer.paths.some(path => path.link === 'isp-c' && path.usable)) return [p.prefix, 'isp-c'];
              }
              return [];
            }
            """);
        Assert.Equal(2, chosen.Length);
        int before = tab.Changes.Count;
        await GoAsync(page, "Overrides");
        ILocator form = Section(page, "Add an override");
        await form.GetByLabel("Prefix").FillAsync(chosen[0]);
        await form.GetByLabel("Link").SelectOptionAsync(chosen[1]);
        await form.GetByRole(AriaRole.Button).ClickAsync();
        ILocator question = page.GetByRole(AriaRole.Dialog, new() { Name = $"Send {chosen[0]} by {chosen[1]}?" });
        await Expect(question).ToContainTextAsync("higher LOCAL_PREF");
        Assert.Equal(before, tab.Changes.Count);
        await question.GetByRole(AriaRole.Button, new() { Name = "Add the override" }).ClickAsync();
        await Expect(question).ToBeHiddenAsync();
        Assert.Equal(["POST /api/v1/overrides"], tab.Changes.Skip(before));
        await Expect(Section(page, "In force").GetByRole(AriaRole.Row).Filter(new() { HasText = chosen[0] })).ToContainTextAsync($"isp-b → {chosen[1]}");
        output.WriteLine($"added {chosen[0]}");
    }

    /// <summary>Visits every page at every width in this scheme; returns the background's lightness, 0 to 1.</summary>
    private static async Task<double> SeePagesAsync(IPage page, ColorScheme scheme, string prefix)
    {
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        foreach (int width in Widths)
        {
            await page.SetViewportSizeAsync(width, Height);
            foreach ((string Id, string Title, string Content) which in Pages)
            {
                await ShowAsync(page, which, prefix);
                await SeeNoOverflowAsync(page, $"{which.Title}, {scheme}, {width} px");
                if (width is Wide or Phone)
                {
                    await TakePictureAsync(page, $"{which.Id}-{(width == Wide ? "" : "phone-")}{(scheme == ColorScheme.Dark ? "dark" : "light")}");
                }
            }

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

    private static async Task TakePictureAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("EGRESS_SCREENSHOTS") is { Length: > 0 } folder)
        {
            // Lines of a rate need a few answers before they are lines.
            await page.WaitForTimeoutAsync(name.StartsWith("prefixes", StringComparison.Ordinal) ? 6000 : 800);
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
        }
    }

    private static ILocator Mode(IPage page, string mode) =>
        page.GetByRole(AriaRole.Banner).GetByRole(AriaRole.Button, new() { Name = mode, Exact = true, Pressed = true });

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

    [GeneratedRegex(@"^\d\d:\d\d:\d\d \w")]
    private static partial Regex Verdict();

    [GeneratedRegex("All [1-9][0-9]* overrides are withdrawn")]
    private static partial Regex HowMany();

    [GeneratedRegex("As if the [1-9][0-9]* proposed overrides? (was|were) announced")]
    private static partial Regex Proposed();

    [GeneratedRegex("^(announced|confirmed)$")]
    private static partial Regex Announced();
}
