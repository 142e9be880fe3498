using System.Globalization;

namespace EgressAppliance.Host.Pipeline;

/// <summary>Whether the kernel gives this process huge pages for its lookup tables and counters (Documentation/admin-guide/mm/transhuge.rst).</summary>
/// <param name="Setting"><c>always</c>, <c>madvise</c> (both do) or <c>never</c>; empty where the kernel has none.</param>
/// <param name="GrantedBytes">Bytes of this process that are in huge pages now.</param>
public sealed record HugePagesReading(string Setting, long GrantedBytes)
{
    /// <summary>Where the setting is.</summary>
    public const string SettingFile = "/sys/kernel/mm/transparent_hugepage/enabled";

    /// <summary>The kernel gives them to memory for which they are asked.</summary>
    public bool Available => Setting is "always" or "madvise";

    /// <summary>Reads both. It makes the kernel walk the process's page tables, which takes milliseconds: not for every cycle.</summary>
    public static HugePagesReading Read() => new(ParseSetting(ReadText(SettingFile)), ParseGranted(ReadText("/proc/self/smaps_rollup")));

    /// <summary>The word in brackets.</summary>
    public static string ParseSetting(string text)
    {
        int open = text.IndexOf('[', StringComparison.Ordinal);
        int close = text.IndexOf(']', StringComparison.Ordinal);
        return open >= 0 && close > open ? text[(open + 1)..close] : "";
    }

    /// <summary>The line AnonHugePages, in bytes.</summary>
    public static long ParseGranted(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["AnonHugePages:", var kibibytes, ..] && long.TryParse(kibibytes, NumberStyles.None, CultureInfo.InvariantCulture, out long value))
            {
                return value << 10;
            }
        }

        return 0;
    }

    private static string ReadText(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
