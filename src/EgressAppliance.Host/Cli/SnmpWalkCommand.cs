using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Cli;

/// <summary>What <c>snmp walk --json</c> prints.</summary>
/// <param name="Agent">Address and port asked.</param>
/// <param name="Variables">What was read, in order.</param>
/// <param name="Error">Why it is not all; null if it is.</param>
public sealed record SnmpWalkReport(string Agent, IReadOnlyList<SnmpVariable> Variables, string? Error);

/// <summary>A variable that was read.</summary>
/// <param name="Name">Object identifier.</param>
/// <param name="Type">Type, as <see cref="SnmpValueKind"/> names it.</param>
/// <param name="Value">Value; octets that are no printable ASCII in hexadecimal.</param>
public sealed record SnmpVariable(string Name, string Type, string Value);

/// <summary><c>snmp walk</c></summary>
/// <param name="Config">Configuration file of the router.</param>
/// <param name="Router">Name of the router in the configuration; null with <paramref name="Host"/>.</param>
/// <param name="Host">Address to ask instead, or null.</param>
/// <param name="Snmp">How the host is asked.</param>
/// <param name="Root">What to read.</param>
/// <param name="Json">JSON instead of lines.</param>
internal sealed record SnmpWalkOptions(string Config, string? Router, IPAddress? Host, SnmpConfig? Snmp, ObjectIdentifier Root, bool Json);

/// <summary><c>snmp walk</c>: shows what the appliance can read of a router, the way it reads it.</summary>
internal sealed class SnmpWalkCommand(CommandConsole console)
{
    private const int MostVariables = 1_000_000;

    public async Task<int> RunAsync(SnmpWalkOptions options, CancellationToken cancellationToken)
    {
        if (options.Host is { } host && options.Snmp is { } given)
        {
            return await WalkAsync(host, given, options, cancellationToken);
        }

        return await FindAsync(console, options.Config, options.Router) is ({ } address, { } snmp)
            ? await WalkAsync(address, snmp, options, cancellationToken)
            : ExitCode.Usage;
    }

    /// <summary>The router of a configuration file that a command names; nothing, after saying why, if it cannot be asked.</summary>
    public static async Task<(IPAddress? Address, SnmpConfig? Snmp)> FindAsync(CommandConsole console, string path, string? name)
    {
        ConfigResult result = ConfigLoader.Load(path);
        if (result.Config is not { } config)
        {
            foreach (ConfigError error in result.Errors)
            {
                await console.Error.WriteLineAsync(error.ToString());
            }

            return default;
        }

        RouterConfig? router = config.Routers.FirstOrDefault(r => r.Name == name);
        if (router?.Snmp is not { } snmp)
        {
            await console.Error.WriteLineAsync(router is null
                ? $"egress-appliance: there is no router '{name}' in {path}; known: {string.Join(", ", config.Routers.Select(r => r.Name))}"
                : $"egress-appliance: {router.Name} has no snmp section in {path}");
            return default;
        }

        return (router.Address, snmp);
    }

    private async Task<int> WalkAsync(IPAddress address, SnmpConfig snmp, SnmpWalkOptions options, CancellationToken cancellationToken)
    {
        SnmpResult walk;
        SnmpCredentials credentials = SnmpAccess.Credentials(snmp);
        using IDisposable? keys = credentials as IDisposable;
        try
        {
            await using SnmpClient client = SnmpAccess.Open(address, snmp.Port, credentials, TimeSpan.FromSeconds(2), TimeProvider.System);
            walk = await client.WalkAsync(options.Root, MostVariables, cancel: cancellationToken);
            if (walk is { IsOk: true, Bindings.Count: 0 })
            {
                // A single variable is not below itself.
                SnmpResult single = await client.GetAsync([options.Root], cancellationToken);
                walk = single.IsOk && !single.Bindings[0].Value.IsException ? single : walk;
            }
        }
        catch (SocketException e)
        {
            walk = new SnmpResult { Outcome = SnmpOutcome.NetworkError, Message = "no socket: " + e.Message };
        }

        string? error = !walk.IsOk ? walk.Message : walk.Bindings.Count == 0 ? $"there is nothing below {options.Root}: the agent has no such object, or the view hides it" : null;
        if (options.Json)
        {
            SnmpWalkReport report = new(new IPEndPoint(address, snmp.Port).ToString(), [.. walk.Bindings.Select(ToVariable)], error);
            await console.Out.WriteLineAsync(JsonSerializer.Serialize(report, CliJson.Default.SnmpWalkReport));
        }
        else
        {
            foreach (VarBind binding in walk.Bindings)
            {
                await console.Out.WriteLineAsync(binding.ToString());
            }
        }

        if (error is not null)
        {
            await console.Error.WriteLineAsync("egress-appliance: " + Human.Clean(error));
        }

        return error is null ? ExitCode.Done : ExitCode.Failed;
    }

    private static SnmpVariable ToVariable(VarBind binding)
    {
        string type = binding.Value.Kind.ToString();
        string shown = binding.Value.ToString();
        return new SnmpVariable(binding.Name.ToString(), type, shown.Length > type.Length ? shown[(type.Length + 1)..].Trim('"') : "");
    }
}
