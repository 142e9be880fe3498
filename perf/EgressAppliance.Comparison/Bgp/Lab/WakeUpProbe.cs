using System.Diagnostics;

namespace EgressAppliance.Comparison.Bgp.Lab;

/// <summary>
/// How late a thread that sleeps on a processor is woken: what the machine itself adds to anything that is timed. Where this is large, other
/// work had the processor, and times measured say little of what was to be measured.
/// </summary>
internal sealed class WakeUpProbe : IDisposable
{
    private static readonly TimeSpan Sleep = TimeSpan.FromMilliseconds(4);
    private readonly List<double> _late = [];
    private readonly Thread _thread;
    private volatile bool _stop;

    /// <summary>Begins.</summary>
    public WakeUpProbe(int processor)
    {
        _thread = new Thread(() => Run(processor)) { IsBackground = true, Name = "probe" };
        _thread.Start();
    }

    /// <summary>Milliseconds late, sorted; after <see cref="Dispose"/>.</summary>
    public double[] Milliseconds => [.. _late.Order()];

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Run(int processor)
    {
        NetworkNamespace.PinThread(processor);
        while (!_stop)
        {
            long start = Stopwatch.GetTimestamp();
            Thread.Sleep(Sleep);
            _late.Add((Stopwatch.GetElapsedTime(start) - Sleep).TotalMilliseconds);
        }
    }
}
