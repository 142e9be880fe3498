using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.Cli;

/// <summary>Exit codes of the command.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed: the reason was written to standard error.</summary>
    public const int Failed = 1;

    /// <summary>Bad usage or configuration.</summary>
    public const int Usage = 2;
}

/// <summary><c>run</c></summary>
/// <param name="Config">Configuration file.</param>
public sealed record RunOptions(string Config);

/// <summary><c>demo</c></summary>
/// <param name="Duration">How long; null: until interrupted.</param>
/// <param name="Json">End with one JSON object.</param>
/// <param name="Port">Port of the HTTP endpoint on 127.0.0.1, 0: any free one; null: the default.</param>
public sealed record DemoOptions(TimeSpan? Duration, bool Json, int? Port);

/// <summary>Which IP header of a tunnelled packet is looked up.</summary>
public enum MatchHeader
{
    /// <summary>The outer one, as the router does.</summary>
    Outer,

    /// <summary>The inner one, where the mirror itself is the tunnel.</summary>
    Inner,
}

/// <summary><c>replay</c></summary>
/// <param name="Pcaps">Capture files, at least one, in order.</param>
/// <param name="Ribs">Table files, at least one: MRT TABLE_DUMP_V2 or text lines.</param>
/// <param name="Config">Configuration for links, or null.</param>
/// <param name="PerFile">One result for each file.</param>
/// <param name="Json">JSON instead of tables.</param>
/// <param name="Match">Header that is looked up.</param>
/// <param name="Workers">Workers; null: one a core.</param>
/// <param name="Summary">Leave the prefixes out.</param>
public sealed record ReplayCommandOptions(
    IReadOnlyList<string> Pcaps, IReadOnlyList<string> Ribs, string? Config, bool PerFile, bool Json, MatchHeader Match, int? Workers, bool Summary);

/// <summary><c>plan --snapshot</c></summary>
/// <param name="Snapshot">Snapshot file, or <c>-</c> for standard input.</param>
/// <param name="Config">Configuration whose <c>decision</c> section counts, or null.</param>
/// <param name="NoCaps">Without the caps on moves, overrides and shares.</param>
/// <param name="Json">JSON instead of tables.</param>
public sealed record PlanCommandOptions(string Snapshot, string? Config, bool NoCaps, bool Json);

/// <summary><c>simulate</c></summary>
/// <param name="Scenarios">Files or names of bundled scenarios; empty: all bundled ones.</param>
/// <param name="Config">Configuration whose <c>decision</c> section counts, or null.</param>
/// <param name="Seed">Seed instead of the scenarios' own, or null.</param>
/// <param name="Json">JSON instead of tables.</param>
public sealed record SimulateCommandOptions(IReadOnlyList<string> Scenarios, string? Config, ulong? Seed, bool Json);

/// <summary><c>replay-journal</c></summary>
/// <param name="Paths">Journal files and folders of them, at least one, in order.</param>
/// <param name="Json">JSON instead of text.</param>
public sealed record ReplayJournalOptions(IReadOnlyList<string> Paths, bool Json);

/// <summary><c>bgp decode</c></summary>
/// <param name="File">File of messages, or <c>-</c> for standard input.</param>
/// <param name="As2">AS numbers have two octets (RFC 6793 was not negotiated).</param>
/// <param name="AddPath">NLRI bear path identifiers (RFC 7911).</param>
/// <param name="Hex">Hexadecimal text, one message a line.</param>
public sealed record BgpDecodeOptions(string File, bool As2, bool AddPath, bool Hex)
{
    /// <summary>The sender is in another AS: what only iBGP may carry is discarded.</summary>
    public bool Ebgp { get; init; }

    /// <summary>IPv4 routes may have IPv6 next hops (RFC 8950).</summary>
    public bool ExtendedNextHop { get; init; }

    /// <summary>MRT instead of messages.</summary>
    public bool Mrt { get; init; }

    /// <summary>BMP messages, of one router (RFC 7854).</summary>
    public bool Bmp { get; init; }
}

/// <summary>One thing that <c>check --setup</c> tried.</summary>
/// <param name="Name">What was tried: <c>capture mir0</c>.</param>
/// <param name="Passed">Whether it worked.</param>
/// <param name="Detail">What was found, or why it failed and what to do.</param>
public sealed record SetupCheck(string Name, bool Passed, string Detail)
{
    /// <summary>It passed, but the operator should look at it.</summary>
    public bool Warning { get; init; }

    /// <summary>It tried to listen on an address, which cannot succeed while the appliance runs.</summary>
    public bool Listening { get; init; }

    /// <summary>The key it is about, with indices: <c>capture.sources[0].ring</c>; null if none.</summary>
    public string? Key { get; init; }

    /// <summary>What to do about it, or null.</summary>
    public string? Remedy { get; init; }

    /// <summary>Line of the key in the configuration file, from 1; the section's if the key is not given.</summary>
    public int? Line { get; init; }

    /// <summary>Column, from 1.</summary>
    public int? Column { get; init; }
}

/// <summary>The commands that need more of the appliance than its configuration and its HTTP endpoint. Each returns an <see cref="ExitCode"/>.</summary>
public interface ICommandHandlers
{
    /// <summary>Runs the appliance until cancelled.</summary>
    Task<int> RunAsync(RunOptions options, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Runs the demo.</summary>
    Task<int> DemoAsync(DemoOptions options, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Counts capture files against a table.</summary>
    Task<int> ReplayAsync(ReplayCommandOptions options, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Runs the decision maker once over a snapshot.</summary>
    Task<int> PlanAsync(PlanCommandOptions options, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Runs scenarios in virtual time.</summary>
    Task<int> SimulateAsync(SimulateCommandOptions options, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Makes the decisions of a journal again and compares them.</summary>
    Task<int> ReplayJournalAsync(ReplayJournalOptions options, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Decodes BGP messages.</summary>
    Task<int> BgpDecodeAsync(BgpDecodeOptions options, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Tries what a configuration needs of this machine (interfaces, filters, listening sockets) and announces nothing.</summary>
    Task<IReadOnlyList<SetupCheck>> CheckSetupAsync(ApplianceConfig config, CancellationToken cancellationToken);
}
