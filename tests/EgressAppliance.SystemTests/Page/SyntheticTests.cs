using System.Globalization;
using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Infrastructure;
using Microsoft.Playwright;
using static EgressAppliance.SystemTests.Page.PageTour;
using static Microsoft.Playwright.Assertions;

namespace EgressAppliance.SystemTests.Page;

/// <summary>The page over a synthetic appliance: with 10,000 prefixes and 64 links, with a token, and by keyboard alone.</summary>
[Collection(Alone.Name)]
public sealed class SyntheticTests(ITestOutputHelper output)
{
    private const int Width = 1440;
    private const int Height = 900;
    private const int MeasuredSeconds = 4;

    // Work that keeps the page from answering for more than 50 ms, and the time between frames, by the browser's own account.
    private const string Measure = """
        seconds => new Promise(done => {
          const tasks = [], frames = [];
          const observer = new PerformanceObserver(list => tasks.push(...list.getEntries().map(entry => entry.duration)));
          observer.observe({ type: 'longtask' });
          const end = performance.now() + 1000 * seconds;
          let last = performance.now();
          const frame = now => {
            frames.push(now - last);
            last = now;
            if (now < end) return requestAnimationFrame(frame);
            observer.disconnect();
            frames.sort((a, b) => a - b);
            done([tasks.length, Math.max(0, ...tasks), tasks.reduce((a, b) => a + b, 0), frames.length / seconds, frames[Math.floor(frames.length * 0.95)], frames.at(-1)]);
          };
          requestAnimationFrame(frame);
        })
        """;

    [PageFact]
    public async Task Live_chart_begins_with_what_the_history_has_of_its_ten_minutes()
    {
        PageRequirements.Demand();
        await using SyntheticSite site = await SyntheticSite.StartAsync(output, "--links", "3", "--prefixes", "10");
        await using BrowserTab tab = await BrowserTab.OpenAsync(Width, Height);
        IPage page = tab.Page;
        await OpenAsync(page, site.Origin);
        ILocator chart = page.GetByRole(AriaRole.Img, new() { NameRegex = new Regex("^Load of .* over time$") });
        await Until.TrueAsync("the chart to begin nine minutes ago or more", async () =>
        {
            await chart.FocusAsync();
            await page.Keyboard.PressAsync("PageUp");
            TimeOnly first = TimeOnly.Parse(await page.Locator(".values .mono").InnerTextAsync(), CultureInfo.InvariantCulture);
            TimeOnly now = TimeOnly.Parse(await page.EvaluateAsync<string>("new Date().toTimeString().slice(0, 8)"), CultureInfo.InvariantCulture);
            return now - first is { TotalMinutes: >= 9 and < 10.1 };
        }, TimeSpan.FromSeconds(20), output);
        tab.AssertClean(site.Origin);
    }

    [PageFact]
    public async Task Ten_thousand_prefixes_and_64_links_are_drawn_only_where_they_are_seen()
    {
        PageRequirements.Demand();
        await using SyntheticSite site = await SyntheticSite.StartAsync(output, "--links", "64", "--prefixes", "10000");
        await using BrowserTab tab = await BrowserTab.OpenAsync(Width, Height);
        IPage page = tab.Page;
        output.WriteLine($"64 links on the screen {await OpenAsync(page, site.Origin):F0} ms after the navigation began");
        await Expect(page.GetByRole(AriaRole.Article)).ToHaveCountAsync(64);
        await ReportAsync(page, "Overview, 64 links");

        await page.GotoAsync(site.Origin + "/#/prefixes?top=10000");
        ILocator table = page.GetByRole(AriaRole.Table, new() { Name = "Prefixes" });
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "10001");
        await SeeBoundedAsync(page);
        string first = await table.GetByRole(AriaRole.Row).Nth(1).InnerTextAsync();
        Task scroll = page.EvaluateAsync("""
            () => new Promise(done => {
              const box = document.querySelector('.fixed');
              let step = 0;
              const next = () => { box.scrollTop = (box.scrollHeight * step++) / 240; step <= 240 ? requestAnimationFrame(next) : done(); };
              next();
            })
            """);
        await ReportAsync(page, "Prefixes, 10,000 rows, scrolled from top to end");
        await scroll;
        await SeeBoundedAsync(page);
        await Expect(table.GetByRole(AriaRole.Row).Last).ToHaveAttributeAsync("aria-rowindex", "10001");
        Assert.NotEqual(first, await table.GetByRole(AriaRole.Row).Last.InnerTextAsync());

        await page.GetByLabel("Prefix or address").FillAsync("2a0");
        await Expect(table).Not.ToHaveAttributeAsync("aria-rowcount", "10001");
        await SeeBoundedAsync(page);

