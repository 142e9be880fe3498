using System.Globalization;
using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Systemd;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using EgressAppliance.Tests.Dataplane;
using EgressAppliance.Tests.Snmp;
using EgressAppliance.Tests.Steering;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Systemd;

/// <summary>The watchdog is fed by the control loop and the data path together: either alone, hanging, starves it.</summary>
[Collection(nameof(EnvironmentCollection))]
public sealed class WatchdogFeederTests : IDisposable
{
    private const string Fed = "WATCHDOG=1\nSTATUS=well";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();
    private readonly Manager _manager = new();
    private readonly SystemdNotifier _systemd;

    public WatchdogFeederTests() => _systemd = _manager.Notifier("30000000");

    public void Dispose()
    {
        _systemd.Dispose();
        _manager.Dispose();
    }

    [Theory]
    [InlineData("control loop")]
    [InlineData("reader")]
    public async Task Look_one_part_hangs_and_is_not_fed_until_it_goes_on(string hanging)
    {
        Dictionary<string, long> beats = new() { ["control loop"] = 0, ["reader"] = 0 };
        await using WatchdogFeeder feeder = Feeder(() => [.. beats.Select(b => new VitalSign(b.Key, b.Value, false, Limit))]);
        List<string> Pass(int seconds, bool all)
        {
            List<string> sent = [];
            for (int i = 0; i < seconds; i++)
            {
                foreach (string part in beats.Keys.Where(p => all || p != hanging))
                {
                    beats[part]++;
                }

                _time.Advance(TimeSpan.FromSeconds(1));
                feeder.Look();
                sent.AddRange(_manager.Received());
            }

            return sent;
        }

        Assert.Equal(Enumerable.Repeat(Fed, 100), Pass(100, all: true));
        Assert.Equal(Enumerable.Repeat(Fed, 10), Pass(10, all: false));
        List<string> starving = Pass(60, all: false);
        Assert.Equal($"STATUS=hanging: {hanging} for 11 s", starving[0]);
        Assert.Equal($"STATUS=hanging: {hanging} for 70 s", starving[^1]);
        Assert.DoesNotContain(starving, m => m.Contains("WATCHDOG", StringComparison.Ordinal));
        Assert.Equal([Fed], Pass(1, all: true));
    }

    [Fact]
    public async Task Look_machine_that_stood_still_is_no_part_at_fault()
    {
        long beats = 0;
        await using WatchdogFeeder feeder = Feeder(() => [new VitalSign("control loop", beats, false, Limit)]);
        feeder.Look();
        _time.Advance(TimeSpan.FromHours(1));
        feeder.Look();
        beats++;
        feeder.Look();
        Assert.Equal([Fed, Fed, Fed], _manager.Received());
    }

    [Fact]
    public async Task Look_idle_part_need_not_beat()
    {
        await using WatchdogFeeder feeder = Feeder(() => [new VitalSign("counter 0", 7, true, Limit)]);
        for (int i = 0; i < 100; i++)
        {
            _time.Advance(Limit);
            feeder.Look();
            Assert.Equal([Fed], _manager.Received());
        }
    }

    [Fact]
    public async Task Look_reader_stuck_in_its_source()
    {
        using PrefixTable table = new();
        using TestSource good = new("mir0");
        using StuckSource stuck = new();
        await using CapturePipeline pipeline = new(new PipelineOptions(), [good, stuck], table.Lookup, TimeProvider.System);
        pipeline.Start();
        await using WatchdogFeeder feeder = Feeder(() => [.. pipeline.ReadPulses().Select(p => new VitalSign(p.Thread, p.Beats, p.Idle, Limit))]);
        try
        {
            await LookUntilAsync(feeder, "STATUS=hanging: reader 1 of stuck for ", pipeline);
        }
        finally
        {
            stuck.Free();
        }

        await LookUntilAsync(feeder, Fed, pipeline);
    }

