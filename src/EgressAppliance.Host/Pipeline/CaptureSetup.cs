using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.Pipeline;

/// <summary>What <c>check --setup</c> asks of this machine for capture.</summary>
public sealed record CaptureHost
{
    /// <summary>CPUs that this process may use.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>Memory that can be had without swapping, bytes; 0 if not known.</summary>
    public long AvailableMemory { get; init; }

    /// <summary>Huge pages.</summary>
    public HugePagesReading HugePages { get; init; } = new("", 0);

    /// <summary>Reads an interface.</summary>
    public Func<string, InterfaceReading> Interface { get; init; } = name => InterfaceReading.Read(name);

    /// <summary>Tries to capture: what is wrong.</summary>
    public Func<AfPacketOptions, IReadOnlyList<CaptureException>> TryCapture { get; init; } = AfPacketSource.Check;

    /// <summary>This machine.</summary>
    public static CaptureHost Read() => new()
    {
        Cpus = Environment.ProcessorCount,
        AvailableMemory = ParseAvailable(File.Exists("/proc/meminfo") ? File.ReadAllText("/proc/meminfo") : ""),
        HugePages = HugePagesReading.Read(),
    };

    /// <summary>The line MemAvailable of /proc/meminfo, in bytes; 0 without one.</summary>
    public static long ParseAvailable(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["MemAvailable:", var kibibytes, ..] && long.TryParse(kibibytes, out long value))
            {
                return value << 10;
            }
        }

        return 0;
    }
}

/// <summary>The capture part of <c>check --setup</c>: what the configuration asks for against what this machine has.</summary>
public static class CaptureSetup
{
    private const int ArphrdEther = 1;

    /// <summary>All checks, each with the key one would change.</summary>
    public static IReadOnlyList<SetupCheck> Check(CaptureConfig config, CaptureHost host)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        List<SetupCheck> checks = [];
        long rings = 0;
        for (int i = 0; i < config.Sources.Count; i++)
        {
            CaptureSourceConfig source = config.Sources[i];
            if (source.Backend == CaptureBackend.AfPacket)
            {
                rings += source.RingBytes * source.Workers;
                CheckSource(source, $"capture.sources[{i}]", host, checks);
            }
        }

        CheckMemory(config, rings, host, checks);
        if (config.Sources.Any(s => s.Backend == CaptureBackend.AfPacket))
        {
            bool available = host.HugePages.Available;
            checks.Add(new SetupCheck(
                "huge pages", true,
                available ? $"the kernel gives them on request ({host.HugePages.Setting})" : "the kernel gives none: lookups are slower by a third or more")
            {
                Warning = !available,
                Remedy = available ? null : $"echo madvise > {HugePagesReading.SettingFile}",
            });
        }

        return checks;
    }

    private static void CheckSource(CaptureSourceConfig source, string key, CaptureHost host, List<SetupCheck> checks)
    {
        string name = $"capture {source.Interface}";
        IReadOnlyList<CaptureException> faults = host.TryCapture(CaptureSources.ToOptions(source));
        foreach (CaptureException fault in faults)
        {
            (string? at, string? remedy) = About(fault, source);
            checks.Add(new SetupCheck(name, false, fault.Message) { Key = at is null ? null : $"{key}.{at}", Remedy = remedy });
        }

        if (faults.Count == 0)
        {
            checks.Add(new SetupCheck(name, true, "interface, filter, ring and permissions are good"));
        }

        if (source.Workers > host.Cpus)
        {
            Warn($"{source.Workers} workers for {host.Cpus} CPUs", "workers", $"use at most {host.Cpus}");
        }

        InterfaceReading nic = host.Interface(source.Interface);
        if (!nic.Exists)
        {
            return;
        }

        if (nic.HardwareType != ArphrdEther)
        {
            Warn("it is no Ethernet interface: its packets have no MAC and no VLAN", "interface", "match links by source, or use the interface on the mirror port");
        }

        if (nic is { Up: true, Carrier: false })
        {
            Warn("it has no carrier", "interface", "check the cable, the transceiver and the port at its other end");
        }

        if (nic.MergesSegments == true)
        {
            Warn("received segments are merged (GRO or LRO), and so packets undercounted", "interface", $"ethtool -K {source.Interface} gro off lro off");
        }

        void Warn(string detail, string child, string remedy) =>
            checks.Add(new SetupCheck(name, true, detail) { Warning = true, Key = $"{key}.{child}", Remedy = remedy });
    }

    /// <summary>The key and the remedy for what keeps a source from being opened.</summary>
    private static (string? Key, string? Remedy) About(CaptureException fault, CaptureSourceConfig source) => fault.Error switch
    {
        CaptureError.NoSuchInterface => ("interface", "`ip link` lists the interfaces"),
        CaptureError.InterfaceDown => ("interface", $"ip link set {source.Interface} up"),
        CaptureError.UnsupportedInterface => ("interface", "use an Ethernet interface"),
        CaptureError.BadFilter => ("filter", "try it with `tcpdump -d`"),
        CaptureError.LibpcapMissing => ("filter", "install it, or remove the filter"),
        CaptureError.PermissionDenied => ("interface", "run as root, or give the appliance CAP_NET_RAW (its systemd unit does)"),

        // Options say which one they are before the colon.
        CaptureError.BadOption when fault.Reason.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon => (fault.Reason[..colon], null),
        _ => (null, null),
    };

    private static void CheckMemory(CaptureConfig config, long rings, CaptureHost host, List<SetupCheck> checks)
    {
        if (rings == 0 || host.AvailableMemory == 0)
        {
            return;
        }

        int largest = Enumerable.Range(0, config.Sources.Count).MaxBy(i => config.Sources[i].RingBytes * config.Sources[i].Workers);
        CaptureSourceConfig source = config.Sources[largest];
        string detail = $"rings take {Units.FormatSize(rings)} of kernel memory, {host.AvailableMemory >> 20}MiB are available";
        bool fits = rings < host.AvailableMemory;
        bool ample = rings <= host.AvailableMemory / 2;
        checks.Add(new SetupCheck("capture memory", fits, detail)
        {
            Warning = !ample,
            Key = ample ? null : $"capture.sources[{largest}].ring",
            Remedy = ample ? null : $"lower ring ({Units.FormatSize(source.RingBytes)}) or workers ({source.Workers})",
        });
    }
}
