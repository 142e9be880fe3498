using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Doctor;
using EgressAppliance.Host.Simulate;

namespace EgressAppliance.Host.Cli;

// One command serves two ends: it is the appliance (run, demo), and it is what an operator types to look at and steer a running one (show,
// explain, override, mode, withdraw-all), which goes through the HTTP API only and so works the same from a script with curl. Results go to standard
// output and nothing else does; with --json they are JSON. Errors and progress go to standard error. The exit code is 0 when the command did
// what was asked, 1 when it failed and 2 when the command line or the configuration was wrong.
//
//   CommandLine     what can be typed: commands, options, their validation
//   ICommandHandlers  commands that need the whole appliance; implemented by the composition root
//   CheckCommand    check: needs the configuration only
//   SimulateCommand simulate: needs nothing
//   SnmpCommands    snmp walk, links discover: needs the configuration, or nothing
//   DoctorCommand   doctor: configuration, machine and running appliance
//   SupportCommand  support: all of these, in a file
//   TokenCommands   token: needs the tokens file only
//   HistoryCommands history …, report: need the database only
//   ApiCommands     commands that talk to a running appliance, by ApiClient, shown by Views and TextTable

/// <summary>The command line of <c>egress-appliance</c>.</summary>
public static class CommandLine
{
    private static readonly string[] MatchNames = ["outer", "inner"];

    /// <summary>Runs one command on the process's console.</summary>
    /// <param name="args">Arguments, without the command's own name.</param>
    /// <param name="handlers">Commands that need the whole appliance.</param>
    /// <param name="cancellationToken">Ends the command; the caller ties it to SIGINT and SIGTERM.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static Task<int> RunAsync(string[] args, ICommandHandlers handlers, CancellationToken cancellationToken) =>
        RunAsync(args, handlers, CommandConsole.ForProcess(), cancellationToken);

    /// <summary>Runs one command on a given console.</summary>
    public static async Task<int> RunAsync(string[] args, ICommandHandlers handlers, CommandConsole console, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(console);
        ParseResult parsed = Build(handlers, console).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError error in parsed.Errors)
            {
                await console.Error.WriteLineAsync("egress-appliance: " + error.Message);
            }

