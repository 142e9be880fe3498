using System.CommandLine;
using System.Globalization;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>
/// <c>top</c>: the running appliance in a terminal, drawn anew every second: links against their thresholds, the largest prefixes, the latest changes. Where output is no terminal
/// it prints one picture, for scripts and tickets.
/// </summary>
internal sealed class TopCommand(CommandConsole console, GlobalOptions global)
{
    private const int BarWidth = 24;
    private const int LeastPrefixes = 5;
    private const int LinesWithoutTables = 9;
    private const int Changes = 3;

    // ECMA-48 and xterm: alternate screen, cursor, home, erase to the end of the line and of the screen.
    private const string Enter = "\u001b[?1049h\u001b[?25l";
    private const string Leave = "\u001b[?25h\u001b[?1049l";
    private const string Home = "\u001b[H";
    private const string EraseLine = "\u001b[K";
    private const string EraseBelow = "\u001b[J";

    private string? _link;
    private bool _paused;

    public Command Build()
    {
        Option<TimeSpan> interval = new("--interval")
        {
            Description = "How often it is drawn, such as 2s.",
            HelpName = "TIME",
            DefaultValueFactory = _ => TimeSpan.FromSeconds(1),
            CustomParser = result =>
            {
                if (Units.ParseDuration(result.Tokens[0].Value) is { Value: TimeSpan time } && time >= TimeSpan.FromMilliseconds(200) && time <= TimeSpan.FromHours(1))
                {
                    return time;
                }

                result.AddError("--interval: give 200ms to 1h, such as 2s.");
                return TimeSpan.FromSeconds(1);
            },
        };
        Option<int> count = new("--count") { Description = "End after so many pictures [default: on a terminal when q is typed, else 1].", HelpName = "N" };
        count.Validators.Add(result => CommandLine.Between(result, 1, int.MaxValue));
        Option<string?> link = new("--link") { Description = "Only prefixes that leave by this link.", HelpName = "LINK" };
        Command command = new("top", "The running appliance, live: links, largest prefixes, latest changes.") { interval, count, link };
        command.SetAction(async (parsed, cancellation) =>
        {
            _link = parsed.GetValue(link);
            using ApiClient client = global.Client(parsed);
            bool live = console.Width is not null;
            int left = parsed.GetValue(count) is > 0 and var given ? given : live ? int.MaxValue : 1;

            // The first picture before the screen is taken: what keeps it from being drawn is told where it can be read.
            string picture = await DrawAsync(client, cancellation);
            if (!live)
            {
                await PrintAsync(client, picture, left, parsed.GetValue(interval), cancellation);
                return ExitCode.Done;
            }

            await console.Out.WriteAsync(Enter);
            try
            {
                await LiveAsync(client, picture, left, parsed.GetValue(interval), cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                // Ctrl-C is how one leaves it.
            }
            finally
            {
                await console.Out.WriteAsync(Leave);
                await console.Out.FlushAsync(CancellationToken.None);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private async Task PrintAsync(ApiClient client, string picture, int left, TimeSpan interval, CancellationToken cancellation)
    {
        await console.Out.WriteAsync(picture);
        while (--left > 0)
        {
            await Task.Delay(interval, console.Time, cancellation);
            await console.Out.WriteLineAsync();
            await console.Out.WriteAsync(await DrawAsync(client, cancellation));
        }
    }

    private async Task LiveAsync(ApiClient client, string picture, int left, TimeSpan interval, CancellationToken cancellation)
    {
        long drawn = long.MinValue;
        while (true)
        {
            if (drawn == long.MinValue || (console.Time.GetElapsedTime(drawn) >= interval && !_paused))
            {
                picture = drawn == long.MinValue ? picture : await DrawOrSayWhyAsync(client, cancellation);
                await ShowAsync(picture);
                drawn = console.Time.GetTimestamp();
                if (--left <= 0)
                {
                    return;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), console.Time, cancellation);
            switch (console.ReadKey())
            {
                case 'q' or 'Q' or '\u001b':
                    return;
                case ' ':
                    _paused = !_paused;
                    drawn = _paused ? drawn : 0;
                    break;
                case 'l' or 'L':
                    _link = await NextLinkAsync(client, cancellation);
                    drawn = 0;
                    break;
                case 'a' or 'A':
                    _link = null;
                    drawn = 0;
                    break;
                default:
                    break;
            }
        }
    }

    private async Task ShowAsync(string picture)
    {
        int lines = console.Height ?? int.MaxValue;
        string[] shown = [.. picture.TrimEnd('\n').Split('\n').Take(lines)];
        await console.Out.WriteAsync(Home + string.Join("\r\n", shown.Select(l => l + EraseLine)) + EraseBelow);
        await console.Out.FlushAsync(CancellationToken.None);
    }

    private async Task<string> DrawOrSayWhyAsync(ApiClient client, CancellationToken cancellation)
    {
        try
        {
            return await DrawAsync(client, cancellation);
        }
        catch (ApiException e)
        {
            return $"{Human.Clean(e.Message)}\n\nTrying again; q leaves.\n";
        }
    }

    private async Task<string?> NextLinkAsync(ApiClient client, CancellationToken cancellation)
    {
        string[] names = [.. (await client.GetAsync("links", ApiClient.Json.IReadOnlyListLinkDto, cancellation)).Select(l => l.Name)];
        int next = Array.IndexOf(names, _link) + 1;
        return next < names.Length ? names[next] : null;
    }

    private async Task<string> DrawAsync(ApiClient client, CancellationToken cancellation)
    {
        StatusDto status = await client.GetAsync("status", ApiClient.Json.StatusDto, cancellation);
        IReadOnlyList<LinkDto> links = await client.GetAsync("links", ApiClient.Json.IReadOnlyListLinkDto, cancellation);
        int room = Math.Max(LeastPrefixes, (console.Height ?? 40) - links.Count - LinesWithoutTables - Changes);
        IReadOnlyList<PrefixDto> prefixes = await client.GetAsync(
            "prefixes?top=" + room.ToString(CultureInfo.InvariantCulture) + (_link is null ? "" : "&link=" + Uri.EscapeDataString(_link)),
            ApiClient.Json.IReadOnlyListPrefixDto, cancellation);
        return Draw(status, links, prefixes, await client.GetAsync("decisions?limit=200", ApiClient.Json.IReadOnlyListDecisionDto, cancellation));
    }

    private string Draw(StatusDto status, IReadOnlyList<LinkDto> links, IReadOnlyList<PrefixDto> prefixes, IReadOnlyList<DecisionDto> decisions)
    {
        using StringWriter text = new() { NewLine = "\n" };
        CommandConsole page = new() { Out = text, Error = console.Error, Width = console.Width, Color = console.Color, Time = console.Time };
        Head(status, page);
        text.WriteLine();
        Links(links, page);
        text.WriteLine();
        Prefixes(prefixes, page);
        foreach (string change in Latest(decisions))
        {
            text.WriteLine(Cut(change));
        }

        return text.ToString();
    }

    private void Head(StatusDto status, CommandConsole page)
    {
        string keys = console.Width is null ? "" : _paused ? "   PAUSED, space goes on" : "   q leaves · space pauses · l next link · a all links";
        page.Out.WriteLine(Cut($"{(status.Site.Length == 0 ? "appliance" : Human.Clean(status.Site))}  {status.Mode}  {(status.Healthy ? "healthy" : "ATTENTION")}  {Human.Moment(status.Time)}{keys}"));
        page.Out.WriteLine(Cut($"{status.Verdict}: {Human.Clean(status.Reason)}"));
        CaptureDto capture = status.Capture;
        page.Out.WriteLine(Cut(
            $"traffic {Human.Rate(capture.BitsPerSecond)}, {Human.PacketRate(capture.PacketsPerSecond)}   lost {Human.Percent(capture.LossRatio)}"
            + $"   BGP {status.Bgp.Count(p => p.State == "Established")} of {status.Bgp.Count} up   SNMP {status.Snmp.Count(a => a.Reachable)} of {status.Snmp.Count} reachable"));
        foreach (string problem in status.Problems.Take(Changes))
        {
            page.Out.WriteLine(Cut("  ! " + Human.Clean(problem)));
        }
    }

    private static void Links(IReadOnlyList<LinkDto> links, CommandConsole page)
    {
        TextTable table = new("LINK", "STATE", "LOAD (| THRESHOLD)", ">LOAD", ">WITHOUT US", "?>CAPACITY", "?>MIRROR", ">ON", ">OFF");
        foreach (LinkDto link in links)
        {
            CellStyle style = link.State switch { "normal" => CellStyle.Good, "relieved" => CellStyle.Plain, "over_threshold" => CellStyle.Warning, _ => CellStyle.Bad };
            bool known = link.CapacityBps > 0;
            table.Add(
                link.Name, new Cell(link.State, style), known ? new Cell(Bar(link), style) : "-", known ? Human.Percent((double)link.MirrorBps / link.CapacityBps) : "-",
                known ? Human.Percent((double)link.NativeBps / link.CapacityBps) : "-", known ? Human.Rate(link.CapacityBps) : "-", Human.Rate(link.MirrorBps),
                Human.Count(link.Overrides), Human.Count(link.OverridesAway));
        }

        table.Write(page, "No links.");
    }

    /// <summary>A bar up to the capacity and a little beyond, with the threshold in it.</summary>
    private static string Bar(LinkDto link)
    {
        const double Span = 1.2;
        int filled = (int)Math.Round(Math.Clamp(link.MirrorBps / (double)link.CapacityBps / Span, 0, 1) * BarWidth);
        int threshold = Math.Min(BarWidth - 1, (int)Math.Round(link.ThresholdBps / (double)link.CapacityBps / Span * BarWidth));
        return string.Create(BarWidth, (filled, threshold), static (bar, at) =>
        {
            for (int i = 0; i < bar.Length; i++)
            {
                bar[i] = i == at.threshold ? '|' : i < at.filled ? '#' : '.';
            }
        });
    }

    private void Prefixes(IReadOnlyList<PrefixDto> prefixes, CommandConsole page)
    {
        TextTable table = new(_link is null ? "PREFIX" : $"PREFIX BY {_link.ToUpperInvariant()}", ">RATE", "?>MEAN", "LINK", "?NATIVE", "?ORIGIN", "MOVED");
        foreach (PrefixDto prefix in prefixes)
        {
            table.Add(
                prefix.Prefix, Human.Rate(prefix.RateBps), Human.Rate(prefix.MeanBps), prefix.Link, prefix.NativeLink,
                prefix.OriginAs == 0 ? "-" : "AS" + prefix.OriginAs.ToString(CultureInfo.InvariantCulture), prefix.Override ? new Cell("moved", CellStyle.Warning) : "-");
        }

        table.Write(page, "No traffic yet.");
    }

    private static IEnumerable<string> Latest(IReadOnlyList<DecisionDto> decisions) => decisions
        .SelectMany(d => d.Moves.Select(m => $"{Human.Moment(d.Time)}  {(d.Mode == "observe" ? "would move" : "moved")} {m.Prefix} {m.From} -> {m.To}, {Human.Rate(m.RateBps)}")
            .Concat(d.Releases.Select(r => $"{Human.Moment(d.Time)}  released {r.Prefix}{(r.To.Length > 0 ? " to " + r.To : "")}")))
        .Take(Changes);

    private string Cut(string line) => console.Width is { } width && line.Length > width ? line[..(width - 1)] + "…" : line;
}
