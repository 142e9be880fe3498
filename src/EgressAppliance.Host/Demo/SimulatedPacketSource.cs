using EgressAppliance.Capture;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Host.Demo;

/// <summary>
/// The mirror port of the simulated router: hands out the frames of a <see cref="TrafficModel"/> as their time comes.
/// <para>
/// Model time follows the clock. A reader that was held up gets what it missed, up to <see cref="MostArrears"/>; of a longer stop the rest is left
/// out of model time, as if the world had paused, since a burst of it would be load that no link ever had. That time is shown as <see cref="Paused"/>.
/// </para>
/// </summary>
public sealed class SimulatedPacketSource : IPacketSource
{
    /// <summary>Most that is made up for after a stop.</summary>
    public static readonly TimeSpan MostArrears = TimeSpan.FromMilliseconds(500);

    private const int FramesPerRead = 2048;
    private static readonly TimeSpan Pace = 2 * TrafficModel.Step;

    private readonly TrafficModel _model;
    private readonly TimeProvider _time;
    private readonly PinnedBuffer _buffer = new(FramesPerRead * FrameWriter.SnapLength);
    private readonly SimulatedFrame[] _frames = new SimulatedFrame[FramesPerRead];
    private readonly ManualResetEventSlim _finish = new();
    private long _start = -1;
    private long _pausedTicks;
    private long _received;
    private volatile bool _ended;

    /// <summary>A source over the model; its clock starts with the first read.</summary>
    public SimulatedPacketSource(string name, TrafficModel model, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Name = name;
        _model = model;
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Time that was left out because nobody read.</summary>
    public TimeSpan Paused => TimeSpan.FromTicks(Volatile.Read(ref _pausedTicks));

    /// <summary>The end was given to the reader.</summary>
    public bool HasEnded => _ended;

    /// <summary>The next read is the end. Any thread.</summary>
    public void Finish() => _finish.Set();

    /// <inheritdoc/>
    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(block);
        TimeSpan waited = TimeSpan.Zero;
        while (true)
        {
            if (_finish.IsSet)
            {
                _ended = true;
                return SourceReadStatus.End;
            }

            int count = _model.Generate(Due(), _buffer.Span, _frames.AsSpan(0, Math.Min(FramesPerRead, block.Capacity)));
            if (count > 0)
            {
                Fill(block, count);
                return SourceReadStatus.Frames;
            }

            if (waited >= timeout)
            {
                return SourceReadStatus.Timeout;
            }

            _finish.Wait(Pace);
            waited += Pace;
        }
    }

    /// <inheritdoc/>
    public SourceStatistics GetStatistics() => new(Volatile.Read(ref _received), 0, 0);

    /// <inheritdoc/>
    public void Dispose() => _finish.Dispose();

    private TimeSpan Due()
    {
        if (_start < 0)
        {
            _start = _time.GetTimestamp();
        }

        TimeSpan due = _time.GetElapsedTime(_start) - Paused;
        TimeSpan excess = due - _model.Now - MostArrears;
        if (excess <= TimeSpan.Zero)
        {
            return due;
        }

        Volatile.Write(ref _pausedTicks, _pausedTicks + excess.Ticks);
        return due - excess;
    }

    private void Fill(FrameBlock block, int count)
    {
        block.Reset(_buffer);
        foreach (SimulatedFrame frame in _frames.AsSpan(0, count))
        {
            block.TryAdd(new FrameHeader(frame.Offset, frame.CapturedLength, frame.WireLength, 0, false, LinkLayerType.Ethernet));
        }

        Volatile.Write(ref _received, _received + count);
    }
}
