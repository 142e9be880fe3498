using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using EgressAppliance.Host.History.Reports;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.Cli;

/// <summary>
/// The commands that look at the history: <c>history</c> and <c>report</c>. They read the database file beside the appliance, whether that runs or not; only <c>history status</c> asks the
/// running one, which knows more.
/// </summary>
internal sealed class HistoryCommands(CommandConsole console, GlobalOptions global)
{
    private const string DefaultDatabase = "/var/lib/egress-appliance/history.db";

    private static readonly Dictionary<string, HistoryLevel> Steps = new(StringComparer.Ordinal)
    {
        ["1m"] = HistoryLevel.Minute,
        ["5m"] = HistoryLevel.FiveMinutes,
        ["1h"] = HistoryLevel.Hour,
        ["1d"] = HistoryLevel.Day,
    };

    public IEnumerable<Command> Build() =>
    [
        new Command("history", "Rates, decisions and events of the past: export, check, back up.") { Status(), Export(), Check(), Backup() },
        Report(),
    ];

    private static Option<string> DatabaseOption() => new("--database")
    {
        Description = "The database (history.path).",
        HelpName = "FILE",
        DefaultValueFactory = _ => DefaultDatabase,
    };

    private static Option<string?> OutputOption(string description) => new("--output") { Description = description, HelpName = "FILE" };

