using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EgressAppliance.Host.Http;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Cli;

/// <summary>The commands that look at or steer a running appliance.</summary>
internal sealed class ApiCommands(CommandConsole console, GlobalOptions global)
{
    public IEnumerable<Command> Build() => [Show(), new TopCommand(console, global).Build(), Explain(), Override(), Mode(), WithdrawAll()];

    /// <summary><c>show plan</c>, and <c>plan</c> without a snapshot.</summary>
    public Task<int> ShowPlanAsync(ParseResult parsed, CancellationToken cancellation) =>
        ShowAsync(parsed, "plan", ApiClient.Json.DecisionDto, Views.Plan, cancellation);

    /// <summary><c>bgp dump</c></summary>
    public Command Dump()
    {
        Argument<string> file = new("FILE") { Description = "Where to write it; compressed by gzip if the name ends in .gz." };
        Command command = new("dump", "Write the running appliance's routing table as an MRT file (TABLE_DUMP_V2).") { file };
        command.SetAction(async (parsed, cancellation) =>
        {
            string path = parsed.GetRequiredValue(file);
            using ApiClient client = global.Client(parsed);
            try
            {
                await RibDumpFile.WriteAsync(client, path, cancellation);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ApiException($"{path}: {e.Message}", e);
            }

            return await DoneAsync(parsed, new DumpReport(path), CliJson.Default.DumpReport, $"{path}: written.");
        });
        return command;
    }

    /// <summary><c>bgp refresh</c>.</summary>
    public Command Refresh()
    {
        Argument<string> router = new("ROUTER") { Description = "The router's name in the configuration." };
        Command command = new("refresh", "Ask a router of the running appliance to send all its routes anew.") { router };
        command.SetAction(async (parsed, cancellation) =>
        {
            using ApiClient client = global.Client(parsed);
            await client.RefreshRoutesAsync(parsed.GetRequiredValue(router), cancellation);
            return ExitCode.Done;
        });
        return command;
    }

    private static Argument<string> PrefixArgument(bool orAddress)
    {
        Argument<string> prefix = new("PREFIX") { Description = orAddress ? "A prefix or an address." : "A prefix, exactly as the router has it." };
        prefix.Validators.Add(result =>
        {
            string text = result.Tokens is [{ Value: var value }] ? value : "";
            if (!IpPrefix.TryParse(text, out _) && !(orAddress && IpAddr.TryParse(text, out _)))
            {
                result.AddError($"'{text}' is not a prefix{(orAddress ? " or an address" : "")}; write it like 203.0.113.0/24, host bits zero.");
            }
        });
        return prefix;
    }

    private Command Show()
    {
        Command show = new("show", "Look at the running appliance.")
        {
            View("status", "Mode, health, sessions and traffic.", "status", ApiClient.Json.StatusDto, Views.Status),
            View("links", "Load and limits of every link.", "links", ApiClient.Json.IReadOnlyListLinkDto, Views.Links),
            Prefixes(),
            View("overrides", "What is announced, and why.", "overrides", ApiClient.Json.IReadOnlyListOverrideDto, Views.Overrides),
            View("plan", "The plan of the latest cycle.", "plan", ApiClient.Json.DecisionDto, Views.Plan),
            Latest("decisions", "The latest cycles, newest first.", ApiClient.Json.IReadOnlyListDecisionDto, Views.Decisions),
            Bgp(),
            Rib(),
            View("cluster", "The boxes of the site: who leads, who is heard.", "cluster", ApiClient.Json.ClusterDto, ClusterViews.Write),
            View("cost", "The billing months, and what cost mode makes of them.", "cost", ApiClient.Json.CostDto, CostViews.Write),
            Latest("audit", "Who changed what, newest first.", ApiClient.Json.IReadOnlyListAuditEntryDto, AuditViews.Write),
            View("config", "The configuration in force, defaults included.", "config", ApiClient.Json.ConfigDto, AuditViews.Write),
            View("capture", "Where every frame ended, and what to do about loss.", "capture", ApiClient.Json.CaptureDto, CaptureViews.Write),
        };
        return show;
    }

    private Command View<T>(string name, string description, string path, JsonTypeInfo<T> type, Action<T, CommandConsole> view)
    {
        Command command = new(name, description);
        command.SetAction((parsed, cancellation) => ShowAsync(parsed, path, type, view, cancellation));
        return command;
    }

    private Command Bgp()
    {
        Argument<string?> router = new("ROUTER") { Description = "The router's name in the configuration, for all that is known of its session.", Arity = ArgumentArity.ZeroOrOne };
        Command command = new("bgp", "The sessions with the routers, or one of them in full.") { router };
        command.SetAction((parsed, cancellation) => parsed.GetValue(router) is { } name
            ? ShowAsync(parsed, "bgp?router=" + Uri.EscapeDataString(name), ApiClient.Json.IReadOnlyListBgpPeerDto, BgpViews.Detail, cancellation)
            : ShowAsync(parsed, "bgp", ApiClient.Json.IReadOnlyListBgpPeerDto, BgpViews.List, cancellation));
        return command;
    }

    private Command Prefixes()
    {
        Option<int> top = new("--top") { Description = "How many.", HelpName = "N", DefaultValueFactory = _ => 20 };
        top.Validators.Add(result => CommandLine.Between(result, 1, 10_000));
        Option<string?> link = new("--link") { Description = "Only those that leave by this link.", HelpName = "LINK" };
        Command command = new("prefixes", "The largest prefixes by rate.") { top, link };
        command.SetAction((parsed, cancellation) => ShowAsync(
            parsed,
            "prefixes?top=" + parsed.GetValue(top).ToString(CultureInfo.InvariantCulture)
                + (parsed.GetValue(link) is { } name ? "&link=" + Uri.EscapeDataString(name) : ""),
            ApiClient.Json.IReadOnlyListPrefixDto, Views.Prefixes, cancellation));
        return command;
    }

