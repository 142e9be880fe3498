using System.Diagnostics;
using System.Globalization;

namespace EgressAppliance.Host.Doctor;

/// <summary>What the kernel and the NIC's driver say of an interface beyond <see cref="Pipeline.InterfaceReading"/>.</summary>
/// <param name="Name">The interface.</param>
/// <param name="ReceiveQueues">Receive queues (RSS); 0 if not known.</param>
/// <param name="SpeedMbps">Speed, Mbit/s; 0 if not known.</param>
/// <param name="NumaNode">The node of memory and CPUs it is attached to, or -1.</param>
/// <param name="RingSize">Receive descriptors in use; null if the driver does not say.</param>
/// <param name="RingMaximum">Most receive descriptors; null if the driver does not say.</param>
public sealed record NicFacts(string Name, int ReceiveQueues, int SpeedMbps, int NumaNode, int? RingSize, int? RingMaximum);

/// <summary>What of a machine decides whether the appliance runs well on it. Read from /proc and /sys (proc(5), sysfs-class-net) and by two tools that every distribution has.</summary>
public sealed record MachineFacts
{
    private static readonly TimeSpan ToolPatience = TimeSpan.FromSeconds(3);

    /// <summary>Release of the kernel, as <c>uname -r</c>.</summary>
    public string Kernel { get; init; } = "";

    /// <summary>Effective capabilities, a bit each (capabilities(7)).</summary>
    public ulong Capabilities { get; init; }

    /// <summary>Most memory that may be locked, bytes; <see cref="long.MaxValue"/> for any, 0 if not known.</summary>
    public long LockableMemory { get; init; }

    /// <summary>Frequency governors of the CPUs; empty where there are none, as in virtual machines.</summary>
    public IReadOnlyList<string> Governors { get; init; } = [];

    /// <summary>Whether the clock is kept by a time server; null if not known.</summary>
    public bool? ClockSynchronized { get; init; }

    /// <summary>CPUs of a memory node, such as <c>0-7,16-23</c>.</summary>
    public Func<int, string> CpusOfNode { get; init; } = _ => "";

    /// <summary>Reads an interface; null if there is none of that name.</summary>
    public Func<string, NicFacts?> Nic { get; init; } = _ => null;

    /// <summary>Free and total bytes of the file system that a path is on, and whether a file can be made there; null if that cannot be told.</summary>
    public Func<string, (long Free, long Total, string? Unwritable)?> Disk { get; init; } = _ => null;

    /// <summary>This machine.</summary>
    public static MachineFacts Read(string proc = "/proc", string sys = "/sys") => new()
    {
        Kernel = Text(Path.Combine(proc, "sys/kernel/osrelease")),
        Capabilities = ParseCapabilities(Text(Path.Combine(proc, "self/status"))),
        LockableMemory = ParseLockable(Text(Path.Combine(proc, "self/limits"))),
        Governors = ReadGovernors(Path.Combine(sys, "devices/system/cpu")),
        ClockSynchronized = Tool("timedatectl", "show", "-p", "NTPSynchronized", "--value").Trim() switch { "yes" => true, "no" => false, _ => null },
        CpusOfNode = node => Text(Path.Combine(sys, $"devices/system/node/node{node}/cpulist")),
        Nic = name => ReadNic(Path.Combine(sys, "class/net"), name),
        Disk = ReadDisk,
    };

    /// <summary>The line CapEff of /proc/PID/status.</summary>
    public static ulong ParseCapabilities(string status) =>
        Field(status, "CapEff:") is { } hex && ulong.TryParse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong mask) ? mask : 0;

    /// <summary>The soft limit of the line "Max locked memory" of /proc/PID/limits.</summary>
    public static long ParseLockable(string limits) => Field(limits, "Max locked memory") switch
    {
        "unlimited" => long.MaxValue,
        { } text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) => bytes,
        _ => 0,
    };

    /// <summary>Receive descriptors, present and most, of what <c>ethtool -g</c> prints.</summary>
    public static (int? Now, int? Most) ParseRing(string text)
    {
        List<int?> values = [];
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith("RX:", StringComparison.Ordinal))
            {
                values.Add(int.TryParse(line.AsSpan(3).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : null);
            }
        }

        // First under "Pre-set maximums", then under "Current hardware settings".
        return values.Count == 2 ? (values[1], values[0]) : (null, null);
    }

    private static NicFacts? ReadNic(string root, string name)
    {
        string folder = Path.Combine(root, name);
        if (name.Length == 0 || !Directory.Exists(folder))
        {
            return null;
        }

        (int? now, int? most) = ParseRing(Tool("ethtool", "-g", name));
        string queues = Path.Combine(folder, "queues");
        return new NicFacts(
            name, Directory.Exists(queues) ? Directory.GetDirectories(queues, "rx-*").Length : 0, Number("speed", 0), Number("device/numa_node", -1), now, most);

        int Number(string file, int unknown) =>
            int.TryParse(Text(Path.Combine(folder, file)), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int n) && n >= 0 ? n : unknown;
    }

    private static string[] ReadGovernors(string cpus) => Directory.Exists(cpus)
        ? [.. Directory.GetDirectories(cpus, "cpu*").Select(c => Text(Path.Combine(c, "cpufreq/scaling_governor"))).Where(g => g.Length > 0).Distinct().Order(StringComparer.Ordinal)]
        : [];

    private static (long Free, long Total, string? Unwritable)? ReadDisk(string folder)
    {
        // The folder may not be there yet: what counts is the file system that it would be on.
        string? existing = Path.GetFullPath(folder);
        while (existing is not null && !Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing);
        }

        try
        {
            DriveInfo drive = new(existing ?? "/");
            return (drive.AvailableFreeSpace, drive.TotalSize, TryWrite(existing ?? "/"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static string? TryWrite(string folder)
    {
        string path = Path.Combine(folder, $".egress-appliance-{Guid.NewGuid():N}");
        try
        {
            using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            file.WriteByte(0);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static string? Field(string text, string name)
    {
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                return line[name.Length..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is [var first, ..] ? first : null;
            }
        }

        return null;
    }

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Files of /proc and /sys come and go, and some are refused by drivers that know nothing.
            return "";
        }
    }

    /// <summary>What a tool prints; empty where there is none, or it fails or hangs.</summary>
    private static string Tool(string name, params string[] arguments)
    {
        try
        {
            using Process? process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
            if (process is null)
            {
                return "";
            }

            if (!process.WaitForExit(ToolPatience))
            {
                process.Kill(entireProcessTree: true);
                return "";
            }

            // A screenful, which the pipe holds: the tool could end before it was read.
            return process.ExitCode == 0 ? process.StandardOutput.ReadToEnd() : "";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }
}
