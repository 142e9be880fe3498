using System.Globalization;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The history under <c>/api/v1/history</c>. Answers are bounded and read beside the writer; a request that ends ends its query. What cannot be answered as asked is a problem document that
/// says what to change.
/// </summary>
internal static class HistoryEndpoints
{
    private const int MostEvents = 1000;
    private const int MostPrefixes = 200;
    private const int MostMonths = 4096;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly string[] TimeFormats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];

    /// <summary>Maps the routes.</summary>
    /// <param name="api">The group of the API, version 1.</param>
    /// <param name="appliance">Tells how the history is written.</param>
    /// <param name="reader">Answers; null where there is no history.</param>
    public static void Map(RouteGroupBuilder api, IApplianceApi appliance, HistoryReader? reader)
    {
        RouteGroupBuilder history = api.MapGroup("/history");
        Described<HistoryLinksDto>(history.MapGet("/links", (string? link, string? from, string? to, string? step, CancellationToken cancelled) =>
            AnswerAsync(reader, from, to, step, (r, range) => r.LinksAsync(link, range.From, range.To, range.Step, cancelled))), "Rates of links over time.");
        Described<HistoryPrefixesDto>(history.MapGet(
            "/prefixes", (string? prefix, string? link, string? from, string? to, string? step, string? top, CancellationToken cancelled) =>
                PrefixesAsync(reader, prefix, link, (from, to, step), top, cancelled)), "The largest prefixes over time, or one of them.");
        Described<HistoryEventsDto>(history.MapGet(
            "/events", (string? kind, string? from, string? to, string? limit, string? cursor, CancellationToken cancelled) =>
                EventsAsync(reader, kind, from, to, (limit, cursor), cancelled)), "Decisions, overrides, and what happened to BGP and capture.");
        Described<IReadOnlyList<HistoryMonthDto>>(history.MapGet("/months", (string? link, string? from, string? to, CancellationToken cancelled) =>
            AnswerAsync(reader, from ?? "2000-01-01", to ?? "9000-01-01", null, async (r, range) =>
                (IReadOnlyList<HistoryMonthDto>)[.. (await r.MonthsAsync(link, range.From, range.To, MostMonths, cancelled)).Select(Month)])), "Billing months of links.");
        Described<HistoryStatusDto>(history.MapGet("/status", (CancellationToken cancelled) => StatusAsync(appliance, reader, cancelled)), "How the history is written, and what it holds.");
    }

    private static void Described<T>(RouteHandlerBuilder endpoint, string summary) => endpoint.WithSummary(summary).Produces<T>()
        .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    /// <summary>A month as the API shows it.</summary>
    internal static HistoryMonthDto Month(LinkMonth month) => new(
        month.Link, string.Create(CultureInfo.InvariantCulture, $"{month.Label / 100:D4}-{month.Label % 100:D2}"), month.Start, month.End, month.FromCounter ? "counter" : "mirror",
        month.Percentile, month.Samples, month.Measured, month.PercentileBps, month.StandingBps, month.NativePercentileBps, month.CommitBps, month.PricePerMbit,
        Cents(month.Bill(month.PercentileBps)), Cents(month.Bill(month.NativePercentileBps)), Cents(month.Saving), month.VolumeBytes, month.PeakBps, month.NativePeakBps,
        Minutes(month.OverloadSeconds), Minutes(month.NativeOverloadSeconds), Minutes(month.AvoidedOverloadSeconds));

    /// <summary>The status of a history that is written, or of a file.</summary>
    internal static HistoryStatusDto Status(HistoryStatus status, IReadOnlyList<HistoryTableDto> tables)
    {
        List<string> problems = [];
        if (status.Problem is { } problem)
        {
            problems.Add(problem);
        }

        problems.AddRange(status.Sinks.Where(s => s.Problem is not null).Select(s => $"sink {s.Name}: {s.Problem}"));
        return new HistoryStatusDto(
            status.Path, status.FileBytes, status.UsedBytes, status.MaxBytes, problems, status.Notes, status.WaitingTicks, status.DroppedTicks, status.TrimmedRows, tables,
            [.. status.Sinks.Select(s => new HistorySinkDto(s.Name, s.Problem, s.LagSeconds, s.Rows, s.Failures))]);
    }

    /// <summary>A time as RFC 3339 writes it, or a day.</summary>
    internal static bool TryTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time)
        && time.Year is >= 1971 and < 9999;

    private static Task<IResult> PrefixesAsync(
        HistoryReader? reader, string? prefix, string? link, (string? From, string? To, string? Step) range, string? top, CancellationToken cancelled)
    {
        IpPrefix parsed = default;
        if (prefix is not null && !IpPrefix.TryParse(prefix, out parsed))
        {
            return BadAsync("'prefix' is a prefix with its host bits zero, such as 203.0.113.0/24.");
        }

        return Number(top, 10, MostPrefixes) is { } count
            ? AnswerAsync(reader, range.From, range.To, range.Step, (r, asked) =>
                r.PrefixesAsync(prefix is null ? null : parsed.ToString(), link, asked.From, asked.To, count, asked.Step, cancelled))
            : BadAsync($"'top' is 1 to {MostPrefixes}.");
    }

    private static Task<IResult> EventsAsync(HistoryReader? reader, string? kind, string? from, string? to, (string? Limit, string? Cursor) page, CancellationToken cancelled)
    {
        if (!EventKinds.TryParse(kind, out IReadOnlyList<EventKind> kinds, out string? unknown))
        {
            return BadAsync($"There is no kind '{unknown}'. Kinds and groups: {string.Join(", ", EventKinds.All)}.");
        }

        if (Number(page.Limit, 100, MostEvents) is not { } count)
        {
            return BadAsync($"'limit' is 1 to {MostEvents}.");
        }

        (long, long)? after = null;
        if (page.Cursor is { } cursor)
        {
            string[] parts = cursor.Split('-');
            if (parts.Length != 2 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long time)
                || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long id))
            {
                return BadAsync("'cursor' is what the page before gave.");
            }

            after = (time, id);
        }

        return AnswerAsync(reader, from ?? "2000-01-01", to ?? "9000-01-01", null, (r, range) => r.EventsAsync(kinds, range.From, range.To, count, after, cancelled));
    }

    private static async Task<IResult> StatusAsync(IApplianceApi appliance, HistoryReader? reader, CancellationToken cancelled)
    {
        if (appliance.HistoryStatus is not { } status || reader is null)
        {
            return NoHistory();
        }

        try
        {
            return Results.Ok(Status(status, await reader.TablesAsync(cancelled)));
        }
        catch (HistoryException e)
        {
            HistoryStatusDto known = Status(status, []);
            return Results.Ok(known with { Problems = [.. known.Problems, e.Message] });
        }
    }

    private static async Task<IResult> AnswerAsync<T>(
        HistoryReader? reader, string? from, string? to, string? step, Func<HistoryReader, (DateTimeOffset From, DateTimeOffset To, int? Step), Task<T>> ask)
    {
        if (reader is null)
        {
            return NoHistory();
        }

        DateTimeOffset end = reader.Now;
        if (to is not null && !TryTime(to, out end))
        {
            return await BadAsync("'to' is a time such as 2026-11-27T12:00:00Z.");
        }

        DateTimeOffset begin = end - Day;
        if (from is not null && !TryTime(from, out begin))
        {
            return await BadAsync("'from' is a time such as 2026-11-27T12:00:00Z.");
        }

        if (begin >= end)
        {
            return await BadAsync("'from' is before 'to'.");
        }

        int? seconds = null;
        if (step is not null)
        {
            HistoryLevel? level = HistoryLevel.All.FirstOrDefault(l => l.Seconds.ToString(CultureInfo.InvariantCulture) == step);
            if (level is null)
            {
                return await BadAsync("'step' is 60, 300, 3600 or 86400 seconds.");
            }

            seconds = level.Seconds;
        }

        try
        {
            return Results.Ok(await ask(reader, (begin, end, seconds)));
        }
        catch (HistoryQuestionException e)
        {
            return await BadAsync(e.Message);
        }
        catch (HistoryException e)
        {
            return Results.Problem($"The history cannot answer: {e.Message}.", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static int? Number(string? text, int otherwise, int most) => text is null ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= most ? number : null;

    private static Task<IResult> BadAsync(string detail) => Task.FromResult(Results.Problem(detail, statusCode: StatusCodes.Status400BadRequest));

    private static IResult NoHistory() => Results.Problem("No history is kept: history.enabled is false.", statusCode: StatusCodes.Status404NotFound);

    private static decimal? Cents(decimal? money) => money is { } amount ? Math.Round(amount, 2) : null;

    private static double Minutes(long seconds) => Math.Round(seconds / 60.0, 1);
}
