using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.Doctor;

/// <summary>Weighs a machine against what the configuration asks of it: permissions, NICs, CPUs, clock, disk. Each check says what to do.</summary>
public static class MachineChecks
{
    private const int CapNetBindService = 10;
    private const int CapNetRaw = 13;
    private const int CapIpcLock = 14;
    private const int FirstFreePort = 1024;
    private const int FastMbps = 10_000;
    private const long LeastFree = 256L << 20;

    /// <summary>All checks. Those of sources bear the source's name.</summary>
    public static IReadOnlyList<SetupCheck> Run(ApplianceConfig config, MachineFacts machine)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(machine);
        List<SetupCheck> checks = [];
        if (machine.Kernel.Length > 0)
        {
            checks.Add(new SetupCheck("kernel", true, machine.Kernel));
        }

        checks.Add(Permissions(config, machine));
        for (int i = 0; i < config.Capture.Sources.Count; i++)
        {
            CaptureSourceConfig source = config.Capture.Sources[i];
            if (source.Backend == CaptureBackend.AfPacket && machine.Nic(source.Interface) is { } nic)
            {
                checks.AddRange(OfNic(source, nic, machine, $"capture.sources[{i}]"));
            }
        }

        if (machine.Governors.Count > 0)
        {
            bool fast = machine.Governors is ["performance"];
            checks.Add(new SetupCheck("cpu frequency", true, $"governor {string.Join(", ", machine.Governors)}")
            {
                Warning = !fast,
                Remedy = fast ? null : "cpupower frequency-set -g performance, so that a burst does not meet slow CPUs",
            });
        }

        checks.Add(machine.ClockSynchronized switch
        {
            true => new SetupCheck("clock", true, "kept by a time server"),
            false => Warning("clock", "not kept by a time server: times of decisions, history and billing months are wrong by as much as it is", "timedatectl set-ntp true, or install chrony"),
            null => Warning("clock", "whether a time server keeps it is not known: there is no timedatectl", "look at `chronyc tracking` or `ntpq -p`"),
        });
        checks.Add(OfDisk(config.History, machine));
        return checks;
    }

    private static SetupCheck Permissions(ApplianceConfig config, MachineFacts machine)
    {
        List<string> missing = [];
        if (config.Capture.Sources.Any(s => s.Backend != CaptureBackend.PcapFile))
        {
            Need(CapNetRaw, "CAP_NET_RAW to capture");
        }

        if (config.Routers.Any(r => r.Bgp.ListenPort is > 0 and < FirstFreePort))
        {
            Need(CapNetBindService, "CAP_NET_BIND_SERVICE for port 179");
        }

        long rings = config.Capture.Sources.Where(s => s.Backend == CaptureBackend.AfPacket).Sum(s => s.RingBytes * s.Workers);
        if (machine.LockableMemory is > 0 and var lockable && lockable < rings)
        {
            Need(CapIpcLock, $"CAP_IPC_LOCK, or LimitMEMLOCK of {Units.FormatSize(rings)} for the rings");
        }

        return missing.Count == 0
            ? new SetupCheck("permissions", true, "this user may do what the configuration asks for")
            : new SetupCheck("permissions", false, "this user lacks " + string.Join("; ", missing))
            {
                Remedy = "run it by the systemd unit, which grants them, or as root",
            };

        void Need(int capability, string what)
        {
            if ((machine.Capabilities & (1UL << capability)) == 0)
            {
                missing.Add(what);
            }
        }
    }

    private static IEnumerable<SetupCheck> OfNic(CaptureSourceConfig source, NicFacts nic, MachineFacts machine, string key)
    {
        string name = "nic " + nic.Name;
        bool fast = nic.SpeedMbps >= FastMbps;
        if (nic is { RingSize: { } now, RingMaximum: { } most })
        {
            yield return now < most
                ? Warning(name, $"its receive ring has {now} of at most {most} descriptors: bursts are lost before the kernel sees them", $"ethtool -G {nic.Name} rx {most}")
                : new SetupCheck(name, true, $"receive ring of {now} descriptors, the most it has");
        }

        if (nic.ReceiveQueues == 1 && fast)
        {
            yield return Warning(
                name, $"one receive queue for {nic.SpeedMbps / 1000} Gbit/s: one CPU takes in every frame", $"ethtool -L {nic.Name} combined {Math.Max(2, source.Workers)}, if the NIC has more");
        }
        else if (nic.ReceiveQueues > 0)
        {
            yield return new SetupCheck(name, true, $"{nic.ReceiveQueues} receive queue{(nic.ReceiveQueues == 1 ? "" : "s")} for {source.Workers} worker{(source.Workers == 1 ? "" : "s")}");
        }

        if (nic.NumaNode >= 0 && source.Cpus.Count > 0 && machine.CpusOfNode(nic.NumaNode) is { Length: > 0 } near
            && source.Cpus.Where(c => !IsIn(c, near)).ToArray() is { Length: > 0 } far)
        {
            yield return Warning(
                name, $"it is attached to memory node {nic.NumaNode} (CPUs {near}), and {(far.Length == 1 ? "CPU" : "CPUs")} {string.Join(", ", far)} {(far.Length == 1 ? "is" : "are")} not",
                $"choose CPUs from {near}") with
            { Key = key + ".cpus" };
        }
    }

    private static SetupCheck OfDisk(HistoryConfig history, MachineFacts machine)
    {
        string folder = Path.GetDirectoryName(history.AuditFile) is { Length: > 0 } given ? given : "/var/lib/egress-appliance";
        if (machine.Disk(folder) is not { } disk)
        {
            return Warning("disk", $"{folder}: what is free there cannot be told", "see that the file system is mounted");
        }

        if (disk.Unwritable is { } why)
        {
            return new SetupCheck("disk", false, $"{folder}: this user cannot write there: {why}") { Remedy = "run it by the systemd unit, which makes the folder, or create it for the appliance's user" };
        }

        string free = $"{folder}: {Units.FormatSize(Round(disk.Free))} of {Units.FormatSize(Round(disk.Total))} free";
        long journal = history.Journal ? history.JournalBytes : 0;
        return disk.Free < LeastFree ? new SetupCheck("disk", false, free) { Remedy = "make room: nothing that happens will be written down" }
            : disk.Free < journal ? Warning("disk", $"{free}; the journal may take {Units.FormatSize(journal)}", "make room, or lower history.journal_size")
            : new SetupCheck("disk", true, free);
    }

    /// <summary>Whether a CPU is in a list such as <c>0-7,16-23</c> (cpuset(7), list format).</summary>
    private static bool IsIn(int cpu, string list) => list.Split(',').Any(part =>
        part.Split('-') is [var first, .. var rest] && int.TryParse(first, out int from) && int.TryParse(rest is [var last] ? last : first, out int to) && cpu >= from && cpu <= to);

    private static long Round(long bytes) => bytes >> 20 << 20;

    private static SetupCheck Warning(string name, string detail, string remedy) => new(name, true, detail) { Warning = true, Remedy = remedy };
}
