using System.Globalization;

namespace EgressAppliance.Comparison.Bgp.Lab;

/// <summary>Memory of a process.</summary>
/// <param name="Rss">Resident, bytes (VmRSS).</param>
/// <param name="Anonymous">Of it, what no file is behind, bytes (RssAnon).</param>
internal readonly record struct MemoryUse(long Rss, long Anonymous);

/// <summary>Reads what a process uses from <c>/proc</c>: the same for a daemon of any kind.</summary>
internal sealed class ProcessMeter(int id)
{
    /// <summary>Clock ticks a second in /proc (USER_HZ), 100 on every Linux platform in use.</summary>
    private const double Ticks = 100;

    /// <summary>User and system time of all its threads, ended ones included, seconds.</summary>
    public double CpuSeconds()
    {
        string stat = File.ReadAllText($"/proc/{id}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / Ticks;
    }

    /// <summary>Memory now.</summary>
    public MemoryUse Memory()
    {
        long rss = 0;
        long anonymous = 0;
        foreach (string line in File.ReadLines($"/proc/{id}/status"))
        {
            rss = line.StartsWith("VmRSS:", StringComparison.Ordinal) ? Bytes(line) : rss;
            anonymous = line.StartsWith("RssAnon:", StringComparison.Ordinal) ? Bytes(line) : anonymous;
        }

        return new(rss, anonymous);
    }

    private static long Bytes(string line) =>
        long.Parse(line.AsSpan(line.IndexOf(':') + 1).TrimEnd(" kB").Trim(), CultureInfo.InvariantCulture) * 1024;
}
