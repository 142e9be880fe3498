using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace EgressAppliance.SystemTests.Page;

/// <summary>One tab of a Chromium of its own, and a record of everything in it that must not happen.</summary>
internal sealed class BrowserTab : IAsyncDisposable
{
    /// <summary>Until when something awaited must have come, milliseconds. Generous: the machine may be busy.</summary>
    public const float Limit = 60_000;

    private static readonly string[] Flags =
    [
        // Root has no sandbox; the rest keeps the browser itself from looking for a network.
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly IPlaywright _driver;
    private readonly IBrowser _browser;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly ConcurrentQueue<(string Method, string Url)> _requests = new();

    private BrowserTab(IPlaywright driver, IBrowser browser, IPage page)
    {
        (_driver, _browser, Page) = (driver, browser, page);
        page.SetDefaultTimeout(Limit);
        Assertions.SetDefaultExpectTimeout(Limit);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" && !Expected(message))
            {
                _errors.Enqueue($"console {message.Type}: {message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => _errors.Enqueue("page error: " + error);
        page.Context.Request += (_, request) => _requests.Enqueue((request.Method, request.Url));
    }

    /// <summary>The tab.</summary>
    public IPage Page { get; }

    /// <summary>Statuses whose "Failed to load resource" a test brings about on purpose.</summary>
    public ISet<int> ExpectedStatuses { get; } = new HashSet<int>();

    /// <summary>Console errors, console warnings and uncaught exceptions so far.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Every request so far.</summary>
    public IReadOnlyCollection<(string Method, string Url)> Requests => _requests;

    /// <summary>Requests so far that ask for a change.</summary>
    public IReadOnlyList<string> Changes =>
        [.. _requests.Where(request => request.Method != "GET").Select(request => $"{request.Method} {new Uri(request.Url).AbsolutePath}")];

    /// <summary>Starts the browser with an empty tab.</summary>
    /// <param name="width">Of the window.</param>
    /// <param name="height">Of the window.</param>
    /// <param name="browser">The browser's command; null: <see cref="PageRequirements.Browser"/>.</param>
    public static async Task<BrowserTab> OpenAsync(int width, int height, string? browser = null)
    {
        IPlaywright driver = await Playwright.CreateAsync();
        try
        {
            IBrowser started = await driver.Chromium.LaunchAsync(new() { ExecutablePath = browser ?? PageRequirements.Browser, Args = Flags, Timeout = Limit });
            IPage page = await started.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height } });
            return new BrowserTab(driver, started, page);
        }
        catch
        {
            driver.Dispose();
            throw;
        }
    }

    /// <summary>The browser itself reports a request that was refused, which a test may have meant to happen.</summary>
    private bool Expected(IConsoleMessage message) =>
        ExpectedStatuses.Any(status => message.Text.Contains($"status of {status}", StringComparison.Ordinal));

    /// <summary>Fails if the page complained or asked anybody else for anything.</summary>
    public void AssertClean(string origin)
    {
        Assert.Empty(Errors);
        Assert.NotEmpty(Requests);
        Assert.DoesNotContain(Requests, request => !request.Url.StartsWith(origin + "/", StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _driver.Dispose();
    }
}
