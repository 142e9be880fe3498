using EgressAppliance.Fuzz.Mutation;

namespace EgressAppliance.Fuzz.Running;

/// <summary>
/// Ends a run in which one input takes too long or memory grows. Time is the processor time of the process (one thread does the work), so that a busy machine is
/// no finding; an input that waits instead of computing is found by the clock, with a far longer limit.
/// </summary>
public sealed class Watchdog : IDisposable
{
    /// <summary>Processor time one input may take.</summary>
    public static readonly TimeSpan ProcessorLimit = TimeSpan.FromSeconds(2);

    /// <summary>Time one input may take on the clock.</summary>
    public static readonly TimeSpan ClockLimit = TimeSpan.FromSeconds(60);

    /// <summary>The managed heap after a full collection may grow by so much over the run, counted from its warm-up.</summary>
    public const long HeapLimit = 8L << 20;

    /// <summary>Resident memory may grow by so much over the run, counted from its warm-up.</summary>
    public const long ResidentLimit = 256L << 20;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(10);
    private readonly Action<Finding> _end;
    private readonly ulong _seed;
    private readonly long _warmUp;
    private readonly Timer _timer;
    private IFuzzTarget? _target;
    private long _iteration;
    private InputBuffer? _input;
    private long _inputs;
    private long _polledInputs = -1;
    private TimeSpan _polledProcessor;
    private long _polledClock;
    private long _sampled;

    /// <summary>Watches from now on. <paramref name="end"/> is told of a hang from another thread, or of growth from the run's own, and ends the process.</summary>
    public Watchdog(ulong seed, long warmUp, Action<Finding> end)
    {
        _seed = seed;
        _warmUp = warmUp;
        _end = end;
        _timer = new Timer(_ => CheckProgress(), null, Poll, Poll);
    }

    /// <summary>Managed heap after the warm-up, octets; 0 before.</summary>
    public long HeapBefore { get; private set; }

    /// <summary>Managed heap at the last sample, octets.</summary>
    public long HeapNow { get; private set; }

    /// <summary>Resident memory after the warm-up, octets; 0 before.</summary>
    public long ResidentBefore { get; private set; }

    /// <summary>Resident memory at the last sample, octets.</summary>
    public long ResidentNow { get; private set; }

    /// <summary>The run's thread begins an input.</summary>
    public void Begin(IFuzzTarget target, long iteration, InputBuffer input)
    {
        _target = target;
        _iteration = iteration;
        _input = input;
        Volatile.Write(ref _inputs, _inputs + 1);
    }

    /// <summary>Samples memory now and then; on the run's thread, between inputs.</summary>
    public void CheckMemory(long inputs)
    {
        if (inputs < _warmUp || (HeapBefore > 0 && System.Diagnostics.Stopwatch.GetElapsedTime(_sampled) < SampleEvery))
        {
            return;
        }

        Sample();
        Judge();
    }

    /// <summary>Compares the last sample with the first.</summary>
    public void Judge()
    {
        if (HeapNow - HeapBefore > HeapLimit || ResidentNow - ResidentBefore > ResidentLimit)
        {
            _end(new(
                _target!.Name, _seed, _iteration,
                $"memory grew: heap {HeapBefore >> 10} to {HeapNow >> 10} KiB, resident {ResidentBefore >> 10} to {ResidentNow >> 10} KiB", _input!.Span.ToArray()));
        }
    }

    /// <summary>Takes a sample.</summary>
    public void Sample()
    {
        HeapNow = GC.GetTotalMemory(forceFullCollection: true);
        ResidentNow = Environment.WorkingSet;
        _sampled = System.Diagnostics.Stopwatch.GetTimestamp();
        if (HeapBefore == 0)
        {
            HeapBefore = HeapNow;
            ResidentBefore = ResidentNow;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void CheckProgress()
    {
        long inputs = Volatile.Read(ref _inputs);
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        if (inputs != _polledInputs || inputs == 0)
        {
            _polledInputs = inputs;
            _polledProcessor = processor;
            _polledClock = System.Diagnostics.Stopwatch.GetTimestamp();
            return;
        }

        TimeSpan spent = processor - _polledProcessor;
        TimeSpan clock = System.Diagnostics.Stopwatch.GetElapsedTime(_polledClock);
        if (spent > ProcessorLimit || clock > ClockLimit)
        {
            _end(new(
                _target!.Name, _seed, _iteration,
                $"hang: {spent.TotalSeconds:0.0} s of processor time, {clock.TotalSeconds:0.0} s on the clock", _input!.Span.ToArray()));
        }
    }
}
