using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EgressAppliance.Comparison.Running;

/// <summary>What a finished program said and used.</summary>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="CpuSeconds">User and system time of the process and of those it started and waited for.</param>
/// <param name="WallSeconds">Time it took.</param>
internal sealed record ProcessRun(string Output, string Error, double CpuSeconds, double WallSeconds)
{
    /// <summary>Runs a program to its end. One at a time: processor time is the difference of what all children of this process have used.</summary>
    /// <param name="program">Path, or a name to be found in <c>PATH</c>.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="ComparisonException">It cannot be started, or fails.</exception>
    public static ProcessRun Run(string program, params IReadOnlyList<string> arguments)
    {
        ProcessStartInfo info = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        double before = NativeMethods.ChildrenCpuSeconds();
        long start = Stopwatch.GetTimestamp();
        using Process process = StartOrThrow(info);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double cpu = NativeMethods.ChildrenCpuSeconds() - before;
#pragma warning disable VSTHRD002 // The stream has ended with the process.
        string errorText = error.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
        return process.ExitCode == 0
            ? new(output, errorText, cpu, wall)
            : throw new ComparisonException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{errorText}{output}");
    }

    /// <summary>Runs a program and returns its first line of output that is not blank, from either stream; null if it cannot be started.</summary>
    public static string? TryFirstLine(string program, params IReadOnlyList<string> arguments)
    {
        try
        {
            ProcessRun run = Run(program, arguments);
            return (run.Output + "\n" + run.Error).Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0);
        }
        catch (ComparisonException)
        {
            return null;
        }
    }

    private static Process StartOrThrow(ProcessStartInfo info)
    {
        try
        {
            return Process.Start(info)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ComparisonException($"{info.FileName}: {e.Message}");
        }
    }
}

/// <summary>System calls that the framework does not offer.</summary>
internal static partial class NativeMethods
{
    private const int RusageChildren = -1;

    /// <summary>User and system time of all children that have ended and been waited for (getrusage(2)).</summary>
    public static double ChildrenCpuSeconds()
    {
        GetResourceUsage(RusageChildren, out ResourceUsage usage);
        return usage.UserSeconds + usage.SystemSeconds + ((usage.UserMicroseconds + usage.SystemMicroseconds) * 1e-6);
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetResourceUsage(int who, out ResourceUsage usage);

    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private struct ResourceUsage
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
    }
}
