using System.Net;
using System.Net.Sockets;
using EgressAppliance.Capture;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Host.Replay;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Host;

/// <summary>The commands that run parts of the appliance in this process.</summary>
public sealed class CommandHandlers : ICommandHandlers
{
    /// <inheritdoc/>
    public async Task<int> RunAsync(RunOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        if (await LoadAsync(options.Config, console) is not { } config)
        {
            return ExitCode.Usage;
        }

        using ILoggerFactory loggers = HostLogging.ForService();
        try
        {
            await using Appliance appliance = await Appliance.StartAsync(config, loggers, TimeProvider.System, null, cancellationToken);
            await console.Out.WriteLineAsync($"running{(config.Site.Length == 0 ? "" : " at " + config.Site)}: mode {appliance.Api.State.Status.Mode}, http://127.0.0.1:{appliance.HttpPort}/");
            await appliance.Completion.WaitAsync(cancellationToken);
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
        catch (Exception e) when (e is CaptureException or SocketException or IOException or UnauthorizedAccessException)
        {
            await console.Error.WriteLineAsync($"egress-appliance: {e.Message}");
            return ExitCode.Failed;
        }
    }

    /// <inheritdoc/>
    public Task<int> DemoAsync(DemoOptions options, CommandConsole console, CancellationToken cancellationToken) =>
        Demo.DemoCommand.RunAsync(options, console, cancellationToken);

    /// <inheritdoc/>
    public async Task<int> ReplayAsync(ReplayCommandOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        ApplianceConfig? config = null;
        if (options.Config is not null && (config = await LoadAsync(options.Config, console)) is null)
        {
            return ExitCode.Usage;
        }

        return await ReplayCommand.RunAsync(options, config, console, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<int> SimulateAsync(SimulateCommandOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        if (await LoadDecisionAsync(options.Config, console) is not { } decision)
        {
            return ExitCode.Usage;
        }

        return await new Simulate.SimulateCommand(console).RunAsync(options.Scenarios, decision, options.Seed, options.Json, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<int> PlanAsync(PlanCommandOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        if (await LoadDecisionAsync(options.Config, console) is not { } decision)
        {
            return ExitCode.Usage;
        }

        byte[] bytes;
        try
        {
            using MemoryStream copy = new();
            await using Stream input = options.Snapshot == "-" ? console.OpenInput() : File.OpenRead(options.Snapshot);
            await input.CopyToAsync(copy, cancellationToken);
            bytes = copy.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await console.Error.WriteLineAsync($"plan: {e.Message}");
            return ExitCode.Usage;
        }

        if (!DecisionJson.TryReadSnapshot(bytes, out DecisionSnapshot? snapshot, out IReadOnlyList<string> problems))
        {
            foreach (string problem in problems)
            {
                await console.Error.WriteLineAsync($"{options.Snapshot}: {problem}");
            }

            return ExitCode.Usage;
        }

        snapshot = WithPolicies(snapshot!, decision);
        PlannerOptions planner = SteeringOptions.ForPlanner(decision) with { NoCaps = options.NoCaps };
        long start = TimeProvider.System.GetTimestamp();
        Plan plan = Planner.Plan(snapshot, planner);
        plan = plan with { ElapsedMs = Math.Round(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 3) };
        IReadOnlyList<PlanViolation> violations = PlanValidator.Validate(snapshot, plan, planner);
        foreach (PlanViolation violation in violations)
        {
            await console.Error.WriteLineAsync($"plan rejected: {violation}");
        }

        if (options.Json)
        {
            await console.Out.WriteLineAsync(System.Text.Encoding.UTF8.GetString(DecisionJson.Write(plan, indented: true)));
        }
        else
        {
            PlanView.Write(console, plan);
        }

        return violations.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    /// <inheritdoc/>
    public Task<int> ReplayJournalAsync(ReplayJournalOptions options, CommandConsole console, CancellationToken cancellationToken) =>
        ReplayJournalCommand.RunAsync(options, console, cancellationToken);

    /// <inheritdoc/>
    public Task<int> BgpDecodeAsync(BgpDecodeOptions options, CommandConsole console, CancellationToken cancellationToken) =>
        BgpDecodeCommand.RunAsync(options, console, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SetupCheck>> CheckSetupAsync(ApplianceConfig config, CancellationToken cancellationToken)
    {
        List<SetupCheck> checks = [.. CaptureSetup.Check(config.Capture, CaptureHost.Read())];
        foreach (RouterConfig router in config.Routers.DistinctBy(r => (r.Bgp.LocalAddress, r.Bgp.ListenPort)))
        {
            checks.Add(CheckListen($"bgp {router.Name}", new IPEndPoint(router.Bgp.LocalAddress, router.Bgp.ListenPort)));
        }

        foreach (IPEndPoint listen in config.Flow?.Listen ?? [])
        {
            checks.Add(CheckListen("flow", listen, udp: true));
        }

        checks.Add(CheckListen("http", config.Http.Listen));
        if (config.Http.Remote is { } remote)
        {
            checks.Add(CheckListen("http remote", remote.Listen));
        }

        return Task.FromResult<IReadOnlyList<SetupCheck>>(checks);
    }

    /// <summary>A snapshot that names no policies gets those of the configuration, as far as it tells what they ask for: prefixes and native links.</summary>
    private static DecisionSnapshot WithPolicies(DecisionSnapshot snapshot, DecisionConfig decision)
    {
        PolicyTable policies = new(decision.Policies);
        return policies.Policies.Count == 0 || snapshot.Prefixes.Any(p => p.Policy is not null) ? snapshot : snapshot with
        {
            Prefixes = [.. snapshot.Prefixes.Select(p => p with { Policy = policies.Match(new RouteFacts(p.Prefix, p.Paths is [var native, ..] ? native : null)) })],
        };
    }

    /// <summary>The decision section of a configuration, or its defaults without one; null if the file has errors, which were told.</summary>
    private static async Task<DecisionConfig?> LoadDecisionAsync(string? path, CommandConsole console) =>
        path is null ? new DecisionConfig() : (await LoadAsync(path, console))?.Decision;

    /// <summary>Loads a configuration; prints everything that is wrong with it and returns null if it cannot be used.</summary>
    private static async Task<ApplianceConfig?> LoadAsync(string path, CommandConsole console)
    {
        ConfigResult result = ConfigLoader.Load(path);
        foreach (ConfigError error in result.Errors)
        {
            await console.Error.WriteLineAsync(error.ToString());
        }

        foreach (ConfigWarning warning in result.Warnings)
        {
            await console.Error.WriteLineAsync(warning.ToString());
        }

        return result.Config;
    }

    private static SetupCheck CheckListen(string name, IPEndPoint endPoint, bool udp = false)
    {
        try
        {
            bool ours = endPoint.Port == 0 || IPAddress.IsLoopback(endPoint.Address) || endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any)
                || LocalAddresses.All().Contains(endPoint.Address);
            if (!ours)
            {
                return new SetupCheck(name, false, $"{endPoint.Address} is no address of this machine") { Remedy = "`ip address` lists those that it has" };
            }

            using Socket socket = udp ? new(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp) : new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endPoint);
            return new SetupCheck(name, true, endPoint.Port == 0 ? "does not listen" : $"{endPoint}{(udp ? "/udp" : "")} can be listened on") { Listening = true };
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return new SetupCheck(name, false, $"{endPoint}: {e.Message}") { Listening = true, Remedy = "`ss -lntup` tells what has it" };
        }
    }
}