    [Fact]
    public async Task Look_control_loop_stuck_in_a_cycle()
    {
        await using Bench bench = new();
        using ManualResetEventSlim go = new();
        await using WatchdogFeeder feeder = Feeder(() => [new VitalSign("control loop", bench.Loop.Cycles, false, Limit)]);
        await bench.StartAsync();
        feeder.Look();
        using ManualResetEventSlim stuck = new();
        bench.BeforePublication = () =>
        {
            stuck.Set();
            go.Wait();
        };

        // The cycle may run on the thread that moves the clock.
        Task clock = Task.Run(() => bench.Time.Advance(bench.Config.Decision.Cycle));
        await Bench.UntilAsync(() => stuck.IsSet);
        feeder.Look();
        for (int i = 0; i < 3; i++)
        {
            _time.Advance(Limit);
            feeder.Look();
        }

        IReadOnlyList<string> received = _manager.Received();
        Assert.Equal(Fed, received[0]);
        Assert.Equal("STATUS=hanging: control loop for 30 s", received[^1]);
        long before = bench.Loop.Cycles;
        bench.BeforePublication = null;
        go.Set();
        await Bench.UntilAsync(() => bench.Loop.Cycles > before);
        await clock;
        feeder.Look();
        Assert.Equal([Fed], _manager.Received());
    }

    [Fact]
    public void ReadPulses_counting_thread_with_work_that_it_does_not_take_is_not_idle()
    {
        using PrefixTable table = new();
        using BatchRing ring = new(2, 16);
        using CountingWorker worker = new(table.Lookup, 16);
        Assert.Equal(new ThreadPulse("counter 0", 0, true), worker.Pulse("counter 0", ring));
        ring.Publish(ring.TryRent()!);
        Assert.Equal(new ThreadPulse("counter 0", 0, false), worker.Pulse("counter 0", ring));
        ring.Complete();
        worker.Run(ring);
        Assert.Equal(new ThreadPulse("counter 0", 2, true), worker.Pulse("counter 0", ring));
    }

    [Fact]
    public async Task Start_feeds_four_times_in_the_watchdogs_time()
    {
        await using WatchdogFeeder feeder = Feeder(() => []);
        feeder.Start();
        for (int i = 1; i <= 8; i++)
        {
            await UntilReceivedAsync();
            _time.Advance(TimeSpan.FromSeconds(7.5));
        }
    }

    [Fact]
    public void WatchdogTimeout_is_that_of_this_process_only()
    {
        string own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(TimeSpan.FromSeconds(3), TimeoutOf("3000000", own));
        Assert.Equal(TimeSpan.FromSeconds(3), TimeoutOf("3000000", null));
        Assert.Null(TimeoutOf("3000000", "1"));
        Assert.Null(TimeoutOf(null, own));
        Assert.Null(TimeoutOf("0", own));
        Assert.Null(TimeoutOf("much", own));
        Assert.Null(TimeoutOf("99999999999999999999", own));
    }

    private TimeSpan? TimeoutOf(string? microseconds, string? process)
    {
        using SystemdNotifier notifier = _manager.Notifier(microseconds, process);
        return notifier.WatchdogTimeout;
    }

    private WatchdogFeeder Feeder(Func<IReadOnlyList<VitalSign>> read) => new(_systemd, read, () => "well", _time, NullLogger<WatchdogFeeder>.Instance);

    private async Task UntilReceivedAsync() => await Bench.UntilAsync(() => _manager.Received().Contains(Fed));

    /// <summary>Lets the feeder's time pass, and real time for the threads, until it sends what is expected.</summary>
    private async Task LookUntilAsync(WatchdogFeeder feeder, string expected, CapturePipeline pipeline)
    {
        await Bench.UntilAsync(() =>
        {
            // Threads that live beat between two looks, however busy the machine is.
            IReadOnlyList<ThreadPulse> before = pipeline.ReadPulses();
            SpinWait.SpinUntil(() => pipeline.ReadPulses()[0].Beats > before[0].Beats + 1);
            _time.Advance(Limit);
            feeder.Look();
            return _manager.Received().Any(m => m.StartsWith(expected, StringComparison.Ordinal));
        });
    }

    /// <summary>A source whose read does not come back until it is told to.</summary>
    private sealed class StuckSource : IPacketSource
    {
        private readonly ManualResetEventSlim _free = new();

        public string Name => "stuck";

        public void Free() => _free.Set();

        public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
        {
            _free.Wait();
            Thread.Sleep(timeout);
            return SourceReadStatus.Timeout;
        }

        public SourceStatistics GetStatistics() => default;

        public void Dispose()
        {
            _free.Set();
            _free.Dispose();
        }
    }
}