        await GoAsync(page, "Matrix");
        await page.GetByLabel("top").SelectOptionAsync("2000");
        await Expect(Section(page, "Prefix × link")).ToContainTextAsync("2\u202f000 prefixes");
        int canvas = await page.Locator(".picture canvas").EvaluateAsync<int>("canvas => canvas.height");
        Assert.InRange(canvas, 1, 4 * Height);
        await ReportAsync(page, "Matrix, 2,000 × 64");
        tab.AssertClean(site.Origin);
    }

    [PageFact]
    public async Task Token_is_asked_for_kept_in_the_tab_and_sent_in_a_header_only()
    {
        const string Token = "correct-horse";
        PageRequirements.Demand();
        await using SyntheticSite site = await SyntheticSite.StartAsync(output, "--token", Token);
        await using BrowserTab tab = await BrowserTab.OpenAsync(Width, Height);
        tab.ExpectedStatuses.UnionWith([401, 403]);
        IPage page = tab.Page;
        await page.GotoAsync(site.Origin);
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("This endpoint asks for a token.");
        await SignInAsync(page, "wrong");
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The token is not known.");

        // A token that may only read shows everything and says in words what it may not.
        await SignInAsync(page, Token + "-read");
        await Expect(page.GetByRole(AriaRole.Article).First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Withdraw all" }).ClickAsync();
        ILocator question = page.GetByRole(AriaRole.Dialog, new() { Name = "Withdraw every override?" });
        await question.GetByRole(AriaRole.Button, new() { Name = "Withdraw all" }).ClickAsync();
        await Expect(question.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The token may read only.");
        await page.Keyboard.PressAsync("Escape");

        await GoAsync(page, "Settings");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await SignInAsync(page, Token);
        await page.ReloadAsync();
        await GoAsync(page, "Overrides");
        await Expect(Section(page, "In force").GetByRole(AriaRole.Row).Nth(1)).ToBeVisibleAsync();
        Assert.Equal(Token, await page.EvaluateAsync<string>("() => sessionStorage.getItem('egress-token')"));
        Assert.DoesNotContain(Token, await page.EvaluateAsync<string>("() => document.cookie + JSON.stringify(localStorage)"), StringComparison.Ordinal);
        Assert.DoesNotContain(tab.Requests, request => request.Url.Contains(Token, StringComparison.Ordinal));
        tab.AssertClean(site.Origin);
    }

    [PageFact]
    public async Task Red_button_of_a_controller_that_stands_by_says_who_was_told()
    {
        PageRequirements.Demand();
        await using SyntheticSite site = await SyntheticSite.StartAsync(output, "--standby");
        await using BrowserTab tab = await BrowserTab.OpenAsync(Width, Height);
        IPage page = tab.Page;
        await page.GotoAsync(site.Origin);
        await page.GetByRole(AriaRole.Button, new() { Name = "Withdraw all" }).ClickAsync();
        ILocator question = page.GetByRole(AriaRole.Dialog, new() { Name = "Withdraw every override?" });
        await Expect(question).ToContainTextAsync("This box does not lead.");
        await question.GetByRole(AriaRole.Button, new() { Name = "Withdraw all" }).ClickAsync();
        await Expect(question.GetByRole(AriaRole.Status)).ToHaveTextAsync("ctl2 leads and was told: it withdraws everything within two seconds.");
        await question.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Expect(question).ToBeHiddenAsync();
        tab.AssertClean(site.Origin);
    }

    [PageFact]
    public async Task Keyboard_alone_goes_everywhere()
    {
        PageRequirements.Demand();
        await using SyntheticSite site = await SyntheticSite.StartAsync(output);
        await using BrowserTab tab = await BrowserTab.OpenAsync(Width, Height);
        IPage page = tab.Page;
        await OpenAsync(page, site.Origin);
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Skip to the page" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Main)).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("?");
        ILocator help = page.GetByRole(AriaRole.Dialog, new() { Name = "Keys" });
        await Expect(help).ToContainTextAsync("Colour scheme");
        await page.Keyboard.PressAsync("Escape");
        await Expect(help).ToBeHiddenAsync();

        (string Key, string Title)[] pages =
        [
            ("p", "Prefixes"), ("x", "Matrix"), ("r", "Overrides"), ("d", "Decisions"), ("e", "Explain"), ("b", "BGP"), ("c", "Capture"), ("k", "Cost"), ("i", "Site"), ("s", "Settings"), ("o", "Overview"),
        ];
        foreach ((string key, string title) in pages)
        {
            await page.Keyboard.PressAsync("g");
            await page.Keyboard.PressAsync(key);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = title, Exact = true, Level = 1 })).ToBeFocusedAsync();
        }

        await page.Keyboard.PressAsync("t");
        await page.Keyboard.PressAsync("t");
        Assert.Equal("dark", await page.EvaluateAsync<string>("() => document.documentElement.dataset.scheme"));
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("x");
        ILocator picture = page.GetByRole(AriaRole.Application);
        await Expect(page.Locator(".told")).ToContainTextAsync(" by isp-a: ");
        await picture.FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Locator(".told")).ToContainTextAsync(" by isp-b: ");
        string prefix = (await page.Locator(".told").InnerTextAsync()).Split(' ')[0];
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByLabel("Address or prefix")).ToHaveValueAsync(prefix);

        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("p");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Prefixes", Level = 1 })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("/");
        await Expect(page.GetByLabel("Prefix or address")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("gp");
        await Expect(page.GetByLabel("Prefix or address")).ToHaveValueAsync("gp");
        tab.AssertClean(site.Origin);
    }

    private static async Task SignInAsync(IPage page, string token)
    {
        await page.GetByLabel("Token").FillAsync(token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    /// <summary>However long the list, few rows are in the document.</summary>
    private static async Task SeeBoundedAsync(IPage page) => Assert.InRange(await page.Locator("tr").CountAsync(), 2, 80);

    private async Task ReportAsync(IPage page, string what)
    {
        double[] m = await page.EvaluateAsync<double[]>(Measure, MeasuredSeconds);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {m[0]:F0} long tasks in {MeasuredSeconds} s (longest {m[1]:F0} ms, together {m[2]:F0} ms), {m[3]:F0} frames/s, frame time p95 {m[4]:F1} ms, longest {m[5]:F0} ms"));
    }
}