    private Command Status()
    {
        Option<string?> database = new("--database") { Description = "Look at this file instead of asking the running appliance.", HelpName = "FILE" };
        Command command = new("status", "Size, rows, oldest samples and what is wrong.") { database };
        command.SetAction((parsed, cancellation) => ShownAsync(async () =>
        {
            HistoryStatusDto status;
            if (parsed.GetValue(database) is { } file)
            {
                status = OfFile(file);
            }
            else
            {
                using ApiClient client = global.Client(parsed);
                status = await client.GetAsync("history/status", ApiClient.Json.HistoryStatusDto, cancellation);
            }

            if (parsed.GetValue(global.Json))
            {
                await console.Out.WriteLineAsync(System.Text.Json.JsonSerializer.Serialize(status, ApiJson.Default.HistoryStatusDto));
            }
            else
            {
                HistoryViews.Status(status, console);
            }

            return status.Problems.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private Command Export()
    {
        Option<string> database = DatabaseOption();
        Option<string> table = new("--table") { Description = "links, prefixes, events, decisions, overrides or months.", HelpName = "TABLE", Required = true };
        table.AcceptOnlyFromAmong([.. Enum.GetNames<ExportTable>().Select(n => n.ToLowerInvariant())]);
        Option<string> step = new("--step") { Description = "Resolution of links and prefixes: 1m, 5m, 1h or 1d.", HelpName = "STEP", DefaultValueFactory = _ => "1m" };
        step.AcceptOnlyFromAmong([.. Steps.Keys]);
        Option<string?> from = TimeOption("--from", "Begin [default: of what is kept].");
        Option<string?> to = TimeOption("--to", "End [default: of what is kept].");
        Option<string> format = new("--format") { Description = "csv or json.", HelpName = "FORMAT", DefaultValueFactory = _ => "csv" };
        format.AcceptOnlyFromAmong("csv", "json");
        Option<string?> output = OutputOption("Where to write it [default: standard output].");
        Command command = new("export", "Write a table of the history as CSV or JSON.") { table, step, from, to, format, output, database };
        command.SetAction((parsed, cancellation) => ShownAsync(async () =>
        {
            string path = parsed.GetRequiredValue(database);
            string? file = parsed.GetValue(output);
            using Progress progress = new(console, "exporting");
            await using TextWriter? own = file is null ? null : new StreamWriter(file, append: false, new UTF8Encoding(false), 1 << 16);
            HistoryExport export = new(path, own ?? console.Out, parsed.GetValue(format) == "json" || parsed.GetValue(global.Json) ? ExportFormat.Json : ExportFormat.Csv);

            // SQLite reads while the caller waits: a thread of the pool does it, so that a signal still ends it.
            await Task.Run(
                () => export.Write(
                    Enum.Parse<ExportTable>(parsed.GetRequiredValue(table), ignoreCase: true), Steps[parsed.GetRequiredValue(step)], Time(parsed.GetValue(from)), Time(parsed.GetValue(to)),
                    progress.Report, cancellation),
                cancellation);
            return ExitCode.Done;
        }));
        return command;
    }

    private Command Check()
    {
        Option<string> database = DatabaseOption();
        Command command = new("check", "Check the database for damage; the appliance does so at every start.") { database };
        command.SetAction((parsed, cancellation) => ShownAsync(async () =>
        {
            string path = parsed.GetRequiredValue(database);
            using Progress progress = new(console, "checking");
            if (!File.Exists(path))
            {
                throw new HistoryException($"there is no history at {path}", HistoryFailure.Missing);
            }

            string? damage = await Task.Run(() => HistoryRepair.Check(path), cancellation);
            progress.Dispose();
            await (damage is null ? console.Out : console.Error).WriteLineAsync(
                damage is null ? $"{path}: whole." : $"{path} is damaged: {Human.Clean(damage)}. The appliance moves it aside at its next start and keeps what can be read.");
            return damage is null ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private Command Backup()
    {
        Option<string> database = DatabaseOption();
        Argument<string> file = new("FILE") { Description = "The copy; must not exist." };
        Command command = new("backup", "Copy the database while the appliance writes it.") { file, database };
        command.SetAction((parsed, cancellation) => ShownAsync(async () =>
        {
            using Progress progress = new(console, "copying");
            string copy = parsed.GetRequiredValue(file);
            await Task.Run(() => HistoryDatabase.Backup(parsed.GetRequiredValue(database), copy), cancellation);
            progress.Dispose();
            await console.Out.WriteLineAsync($"{copy}: written.");
            return ExitCode.Done;
        }));
        return command;
    }

    private Command Report()
    {
        Option<string> database = DatabaseOption();
        Argument<string> month = new("MONTH") { Description = "Year and month in which the links' billing months begin, such as 2026-11." };
        month.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && Label(text) is null)
            {
                result.AddError($"'{text}' is not a month; write it like 2026-11.");
            }
        });
        Option<string?> link = new("--link") { Description = "Only this link.", HelpName = "LINK" };
        Option<string> format = new("--format") { Description = "html or csv.", HelpName = "FORMAT", DefaultValueFactory = _ => "html" };
        format.AcceptOnlyFromAmong("html", "csv");
        Option<string> site = new("--site") { Description = "Name of the site, for the title.", HelpName = "NAME", DefaultValueFactory = _ => "" };
        Option<string?> output = OutputOption("Where to write it [default: standard output].");
        Command command = new("report", "The month of every link: volume, percentile, commit, savings, avoided overload.") { month, link, format, site, output, database };
        command.SetAction((parsed, cancellation) => ShownAsync(async () =>
        {
            using Progress progress = new(console, "reading");
            using HistoryReader reader = new(parsed.GetRequiredValue(database), console.Time);
            MonthlyReport report = await MonthlyReport.ReadAsync(reader, Label(parsed.GetRequiredValue(month))!.Value, parsed.GetValue(link), cancellation);
            progress.Dispose();
            if (report.Links.Count == 0)
            {
                throw new HistoryException($"the history has no month {report.Name}{(parsed.GetValue(link) is { } name ? " of " + name : "")}", HistoryFailure.Missing);
            }

            string text = parsed.GetValue(format) == "csv" ? CsvReport.Write(report) : HtmlReport.Write(report, parsed.GetRequiredValue(site), console.Time.GetUtcNow());
            if (parsed.GetValue(output) is { } file)
            {
                await File.WriteAllTextAsync(file, text, new UTF8Encoding(false), cancellation);
            }
            else
            {
                await console.Out.WriteAsync(text);
            }

            return ExitCode.Done;
        }));
        return command;
    }

    private static Option<string?> TimeOption(string name, string description)
    {
        Option<string?> option = new(name) { Description = description + " A time such as 2026-11-27T12:00:00Z, or a day.", HelpName = "TIME" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !HistoryEndpoints.TryTime(text, out _))
            {
                result.AddError($"{name}: '{text}' is not a time; write it like 2026-11-27T12:00:00Z or 2026-11-27.");
            }
        });
        return option;
    }

    private static DateTimeOffset? Time(string? text) => text is not null && HistoryEndpoints.TryTime(text, out DateTimeOffset time) ? time : null;

    private static int? Label(string text) => DateTime.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime month)
        ? (month.Year * 100) + month.Month
        : null;

    private static HistoryStatusDto OfFile(string path)
    {
        using SqliteConnection connection = HistoryDatabase.OpenForReading(path);
        long page = connection.Scalar("PRAGMA page_size");
        long used = (connection.Scalar("PRAGMA page_count") - connection.Scalar("PRAGMA freelist_count")) * page;
        return new HistoryStatusDto(path, HistoryStore.Size(path), used, null, [], [], 0, 0, 0, HistoryQueries.Tables(connection), []);
    }

    /// <summary>Runs a command and says in the operator's words what went wrong with the file.</summary>
    private static async Task<int> ShownAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (Exception e) when (e is HistoryException or HistoryQuestionException or SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new ApiException(e.Message, e);
        }
    }
}
