using System.Globalization;
using System.Runtime.InteropServices;

namespace EgressAppliance.Comparison.Running;

/// <summary>What a reader must know of the machine to judge figures.</summary>
internal static class Machine
{
    /// <summary>Processors, memory, system, kernel.</summary>
    public static string Describe()
    {
        string cpu = ValueOf("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        string family = ValueOf("/proc/cpuinfo", "cpu family") ?? "?";
        string model = ValueOf("/proc/cpuinfo", "model\t") ?? "?";
        long memoryKiB = long.Parse((ValueOf("/proc/meminfo", "MemTotal") ?? "0 kB").Split(' ')[0], CultureInfo.InvariantCulture);
        string system = (ValueOf("/etc/os-release", "PRETTY_NAME") ?? "?").Trim('"');
        string kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        bool guest = File.ReadAllText("/proc/cpuinfo").Contains("hypervisor", StringComparison.Ordinal);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} CPUs {cpu} (family {family} model {model}{(guest ? ", virtual machine" : "")}), {memoryKiB / 1048576.0:0} GiB, {system}, kernel {kernel}, .NET {Environment.Version}");
    }

    /// <summary>Load averages over 1, 5 and 15 minutes.</summary>
    public static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    private static string? ValueOf(string path, string key)
    {
        foreach (string line in File.ReadLines(path))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                return line[(line.IndexOfAny([':', '=']) + 1)..].Trim();
            }
        }

        return null;
    }
}