    private Command Latest<T>(string name, string description, JsonTypeInfo<T> type, Action<T, CommandConsole> view)
    {
        Option<int> limit = new("--limit") { Description = "How many.", HelpName = "N", DefaultValueFactory = _ => 20 };
        limit.Validators.Add(result => CommandLine.Between(result, 1, 1000));
        Command command = new(name, description) { limit };
        command.SetAction((parsed, cancellation) => ShowAsync(
            parsed, $"{name}?limit={parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)}", type, view, cancellation));
        return command;
    }

    private Command Rib() => ByPrefix("rib", "All paths of a prefix, and why each but the best is not.", "bgp/rib", ApiClient.Json.RibDto, Views.Rib);

    private Command Explain() => ByPrefix("explain", "Why a prefix goes where it goes.", "explain", ApiClient.Json.ExplainDto, Views.Explain);

    private Command ByPrefix<T>(string name, string description, string path, JsonTypeInfo<T> type, Action<T, CommandConsole> view)
    {
        Argument<string> prefix = PrefixArgument(orAddress: true);
        Command command = new(name, description) { prefix };
        command.SetAction((parsed, cancellation) => ShowAsync(
            parsed, $"{path}?prefix={Uri.EscapeDataString(parsed.GetRequiredValue(prefix))}", type, view, cancellation));
        return command;
    }

    private Command Override()
    {
        Argument<string> addPrefix = PrefixArgument(orAddress: false);
        Argument<string> link = new("LINK") { Description = "The link to send it by." };
        Command add = new("add", "Send a prefix by a link of your choice.") { addPrefix, link };
        add.SetAction(async (parsed, cancellation) =>
        {
            using ApiClient client = global.Client(parsed);
            OverrideRequestDto request = new(parsed.GetRequiredValue(addPrefix), parsed.GetRequiredValue(link));
            await client.AddOverrideAsync(request.Prefix, request.Link, cancellation);
            return await DoneAsync(
                parsed, request, ApiJson.Default.OverrideRequestDto, $"{request.Prefix}: override by {request.Link} accepted; `show overrides` tells its state.");
        });

        Argument<string> releasePrefix = PrefixArgument(orAddress: false);
        Command release = new("release", "Give a prefix back to plain BGP.") { releasePrefix };
        release.SetAction(async (parsed, cancellation) =>
        {
            using ApiClient client = global.Client(parsed);
            string prefix = parsed.GetRequiredValue(releasePrefix);
            await client.ReleaseOverrideAsync(prefix, cancellation);
            return await DoneAsync(parsed, new ReleasedReport(prefix), CliJson.Default.ReleasedReport, $"{prefix}: released.");
        });
        return new Command("override", "Make or end an override by hand.") { add, release };
    }

    private Command Mode()
    {
        Argument<string?> mode = new("MODE") { Description = "observe or inject; without it, the mode is shown.", Arity = ArgumentArity.ZeroOrOne };
        mode.AcceptOnlyFromAmong("observe", "inject");
        Command command = new("mode", "Show or set the mode: observe computes and shows, inject announces.") { mode };
        command.SetAction(async (parsed, cancellation) =>
        {
            using ApiClient client = global.Client(parsed);
            string now = parsed.GetValue(mode) is { } wanted
                ? (await client.SetModeAsync(wanted, cancellation)).Mode
                : (await client.GetAsync("status", ApiClient.Json.StatusDto, cancellation)).Mode;
            return await DoneAsync(parsed, new ModeDto(now), ApiJson.Default.ModeDto, Human.Clean(now));
        });
        return command;
    }

    private Command WithdrawAll()
    {
        Command command = new("withdraw-all", "The red button: take every override back at once and go to observe.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using ApiClient client = global.Client(parsed);
            WithdrawAllDto answer = await client.WithdrawAllAsync(cancellation);
            string count = $"{answer.Withdrawn.ToString(CultureInfo.InvariantCulture)} override{(answer.Withdrawn == 1 ? "" : "s")}";
            return await DoneAsync(
                parsed, answer, ApiJson.Default.WithdrawAllDto, answer.Detail is { } detail ? Human.Clean(detail) : $"{count} withdrawn; the mode is observe. `mode inject` resumes.");
        });
        return command;
    }

    private async Task<int> DoneAsync<T>(ParseResult parsed, T document, JsonTypeInfo<T> type, string text)
    {
        await console.Out.WriteLineAsync(parsed.GetValue(global.Json) ? JsonSerializer.Serialize(document, type) : text);
        return ExitCode.Done;
    }

    private async Task<int> ShowAsync<T>(
        ParseResult parsed, string path, JsonTypeInfo<T> type, Action<T, CommandConsole> view, CancellationToken cancellation)
    {
        using ApiClient client = global.Client(parsed);
        if (parsed.GetValue(global.Json))
        {
            // As sent, so that fields which this version does not know are there, too.
            await console.Out.WriteLineAsync((await client.GetTextAsync(path, cancellation)).TrimEnd());
        }
        else
        {
            view(await client.GetAsync(path, type, cancellation), console);
        }

        return ExitCode.Done;
    }
}