            await console.Error.WriteLineAsync($"Try `{Path(parsed)} --help`.");
            return ExitCode.Usage;
        }

        try
        {
            InvocationConfiguration configuration = new()
            {
                Output = console.Out,
                Error = console.Error,
                EnableDefaultExceptionHandler = false,
                // The caller owns the signals: the appliance takes its routes back before it goes, however long that takes.
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (ApiException e)
        {
            await console.Error.WriteLineAsync("egress-appliance: " + Human.Clean(e.Message));
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await console.Error.WriteLineAsync("egress-appliance: interrupted");
            return ExitCode.Failed;
        }
    }

    /// <summary>Every command with its options.</summary>
    public static RootCommand Build(ICommandHandlers handlers, CommandConsole console)
    {
        GlobalOptions global = new();
        RootCommand root = new("EgressAppliance moves prefixes between provider links before a link is full.");
        root.Options.Add(global.Json);
        root.Options.Add(global.Socket);
        root.Options.Add(global.Url);
        root.Options.Add(global.TokenFile);
        root.Options.Add(global.CaFile);
        root.Subcommands.Add(Run(handlers, console));
        root.Subcommands.Add(Check(handlers, console, global));
        root.Subcommands.Add(Demo(handlers, console, global));
        root.Subcommands.Add(Replay(handlers, console, global));
        root.Subcommands.Add(ReplayJournal(handlers, console, global));
        root.Subcommands.Add(Plan(handlers, console, global));
        root.Subcommands.Add(Simulate(handlers, console, global));
        root.Subcommands.Add(new TokenCommands(console, global).Build());
        root.Subcommands.Add(new DoctorCommand(handlers, console, global, () => MachineFacts.Read()).Build());
        root.Subcommands.Add(new SupportCommand(handlers, console, global).Build());
        root.Subcommands.Add(new CompletionCommand(console).Build());
        root.Subcommands.Add(new ManCommand(console).Build());
        ApiCommands api = new(console, global);
        root.Subcommands.Add(Bgp(handlers, console, api));
        foreach (Command command in new SnmpCommands(console, global).Build())
        {
            root.Subcommands.Add(command);
        }

        foreach (Command command in new HistoryCommands(console, global).Build())
        {
            root.Subcommands.Add(command);
        }

        foreach (Command command in api.Build())
        {
            root.Subcommands.Add(command);
        }

        return root;
    }

    private static string Path(ParseResult parsed)
    {
        List<string> names = [];
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult { Command: not RootCommand } result; at = at.Parent)
        {
            names.Insert(0, result.Command.Name);
        }

        return string.Join(' ', ["egress-appliance", .. names]);
    }

    private static Command Run(ICommandHandlers handlers, CommandConsole console)
    {
        Option<string> config = ConfigOption("The configuration file.");
        config.DefaultValueFactory = _ => ConfigLoader.DefaultPath;
        Command command = new("run", "Run the appliance.") { config };
        command.SetAction((parsed, cancellation) => handlers.RunAsync(new RunOptions(parsed.GetRequiredValue(config)), console, cancellation));
        return command;
    }

    private static Command Check(ICommandHandlers handlers, CommandConsole console, GlobalOptions global)
    {
        Argument<string?> file = new("FILE") { Description = $"The configuration file [default: {ConfigLoader.DefaultPath}].", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> defaults = new("--defaults") { Description = "Print what is in effect, defaults included; without FILE, every key there is." };
        Option<bool> setup = new("--setup") { Description = "Also try interfaces, filters and sockets. Announces nothing." };
        Command command = new("check", "Check a configuration: every error at once, with its line.") { file, defaults, setup };
        command.SetAction((parsed, cancellation) => new CheckCommand(handlers, console).RunAsync(
            parsed.GetValue(file), parsed.GetValue(defaults), parsed.GetValue(setup), parsed.GetValue(global.Json), cancellation));
        return command;
    }

    private static Command Demo(ICommandHandlers handlers, CommandConsole console, GlobalOptions global)
    {
        Option<TimeSpan?> duration = new("--duration")
        {
            Description = "How long, such as 30s or 5m [default: until interrupted].",
            HelpName = "TIME",
            CustomParser = result =>
            {
                ParsedValue parsed = Units.ParseDuration(result.Tokens[0].Value);
                if (parsed.Value is TimeSpan time && time > TimeSpan.Zero)
                {
                    return time;
                }

                result.AddError($"--duration: {parsed.Problem ?? "it must be more than 0s"}; {parsed.Remedy ?? "give for example 30s"}");
                return null;
            },
        };
        Option<int?> port = new("--port") { Description = "Port of the web page on 127.0.0.1, 0 for any free one [default: 8080].", HelpName = "N" };
        port.Validators.Add(result => Between(result, 0, 65535));
        Command command = new("demo", "Run the appliance against a simulated router and traffic.") { duration, port };
        command.SetAction((parsed, cancellation) => handlers.DemoAsync(
            new DemoOptions(parsed.GetValue(duration), parsed.GetValue(global.Json), parsed.GetValue(port)), console, cancellation));
        return command;
    }

    private static Command Replay(ICommandHandlers handlers, CommandConsole console, GlobalOptions global)
    {
        Option<string[]> pcap = new("--pcap")
        {
            Description = "Capture files, pcap or pcapng.",
            HelpName = "FILE",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string[]> rib = new("--rib")
        {
            Description = "The table: MRT TABLE_DUMP_V2, or text lines 'prefix [anything]' (also .gz); several files add up.",
            HelpName = "FILE",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> config = OptionalConfigOption("Attribute links by this configuration.");
        Option<bool> perFile = new("--per-file") { Description = "Count each file on its own, one JSON object a line." };
        Option<string> output = new("--output") { Description = "text or json.", HelpName = "FORMAT", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        Option<string> match = new("--match") { Description = "Look up the outer or the inner header of tunnelled packets.", HelpName = "HEADER", DefaultValueFactory = _ => "outer" };
        match.AcceptOnlyFromAmong(MatchNames);
        Option<int?> workers = new("--workers") { Description = "Counting workers [default: one a core].", HelpName = "N" };
        workers.Validators.Add(result => Between(result, 1, 256));
        Option<bool> summary = new("--summary") { Description = "Leave the prefixes out." };
        Command command = new("replay", "Count capture files against a routing table.") { pcap, rib, config, perFile, output, match, workers, summary };
        command.SetAction((parsed, cancellation) => handlers.ReplayAsync(
            new ReplayCommandOptions(
                parsed.GetRequiredValue(pcap), parsed.GetRequiredValue(rib), parsed.GetValue(config), parsed.GetValue(perFile),
                parsed.GetValue(global.Json) || parsed.GetValue(output) == "json",
                parsed.GetValue(match) == "inner" ? MatchHeader.Inner : MatchHeader.Outer,
                parsed.GetValue(workers), parsed.GetValue(summary)),
            console, cancellation));
        return command;
    }

    private static Command ReplayJournal(ICommandHandlers handlers, CommandConsole console, GlobalOptions global)
    {
        Argument<string[]> paths = new("FILE|FOLDER") { Description = "Journal files, or folders of them.", Arity = ArgumentArity.OneOrMore };
        paths.Validators.Add(result =>
        {
            // A list of arguments takes what looks like an option for one of them.
            foreach (Token token in result.Tokens.Where(t => t.Value.StartsWith('-')))
            {
                result.AddError($"There is no option '{token.Value}'; a file of that name is given as './{token.Value}'.");
            }
        });
        Command command = new("replay-journal", "Make the recorded decisions again and tell where the outcome differs.") { paths };
        command.SetAction((parsed, cancellation) => handlers.ReplayJournalAsync(
            new ReplayJournalOptions(parsed.GetRequiredValue(paths), parsed.GetValue(global.Json)), console, cancellation));
        return command;
    }

    private static Command Plan(ICommandHandlers handlers, CommandConsole console, GlobalOptions global)
    {
        Option<string?> snapshot = new("--snapshot") { Description = "Plan for this snapshot (JSON), - for standard input, instead of asking the running appliance.", HelpName = "FILE" };
        Option<string?> config = OptionalConfigOption("Take the decision section of this configuration.");
        Option<bool> noCaps = new("--no-caps") { Description = "Ignore the caps on moves, overrides and shares." };
        Command command = new("plan", "Run the decision maker once over a snapshot, or show the running appliance's plan.") { snapshot, config, noCaps };
        command.Validators.Add(result =>
        {
            if (result.GetResult(snapshot) is null && (result.GetResult(config) is not null || result.GetResult(noCaps) is { Implicit: false }))
            {
                result.AddError("--config and --no-caps need --snapshot: the running appliance plans by its own configuration.");
            }
        });
        command.SetAction((parsed, cancellation) => parsed.GetValue(snapshot) is { } file
            ? handlers.PlanAsync(
                new PlanCommandOptions(file, parsed.GetValue(config), parsed.GetValue(noCaps), parsed.GetValue(global.Json)), console, cancellation)
            : new ApiCommands(console, global).ShowPlanAsync(parsed, cancellation));
        return command;
    }

    private static Command Simulate(ICommandHandlers handlers, CommandConsole console, GlobalOptions global)
    {
        Argument<string[]> scenarios = new("SCENARIO")
        {
            Description = "Scenario files, or names of those that come with the program [default: all of the latter].",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> config = OptionalConfigOption("Take the decision section of this configuration.");
        Option<long?> seed = new("--seed") { Description = "Seed instead of each scenario's own.", HelpName = "N" };
        seed.Validators.Add(result => Between(result, 0, int.MaxValue));
        Option<bool> list = new("--list") { Description = "List the scenarios that come with the program." };
        Option<bool> print = new("--print") { Description = "Print their text instead of running them." };
        Command command = new("simulate", "Run scenarios of traffic and failures in virtual time, beside plain BGP and a greedy controller.") { scenarios, config, seed, list, print };
        command.SetAction((parsed, cancellation) =>
        {
            SimulateCommand simulate = new(console);
            string[] names = parsed.GetValue(scenarios) ?? [];
            return parsed.GetValue(list) ? simulate.ListAsync(parsed.GetValue(global.Json))
                : parsed.GetValue(print) ? simulate.PrintAsync(names.Length > 0 ? names : ScenarioFile.Bundled)
                : handlers.SimulateAsync(
                    new SimulateCommandOptions(names, parsed.GetValue(config), (ulong?)parsed.GetValue(seed), parsed.GetValue(global.Json)), console, cancellation);
        });
        return command;
    }

    private static Command Bgp(ICommandHandlers handlers, CommandConsole console, ApiCommands api)
    {
        Argument<string> file = new("FILE") { Description = "The file, - for standard input." };
        Option<bool> as2 = new("--as2") { Description = "AS numbers have two octets." };
        Option<bool> addPath = new("--add-path") { Description = "NLRI bear path identifiers." };
        Option<bool> extendedNextHop = new("--extended-next-hop") { Description = "IPv4 routes may have IPv6 next hops." };
        Option<bool> hex = new("--hex") { Description = "The file is hexadecimal text, one message a line." };
        Option<bool> ebgp = new("--ebgp") { Description = "The sender is in another AS." };
        Option<bool> mrt = new("--mrt") { Description = "The file is MRT (also .gz, .bz2): print its records." };
        Option<bool> bmp = new("--bmp") { Description = "The messages are BMP, of one router." };
        Command decode = new("decode", "Print each message as one JSON object.") { file, as2, addPath, extendedNextHop, hex, ebgp, mrt, bmp };
        decode.Validators.Add(result =>
        {
            if (Given(mrt) && new[] { as2, addPath, extendedNextHop, hex }.Any(Given))
            {
                result.AddError("--mrt: the records say themselves how they are to be read; only --ebgp goes with it.");
            }

            if (Given(bmp) && new[] { as2, addPath, extendedNextHop, ebgp, mrt }.Any(Given))
            {
                result.AddError("--bmp: its messages say themselves how they are to be read; only --hex goes with it.");
            }

            bool Given(Option option) => result.GetResult(option) is { Implicit: false };
        });
        decode.SetAction((parsed, cancellation) => handlers.BgpDecodeAsync(
            new BgpDecodeOptions(parsed.GetRequiredValue(file), parsed.GetValue(as2), parsed.GetValue(addPath), parsed.GetValue(hex))
            {
                Ebgp = parsed.GetValue(ebgp),
                ExtendedNextHop = parsed.GetValue(extendedNextHop),
                Mrt = parsed.GetValue(mrt),
                Bmp = parsed.GetValue(bmp),
            },
            console, cancellation));
        return new Command("bgp", "Tools for BGP messages and tables.") { decode, api.Dump(), api.Refresh() };
    }

    private static Option<string> ConfigOption(string description) => new("--config", "-c") { Description = description, HelpName = "FILE" };

    private static Option<string?> OptionalConfigOption(string description) => new("--config", "-c") { Description = description, HelpName = "FILE" };

    /// <summary>Refuses a number outside of a range.</summary>
    internal static void Between(OptionResult result, int minimum, int maximum)
    {
        if (result.Tokens is [{ Value: var text }] && int.TryParse(text, out int value) && (value < minimum || value > maximum))
        {
            result.AddError($"{result.IdentifierToken?.Value}: {value} is not from {minimum} to {maximum}.");
        }
    }
}

/// <summary>Options of every command.</summary>
internal sealed class GlobalOptions
{
    public GlobalOptions() => Url.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var text }] && ParseUrl(text) is null)
        {
            result.AddError($"--url: '{text}' is not an address such as {ApiClient.DefaultUrl}.");
        }
    });

    public Option<bool> Json { get; } = new("--json") { Description = "Print JSON.", Recursive = true };

    public Option<string?> Socket { get; } = new("--socket")
    {
        Description = $"Unix socket of the running appliance [default: {ApiClient.DefaultSocket}].",
        HelpName = "PATH",
        Recursive = true,
    };

    public Option<string?> Url { get; } = new("--url")
    {
        Description = $"Address of the running appliance [default: {ApiClient.DefaultUrl}, if there is no socket].",
        HelpName = "URL",
        Recursive = true,
    };

    public Option<string?> TokenFile { get; } = new("--token-file")
    {
        Description = "File with the token for --url of a remote endpoint.",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<string?> CaFile { get; } = new("--ca-file")
    {
        Description = "PEM file with the certificates to trust for --url, instead of the system's.",
        HelpName = "FILE",
        Recursive = true,
    };

    /// <summary>A client for the appliance that the options name.</summary>
    /// <exception cref="ApiException">A file that they name cannot be used.</exception>
    public ApiClient Client(ParseResult parsed)
    {
        Uri? url = parsed.GetValue(Url) is { } text ? ParseUrl(text) : null;
        if (url is null && (parsed.GetValue(TokenFile) is not null || parsed.GetValue(CaFile) is not null))
        {
            throw new ApiException("--token-file and --ca-file need --url: no token is asked for on this machine.");
        }

        string? token = null;
        if (parsed.GetValue(TokenFile) is { } file && (token = SecretFile.Read("--token-file", file, LongestToken, out string error)) is null)
        {
            throw new ApiException(error);
        }

        return new ApiClient(parsed.GetValue(Socket), url, token, parsed.GetValue(CaFile));
    }

    private const int LongestToken = 256;

    private static Uri? ParseUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" ? url : null;
}
