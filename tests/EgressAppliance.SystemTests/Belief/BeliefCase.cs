using System.Text.Json;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;
using EgressAppliance.SystemTests.Page;
using Microsoft.Playwright;

namespace EgressAppliance.SystemTests.Belief;

/// <summary>A lab with an appliance whose instruments are damaged, and what is asked of it.</summary>
internal sealed class BeliefCase(Lab lab, RunningAppliance appliance)
{
    // Mirror and clients are not read at the same moment, and both are means over other times; and the router's own few packets are not for the clients.
    private const double Reading = 0.05;
    private const double OwnBps = 10_000;
    private const string Origin = "http://127.0.0.1:8080";
    private const int PageWidth = 1280;
    private const int PageHeight = 900;
    private static readonly TimeSpan TruthTime = TimeSpan.FromSeconds(3);

    // A minute of comparisons, and what a busy machine adds.
    private static readonly TimeSpan NamedLimit = TimeSpan.FromMinutes(3);

    /// <summary>The lab.</summary>
    public Lab Lab => lab;

    /// <summary>The appliance.</summary>
    public RunningAppliance Appliance => appliance;

    /// <summary>Waits until a cause is named for a link in the API, which the page reads.</summary>
    /// <param name="provider">The link.</param>
    /// <param name="cause">The cause.</param>
    /// <param name="words">What its words have in them.</param>
    public async Task AwaitNamedAsync(Provider provider, string cause, string words)
    {
        LinkReading link = await Until.ValueAsync(
            $"{cause} to be named for {provider.Link}", () => LinkReading.OfAsync(appliance, provider), link => link.Cause == cause, NamedLimit, lab.Output, TimeSpan.FromMilliseconds(250));
        Assert.Contains(words, link.Problem, StringComparison.Ordinal);
    }

    /// <summary>Sees that the command names a cause for a link.</summary>
    /// <param name="provider">The link.</param>
    /// <param name="cause">The cause.</param>
    /// <param name="words">What its words have in them.</param>
    public async Task AssertShownAsync(Provider provider, string cause, string words)
    {
        string shown = await Until.ValueAsync(
            "`show links` to say so", async () => (await appliance.CommandAsync("show", "links")).Checked(),
            text => text.Split('\n').Any(line => line.StartsWith($"{provider.Link}: {cause}: ", StringComparison.Ordinal) && line.Contains(words, StringComparison.Ordinal)),
            Scenario.Generous, lab.Output);
        lab.Output.WriteLine(shown);
    }

    /// <summary>Sees that the state says it too, in the command and in the API.</summary>
    /// <param name="words">What it must say.</param>
    public async Task AssertStatusSaysAsync(string words)
    {
        string shown = await Until.ValueAsync(
            $"`show status` to say: {words}", async () => (await appliance.CommandAsync("show", "status")).Checked(),
            text => text.Contains(words, StringComparison.Ordinal), Scenario.Generous, lab.Output);
        lab.Output.WriteLine(shown);
        JsonElement status = await appliance.GetAsync("status");
        Assert.False(status.GetProperty("healthy").GetBoolean());
        Assert.Contains(status.GetProperty("problems").EnumerateArray(), problem => (problem.GetString() ?? "").Contains(words, StringComparison.Ordinal));
    }

