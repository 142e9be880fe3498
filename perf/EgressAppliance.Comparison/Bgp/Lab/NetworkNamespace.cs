using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp.Lab;

/// <summary>Runs code in a network namespace, or on one processor. Sockets stay in the namespace in which they were made, whoever uses them later.</summary>
internal static partial class NetworkNamespace
{
    private const int OpenReadOnly = 0;
    private const int CloseOnExec = 0x80000;
    private const int NewNetwork = 0x40000000;

    /// <summary>Runs a function on a thread of its own, which ends with it: a thread of the pool would take the namespace along.</summary>
    /// <param name="name">As in <c>ip netns</c>; null: the one that this process is in.</param>
    /// <param name="function">What to run.</param>
    /// <exception cref="ComparisonException">The namespace cannot be entered.</exception>
    public static T Run<T>(string? name, Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                if (name is not null)
                {
                    Enter(name);
                }

                result = function();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>Keeps the calling thread on one processor (sched_setaffinity(2)).</summary>
    public static void PinThread(int processor)
    {
        Span<byte> mask = stackalloc byte[128];
        mask.Clear();
        mask[processor / 8] = (byte)(1 << (processor % 8));
        _ = SetAffinity(0, mask.Length, mask);
    }

    private static void Enter(string name)
    {
        int file = Open("/run/netns/" + name, OpenReadOnly | CloseOnExec);
        if (file < 0 || SetNamespace(file, NewNetwork) != 0)
        {
            throw new ComparisonException($"the network namespace {name} cannot be entered: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        _ = Close(file);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int file, int kind);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint size, ReadOnlySpan<byte> mask);
}
