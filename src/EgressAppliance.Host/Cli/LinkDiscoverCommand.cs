using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Cli;

/// <summary>What <c>links discover --json</c> prints.</summary>
/// <param name="Agent">Address and port asked.</param>
/// <param name="Links">The links, in the order of the command line.</param>
/// <param name="Error">Why the router could not be asked; null if it could.</param>
public sealed record LinkDiscoverReport(string Agent, IReadOnlyList<DiscoveredLink> Links, string? Error);

/// <summary>A link that was looked for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="NextHops">The provider's addresses.</param>
/// <param name="Interface">ifName; null if not found.</param>
/// <param name="Mac">The provider's MAC address; null if not found.</param>
/// <param name="CapacityBps">ifHighSpeed, bit/s; null if the router does not tell.</param>
/// <param name="OperStatus">ifOperStatus.</param>
/// <param name="Problems">What is missing or in doubt, and what to do.</param>
public sealed record DiscoveredLink(
    string Name, IReadOnlyList<string> NextHops, string? Interface, string? Mac, long? CapacityBps, string OperStatus, IReadOnlyList<string> Problems);

/// <summary><c>links discover</c></summary>
/// <param name="Config">Configuration file of the router.</param>
/// <param name="Router">Name of the router.</param>
/// <param name="Host">Address to ask instead of a router of the configuration, or null.</param>
/// <param name="Snmp">How the host is asked.</param>
/// <param name="Wishes">What to look for.</param>
/// <param name="Json">JSON instead of YAML.</param>
internal sealed record LinkDiscoverOptions(string Config, string Router, IPAddress? Host, SnmpConfig? Snmp, IReadOnlyList<LinkWish> Wishes, bool Json);

/// <summary><c>links discover</c>: from a provider's name and next hops to the link's configuration.</summary>
internal sealed class LinkDiscoverCommand(CommandConsole console)
{
    public async Task<int> RunAsync(LinkDiscoverOptions options, CancellationToken cancellationToken)
    {
        (IPAddress? address, SnmpConfig? snmp) = options.Host is null
            ? await SnmpWalkCommand.FindAsync(console, options.Config, options.Router)
            : (options.Host, options.Snmp);
        if (address is null || snmp is null)
        {
            return ExitCode.Usage;
        }

        (IReadOnlyList<FoundLink> links, string? error) = await AskAsync(address, snmp, options.Wishes, cancellationToken);
        if (options.Json)
        {
            LinkDiscoverReport report = new(new IPEndPoint(address, snmp.Port).ToString(), [.. links.Select(ToReport)], error);
            await console.Out.WriteLineAsync(JsonSerializer.Serialize(report, CliJson.Default.LinkDiscoverReport));
        }
        else if (error is null)
        {
            await console.Out.WriteLineAsync("links:");
            foreach (FoundLink link in links)
            {
                await WriteAsync(link, options.Router);
            }
        }

        if (error is not null)
        {
            await console.Error.WriteLineAsync("egress-appliance: " + Human.Clean(error));
        }

        return error is null && links.All(l => l.Problems.Count == 0) ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<(IReadOnlyList<FoundLink> Links, string? Error)> AskAsync(
        IPAddress address, SnmpConfig snmp, IReadOnlyList<LinkWish> wishes, CancellationToken cancellationToken)
    {
        SnmpCredentials credentials = SnmpAccess.Credentials(snmp);
        using IDisposable? keys = credentials as IDisposable;
        try
        {
            await using SnmpClient client = SnmpAccess.Open(address, snmp.Port, credentials, TimeSpan.FromSeconds(2), TimeProvider.System);
            return await LinkDiscovery.FindAsync(client, wishes, cancellationToken);
        }
        catch (SocketException e)
        {
            return ([], "no socket: " + e.Message);
        }
    }

    private async Task WriteAsync(FoundLink link, string router)
    {
        foreach (string problem in link.Problems)
        {
            await console.Out.WriteLineAsync($"  # {link.Wish.Name}: {Human.Clean(problem)}");
        }

        // A link that is not whole is no link yet: it stands there as a comment, to be completed.
        string start = link is { Interface: not null, Mac: not null } ? "  " : "  # ";
        await console.Out.WriteLineAsync($"{start}- name: {link.Wish.Name}");
        await console.Out.WriteLineAsync($"{start}  router: {router}");
        await console.Out.WriteLineAsync($"{start}  interface: {Quoted(link.Interface ?? "")}");
        await console.Out.WriteLineAsync($"{start}  next_hops: [{string.Join(", ", link.Wish.NextHops.Select(h => Quoted(h.ToString())))}]");
        await console.Out.WriteLineAsync($"{start}  match: {{ mac: {Quoted(link.Mac?.ToString() ?? "")} }}");
        string speed = link.CapacityBps is { } bps ? Human.Rate(bps) : "unknown";
        await console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{start}  capacity: auto  # {speed}, {link.OperStatus}"));
    }

    /// <summary>A YAML scalar in double quotes, which are those of JSON.</summary>
    private static string Quoted(string text) => JsonSerializer.Serialize(text, CliJson.Default.String);

    private static DiscoveredLink ToReport(FoundLink link) => new(
        link.Wish.Name, [.. link.Wish.NextHops.Select(h => h.ToString())], link.Interface, link.Mac?.ToString(), link.CapacityBps, link.OperStatus.ToString(), link.Problems);
}
