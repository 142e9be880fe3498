using EgressAppliance.Capture;
using EgressAppliance.Host.Demo;
using EgressAppliance.Net;
using EgressAppliance.Simulator.Routing;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Tests.Demo;

public sealed class SimulatedPacketSourceTests : IDisposable
{
    private readonly Clock _clock = new();
    private readonly TrafficModel _model;
    private readonly SimulatedPacketSource _source;
    private readonly FrameBlock _block = new(512);

    public SimulatedPacketSourceTests()
    {
        SimulatedRouter router = ThreeProviders.Build(
            [.. RealPrefixes.Load().Where((_, i) => i % 10 == 0)], ThreeProviders.Links(40_000_000, 30_000_000, 30_000_000));
        _model = new(router, SurgeScenario.Once(TimeSpan.FromSeconds(30)));
        _source = new("mirror0", _model, _clock);
    }

    [Fact]
    public void Read_gives_the_frames_that_are_due_and_then_times_out()
    {
        Assert.Equal(SourceReadStatus.Timeout, _source.Read(_block, TimeSpan.Zero));

        _clock.Elapsed = TimeSpan.FromMilliseconds(400);
        (int frames, long bytes) = ReadAll();

        Assert.Equal(TimeSpan.FromMilliseconds(400), _model.Now);
        Assert.Equal(_model.Frames, frames);
        Assert.Equal(new SourceStatistics(frames, 0, 0), _source.GetStatistics());
        Assert.Equal(_model.Octets, bytes + (4L * frames)); // the mirror delivers no FCS
        Assert.Equal(TimeSpan.Zero, _source.Paused);
    }

    [Fact]
    public void Read_after_a_long_stop_leaves_out_the_time_nobody_read()
    {
        _source.Read(_block, TimeSpan.Zero);
        _clock.Elapsed = TimeSpan.FromSeconds(10);

        ReadAll();

        Assert.Equal(SimulatedPacketSource.MostArrears, _model.Now);
        Assert.Equal(TimeSpan.FromSeconds(9.5), _source.Paused);
    }

    [Fact]
    public void Read_after_finish_is_the_end()
    {
        _source.Finish();

        Assert.Equal(SourceReadStatus.End, _source.Read(_block, TimeSpan.FromSeconds(1)));
        Assert.True(_source.HasEnded);
    }

    public void Dispose() => _source.Dispose();

    private (int Frames, long Bytes) ReadAll()
    {
        (int frames, long bytes) = (0, 0);
        while (_source.Read(_block, TimeSpan.Zero) == SourceReadStatus.Frames)
        {
            foreach (FrameHeader frame in _block.Frames)
            {
                ReadOnlySpan<byte> octets = _block.Data.Slice(frame.Offset, frame.CapturedLength);
                Assert.Equal(0x0200_0000_0002UL, MacAddress.FromBytes(octets).Value & 0xFFFF_FFFF_00FF);
                Assert.Equal(LinkLayerType.Ethernet, frame.LinkLayer);
                frames++;
                bytes += frame.WireLength;
            }
        }

        return (frames, bytes);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Elapsed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