    /// <summary>Sees that a link's card on the page itself says so. Where there is no browser, that is left out and told, unless everything is required.</summary>
    /// <param name="provider">The link.</param>
    /// <param name="words">What it must say.</param>
    public async Task SeeOnPageAsync(Provider provider, string words)
    {
        if (PageRequirements.Missing is { } reason && !SystemRequirements.Required)
        {
            lab.Output.WriteLine($"the page was not looked at: {reason}");
            return;
        }

        PageRequirements.Demand();

        // The page is served on loopback of the appliance's namespace.
        string browser = Path.Combine(lab.Folder, "browser");
        await File.WriteAllTextAsync(browser, $"#!/bin/sh\nexec {string.Join(' ', lab.ApplianceNetwork.Command(PageRequirements.Browser))} \"$@\"\n");
        File.SetUnixFileMode(browser, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using BrowserTab tab = await BrowserTab.OpenAsync(PageWidth, PageHeight, browser);
        await tab.Page.GotoAsync(Origin);
        ILocator card = tab.Page.GetByRole(AriaRole.Article, new() { Name = provider.Link, Exact = true });
        await Assertions.Expect(card).ToContainTextAsync(words);
        lab.Output.WriteLine($"the page says: {await card.InnerTextAsync()}");
        tab.AssertClean(Origin);
    }

    /// <summary>Waits for a verdict.</summary>
    public Task AwaitVerdictAsync(string verdict) => Until.ValueAsync(
        $"verdict {verdict}", async () => (await appliance.GetAsync("status")).GetProperty("verdict").GetString(), seen => seen == verdict, Scenario.Generous, lab.Output);

    /// <summary>Waits until the counters of these links have followed what the mirror shows.</summary>
    public Task AwaitCountersAsync(params Provider[] providers) => Until.ValueAsync(
        "counters and mirror near each other",
        async () =>
        {
            IReadOnlyDictionary<string, LinkReading> links = await LinkReading.AllAsync(appliance);
            return string.Join("; ", providers.Select(provider => links[provider.Link]).Where(link => link.CounterBps is not { } counter || Math.Abs(counter - link.MirrorBps) > Reading * counter));
        },
        apart => apart.Length == 0, Scenario.Generous, lab.Output);

    /// <summary>Waits for some more cycles of the decision maker.</summary>
    public async Task AwaitCyclesAsync(int cycles)
    {
        long from = await LastCycleAsync();
        await Until.ValueAsync($"{cycles} more cycles", LastCycleAsync, seen => seen >= from + cycles, Scenario.Generous, lab.Output);
    }

    /// <summary>Number of the latest cycle.</summary>
    public async Task<long> LastCycleAsync() => (await appliance.GetAsync("decisions?limit=1")).EnumerateArray().Select(item => item.GetProperty("id").GetInt64()).DefaultIfEmpty(0).Max();

    /// <summary>All moves of cycles after one.</summary>
    public async Task<IReadOnlyList<string>> MovesAsync(long after = -1) => await ChangesAsync("moves", after);

    /// <summary>All releases of cycles after one.</summary>
    public async Task<IReadOnlyList<string>> ReleasesAsync(long after = -1) => await ChangesAsync("releases", after);

    /// <summary>
    /// Sees that what the clients receive is within the error bar of what is shown, for each of these links and each prefix on it. The traffic must be steady.
    /// </summary>
    public async Task AssertCoversAsync(IEnumerable<Provider> providers, IEnumerable<LabPrefix> prefixes)
    {
        await Until.ValueAsync("what the clients receive to be within the error bars", UncoveredAsync, off => off.Length == 0, Scenario.Generous, lab.Output);

        async Task<string> UncoveredAsync()
        {
            GroundTruthReading before = await lab.Truth.ReadAsync();
            await Task.Delay(TruthTime / 2);
            IReadOnlyDictionary<string, LinkReading> links = await LinkReading.AllAsync(appliance);
            Dictionary<string, JsonElement> rates = (await appliance.GetAsync("prefixes?top=100")).EnumerateArray().ToDictionary(item => item.GetProperty("prefix").GetString() ?? "");
            await Task.Delay(TruthTime / 2);
            GroundTruthReading after = await lab.Truth.ReadAsync();
            List<string> off = [];
            foreach (Provider provider in providers)
            {
                double truth = GroundTruth.LinkRate(provider, before, after);
                LinkReading link = links[provider.Link];
                Note($"{provider.Link}", truth, link.MirrorBps, link.ErrorBps);
            }

            foreach (LabPrefix prefix in prefixes)
            {
                double truth = lab.Providers.Sum(provider => GroundTruth.PrefixRate(provider, prefix, before, after));
                long rate = rates.TryGetValue(prefix.Prefix, out JsonElement item) ? item.GetProperty("rate_bps").GetInt64() : 0;
                double error = item.ValueKind == JsonValueKind.Object ? item.GetProperty("error_ratio").GetDouble() : 0;
                Note(prefix.Prefix, truth, rate, rate * error);
            }

            return string.Join("; ", off);

            void Note(string what, double truth, long shown, double error)
            {
                lab.Output.WriteLine($"{what}: clients {truth / 1e6:F3} Mbit/s, shown {shown / 1e6:F3} ± {error / 1e6:F3}");
                if (Math.Abs(truth - shown) > error + (Reading * truth) + OwnBps)
                {
                    off.Add($"{what}: clients {truth:F0}, shown {shown} ± {error:F0}");
                }
            }
        }
    }

    private async Task<IReadOnlyList<string>> ChangesAsync(string kind, long after) =>
        [.. (await appliance.GetAsync("decisions?limit=1000")).EnumerateArray().Where(item => item.GetProperty("id").GetInt64() > after)
            .SelectMany(item => item.GetProperty(kind).EnumerateArray().Select(change =>
                $"{item.GetProperty("verdict").GetString()}: {change.GetProperty("prefix").GetString()} {change.GetProperty("from").GetString()} → {change.GetProperty("to").GetString()}: {change.GetProperty("reason").GetString()}"))];
}
