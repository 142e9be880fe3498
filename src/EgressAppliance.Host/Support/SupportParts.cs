using System.Globalization;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using System.Text;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;

namespace EgressAppliance.Host.Support;

/// <summary>What goes into a support bundle, and where each part comes from.</summary>
/// <param name="configPath">The configuration file.</param>
/// <param name="config">What came of loading it.</param>
/// <param name="client">Asks the running appliance.</param>
/// <param name="hours">How far back the log goes.</param>
/// <param name="command">Runs another command of this program and gives what it prints.</param>
/// <param name="time">The clock.</param>
internal sealed class SupportParts(
    string configPath, ConfigResult config, ApiClient client, int hours, Func<string[], CancellationToken, Task<string>> command, TimeProvider time)
{
    private const int LogLines = 100_000;
    private static readonly TimeSpan ToolPatience = TimeSpan.FromSeconds(60);

    private string? _silent;

    /// <summary>Where the configuration puts what is kept, in spite of errors elsewhere in it.</summary>
    private HistoryConfig History
    {
        get
        {
            string? path = config.Partial?.Section("history") is { } section && section.TryGet("path", out string given) ? given : null;
            string folder = Path.GetDirectoryName(Path.GetFullPath(path ?? "/var/lib/egress-appliance/history.db", Path.GetDirectoryName(Path.GetFullPath(configPath))!))!;
            return new HistoryConfig { AuditFile = Path.Combine(folder, "audit.jsonl"), JournalFolder = Path.Combine(folder, "journal") };
        }
    }

    /// <summary>True once the appliance has answered.</summary>
    public bool Running { get; private set; }

    /// <summary>All parts: first what says most.</summary>
    public IReadOnlyList<SupportPart> All() =>
    [
        new("versions.txt", "versions of the appliance, the runtime and the system, and the network interfaces", _ => Task.FromResult(Versions())),
        new("doctor.txt", "what `doctor` says", c => command(["doctor", "--config", configPath], c)),
        new("check.txt", "what `check` says of the configuration", c => command(["check", configPath], c)),
        new("config/appliance.yaml", "the configuration on disk, without comments and secrets", ConfigAsync),
        new("config/in-force.json", "the configuration in force", c => ApiAsync("config", c)),
        new("status.json", "mode, verdict, health, capture and sessions", c => ApiAsync("status", c)),
        new("links.json", "load and limits of every link", c => ApiAsync("links", c)),
        new("overrides.json", "overrides in force and why", c => ApiAsync("overrides", c)),
        new("decisions.json", "the latest thousand cycles with their plans", c => ApiAsync("decisions?limit=1000", c)) { Limit = 16 << 20 },
        new("prefixes.json", "the thousand largest prefixes", c => ApiAsync("prefixes?top=1000", c)),
        new("bgp.json", "the sessions with the routers", c => ApiAsync("bgp", c)),
        new("cost.json", "the billing months", c => ApiAsync("cost", c)),
        new("history.json", "state of the history", c => ApiAsync("history/status", c)),
        new("metrics.txt", "all metrics", c => ApiAsync("../../metrics", c)),
        new("audit.jsonl", "end of the audit log", AuditAsync) { Limit = 1 << 20, KeepEnd = true },
        new("files.txt", "the files of the appliance with their sizes", _ => Task.FromResult(Files())),
        new("log.txt", string.Create(CultureInfo.InvariantCulture, $"the log of the last {hours} h"), LogAsync) { Limit = 16 << 20, KeepEnd = true },
    ];

    /// <summary>The last part of a file that grows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Most octets of it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    internal static async Task<string> TailAsync(string path, int bytes, CancellationToken cancellationToken)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long skip = Math.Max(0, file.Length - bytes);
        file.Seek(skip, SeekOrigin.Begin);
        byte[] content = new byte[(int)Math.Min(bytes, file.Length)];
        int length = await file.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, cancellationToken);
        string text = Encoding.UTF8.GetString(content, 0, length);
        return skip > 0 && text.Contains('\n', StringComparison.Ordinal) ? text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..] : text;
    }

    private async Task<string> ApiAsync(string path, CancellationToken cancellationToken)
    {
        // An appliance that hangs must not be waited for once more for each part.
        if (_silent is not null)
        {
            throw new SupportPartException(_silent);
        }

        try
        {
            string text = await client.GetTextAsync(path, cancellationToken);
            Running = true;
            return text;
        }
        catch (ApiException e) when (!Running)
        {
            _silent = e.Message;
            throw;
        }
    }

    private async Task<string> ConfigAsync(CancellationToken cancellationToken)
    {
        // The loader refuses longer ones.
        string text = await TailAsync(configPath, (1 << 20) + 1, cancellationToken);
        return SecretFilter.CleanConfig(text);
    }

    private async Task<string> AuditAsync(CancellationToken cancellationToken)
    {
        RefuseUnfiltered();
        string path = History.AuditFile;
        return File.Exists(path) ? await TailAsync(path, 2 << 20, cancellationToken) : throw new SupportPartException($"there is no file {path}");
    }

    private async Task<string> LogAsync(CancellationToken cancellationToken)
    {
        RefuseUnfiltered();
        string since = time.GetUtcNow().AddHours(-hours).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        string text = await Tool.RunAsync(
            "journalctl", ["--unit=egress-appliance", "--since=" + since, "--lines=" + LogLines.ToString(CultureInfo.InvariantCulture), "--output=short-iso", "--no-pager", "--quiet"],
            ToolPatience, cancellationToken);
        return text.Length > 0 ? text : throw new SupportPartException($"the journal has nothing of the unit egress-appliance since {since}");
    }

    /// <summary>Free text is not for a bundle where nobody can tell what in it is secret.</summary>
    private void RefuseUnfiltered()
    {
        if (config.Partial is null && File.Exists(configPath))
        {
            throw new SupportPartException($"left out: {configPath} cannot be read as YAML, so that its secrets are not known and might stand here");
        }
    }

    private string Files()
    {
        HistoryConfig history = History;
        StringBuilder text = new();
        foreach (string folder in new[] { Path.GetDirectoryName(Path.GetFullPath(configPath))!, Path.GetDirectoryName(history.AuditFile)!, history.JournalFolder }.Distinct(StringComparer.Ordinal))
        {
            text.Append(folder).Append(":\n");
            if (!Directory.Exists(folder))
            {
                text.Append("  is not there\n");
                continue;
            }

            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles().OrderBy(f => f.Name, StringComparer.Ordinal).Take(1000))
            {
                text.Append(CultureInfo.InvariantCulture, $"  {file.Length,14} {file.LastWriteTimeUtc:yyyy-MM-dd HH:mm:ss}Z {(OperatingSystem.IsWindows() ? "" : file.UnixFileMode)} {file.Name}\n");
            }

            DriveInfo disk = new(folder);
            text.Append(CultureInfo.InvariantCulture, $"  {disk.AvailableFreeSpace} of {disk.TotalSize} octets free\n");
        }

        return text.ToString();
    }

    private static string Versions()
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"egress-appliance {StateBuilder.Version} {ProcessMetrics.Revision}\n");
        text.Append(CultureInfo.InvariantCulture, $"runtime          {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}\n");
        text.Append(CultureInfo.InvariantCulture, $"system           {RuntimeInformation.OSDescription}\n");
        text.Append(CultureInfo.InvariantCulture, $"kernel           {Line("/proc/sys/kernel/osrelease")}\n");
        text.Append(CultureInfo.InvariantCulture, $"processors       {Environment.ProcessorCount}\n");
        text.Append(CultureInfo.InvariantCulture, $"memory           {Line("/proc/meminfo")}\n");
        text.Append(CultureInfo.InvariantCulture, $"load             {Line("/proc/loadavg")}\n");
        text.Append(CultureInfo.InvariantCulture, $"boot arguments   {Line("/proc/cmdline")}\n\n");
        foreach (NetworkInterface port in NetworkInterface.GetAllNetworkInterfaces().OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            string device = $"/sys/class/net/{port.Name}/device";
            string driver = Directory.Exists(device + "/driver") ? new DirectoryInfo(device + "/driver").ResolveLinkTarget(returnFinalTarget: true)?.Name ?? "-" : "none";
            text.Append(CultureInfo.InvariantCulture, $"{port.Name,-16} {port.OperationalStatus}, driver {driver} {Line(device + "/driver/module/version")}, mtu {Line($"/sys/class/net/{port.Name}/mtu")}, ");
            text.Append(CultureInfo.InvariantCulture, $"speed {Line($"/sys/class/net/{port.Name}/speed")} Mbit/s, received {Line($"/sys/class/net/{port.Name}/statistics/rx_packets")} packets, ");
            text.Append(CultureInfo.InvariantCulture, $"dropped {Line($"/sys/class/net/{port.Name}/statistics/rx_dropped")}, missed {Line($"/sys/class/net/{port.Name}/statistics/rx_missed_errors")}\n");
        }

        return text.ToString();
    }

    /// <summary>The first line of a file; "-" where there is none. Drivers refuse to answer what they do not know.</summary>
    private static string Line(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault("-");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "-";
        }
    }
}
