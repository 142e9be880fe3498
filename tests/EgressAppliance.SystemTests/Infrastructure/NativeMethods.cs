using System.Runtime.InteropServices;

namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>Signals that tests send, by their Linux numbers.</summary>
internal enum PosixSignalNumber
{
    /// <summary>SIGKILL: no chance to clean up.</summary>
    Kill = 9,

    /// <summary>SIGUSR1: ExaBGP reads its configuration anew.</summary>
    User1 = 10,

    /// <summary>SIGTERM: a polite stop.</summary>
    Terminate = 15,

    /// <summary>SIGCONT: go on after a stop.</summary>
    Continue = 18,

    /// <summary>SIGSTOP: freeze.</summary>
    Stop = 19,
}

/// <summary>The few system calls without a framework equivalent.</summary>
internal static partial class NativeMethods
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>Moves the calling thread, and only it, into a network namespace (setns(2)).</summary>
    /// <param name="path">The namespace's file, such as <c>/run/netns/NAME</c>.</param>
    public static void EnterNetworkNamespace(string path)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
        if (SetNs(file, CloneNewNet) != 0)
        {
            throw new InvalidOperationException($"setns({path}) failed, errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>kill(2).</summary>
    public static void Kill(int processId, PosixSignalNumber signal)
    {
        if (KillCore(processId, (int)signal) != 0)
        {
            throw new InvalidOperationException($"kill({processId}, {signal}) failed, errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Lets the calling thread, and only it, run before others (setpriority(2); nice values are per thread on Linux).</summary>
    public static void RaisePriority()
    {
        const int PriorityOfProcess = 0;
        const int CallingThread = 0;
        const int Nice = -15;
        if (SetPriority(PriorityOfProcess, CallingThread, Nice) != 0)
        {
            throw new InvalidOperationException($"setpriority failed, errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>The number of an interface in the calling thread's network namespace (if_nametoindex(3)).</summary>
    public static int InterfaceIndex(string name) => IfNameToIndex(name) is > 0 and var index
        ? (int)index
        : throw new InvalidOperationException($"no interface {name}, errno {Marshal.GetLastPInvokeError()}");

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint IfNameToIndex(string name);

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, int who, int priority);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(SafeHandle fd, int type);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int KillCore(int processId, int signal);
}
