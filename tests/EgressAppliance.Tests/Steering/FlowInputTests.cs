using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

/// <summary>Flow export among the inputs of a cycle.</summary>
public sealed class FlowInputTests
{
    private const int Settled = 20;
    private static readonly IpAddr Router = IpAddr.Parse("192.0.2.1", null);

    [Fact]
    public async Task Collect_exported_counts_are_scaled_once_and_err_by_their_own_sampling()
    {
        // Link a is mirrored, one frame in ten; b and c are exported: all packets of b, one in a hundred of c.
        await using Bench bench = Make(c => Bench.WithLink(0, l => l with { MatchSource = "mirror0" })(c) with
        {
            Capture = c.Capture with { Sources = [c.Capture.Sources[0] with { Sampling = 10 }] },
        });
        CycleInputs inputs = bench.Collect(Settled, () =>
        {
            bench.Pipeline.Count(bench.Id(Bench.Big), 1, 600, 600_000);
            bench.Pipeline.Count(0, 2, 6_000, 6_000_000, sampling: 1);
            bench.Pipeline.Count(bench.Id(Bench.Second), 3, 6_000, 6_000_000, sampling: 100);
            Heard(bench);
        });
        Assert.All(inputs.MirrorBps, rate => Assert.InRange(rate, 9_770_000, 9_780_000));
        Assert.Equal(3 * 9_600_000.0, inputs.BitsPerSecond, 3);
        double all = ErrorOf(inputs, Bench.Big);
        double few = ErrorOf(inputs, Bench.Second);

        // Ten times fewer packets were looked at.
        Assert.InRange(few / all, 2.9, 3.5);
        Assert.True(inputs.Beliefs[0].ErrorBps > 0);
        Assert.Equal(0, inputs.Beliefs[1].ErrorBps);
        Assert.True(inputs.Beliefs[2].ErrorBps > inputs.Beliefs[0].ErrorBps);
        Assert.Equal([false, true, true], inputs.FlowFed);
        Assert.Equal(0, inputs.UnattributedPackets);
    }

    [Fact]
    public async Task Collect_silence_of_an_exporter_is_a_fault_beyond_the_active_timeout_unless_counters_say_idle()
    {
        await using Bench bench = Make();
        Assert.Equal(TimeSpan.Zero, bench.Collect(() => Heard(bench)).Input.Health.CaptureAge);
        Assert.Equal(TimeSpan.Zero, bench.Collect(12).Input.Health.CaptureAge);
        CycleInputs silent = bench.Collect(4);
        Assert.Equal(TimeSpan.FromSeconds(20), silent.Input.Health.CaptureAge);
        Assert.Contains("192.0.2.1 of edge1 has sent nothing for 80 s", Assert.Single(silent.Problems), StringComparison.Ordinal);
        for (int i = 0; i < 3; i++)
        {
            bench.Interfaces[i] = bench.Interfaces[i] with { OutBps = 0 };
        }

        Assert.Equal(TimeSpan.Zero, bench.Collect().Input.Health.CaptureAge);
        for (int i = 0; i < 3; i++)
        {
            bench.Interfaces[i] = bench.Interfaces[i] with { OutBps = 5e6 };
        }

        Assert.True(bench.Collect().Input.Health.CaptureAge > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, bench.Collect(() => Heard(bench)).Input.Health.CaptureAge);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Collect_missing_units_and_kernel_drops_are_loss_of_the_exporters_links_alone(bool sequence)
    {
        await using Bench bench = Make(Bench.WithLink(0, l => l with { MatchSource = "mirror0" }));
        CycleInputs inputs = bench.Collect(Settled, () =>
        {
            bench.Pipeline.Count(bench.Id(Bench.Big), 1, 600, 600_000);
            bench.Pipeline.Count(bench.Id(Bench.Second), 2, 600, 600_000, sampling: 1);
            Heard(bench, lost: sequence ? 25 : 0, dropped: sequence ? 0 : 25);
        });
        Assert.Equal(0.2, inputs.Input.Health.CaptureLoss, 2);
        Assert.Equal(0.2, inputs.Flow!.Exporters[0].LossRatio, 2);
        Assert.Equal(0.25, ErrorOf(inputs, Bench.Second), 2);
        Assert.Equal(0, ErrorOf(inputs, Bench.Big), 6);
        Assert.Null(inputs.Input.Links[0].ErrorRatio);
        Assert.Equal(0.2, inputs.Input.Links[1].ErrorRatio!.Value, 2);
    }

    [Fact]
    public async Task Collect_rates_that_lag_are_compared_with_the_counter_of_then()
    {
        await using Bench bench = Make();
        CycleInputs inputs = null!;
        for (int cycle = 0; cycle < 60; cycle++)
        {
            // The load steps up after 100 s; export tells a minute later.
            bench.Interfaces[0] = bench.Interfaces[0] with { OutBps = cycle < 20 ? 10.18e6 : 40.72e6 };
            inputs = bench.Collect(() =>
            {
                bench.Pipeline.Count(bench.Id(Bench.Big), 1, cycle < 32 ? 6_250 : 25_000, cycle < 32 ? 6_250_000 : 25_000_000, sampling: 1);
                Heard(bench, delay: 60);
            });
            Assert.True(cycle is >= 31 and <= 34 || inputs.Beliefs[0].Judgement.Cause is RateCause.Unknown or RateCause.Agree, $"{cycle}: {inputs.Beliefs[0].Judgement}");
        }

        Assert.Equal(RateCause.Agree, inputs.Beliefs[0].Judgement.Cause);
    }

    [Fact]
    public void Options_wait_for_what_flow_export_tells_late()
    {
        ApplianceConfig config = new() { Routers = [Bench.Router("edge1", snmp: true)], Links = [Bench.MakeLink(1, "a", "100.64.1.2")] };
        ControllerOptions mirrored = SteeringOptions.ForController(config);
        ControllerOptions exported = SteeringOptions.ForController(config with { Flow = new FlowConfig { ActiveTimeout = TimeSpan.FromSeconds(60) } });
        Assert.Equal(mirrored.ConfirmWithin + TimeSpan.FromSeconds(120), exported.ConfirmWithin);
        Assert.Equal(mirrored.MisprojectionCycles + 24, exported.MisprojectionCycles);
    }

    private static Bench Make(Func<ApplianceConfig, ApplianceConfig>? change = null)
    {
        Bench bench = new(change: c =>
        {
            ApplianceConfig with = c with { Flow = new FlowConfig { Exporters = [new FlowExporterConfig { Address = Router, Router = "edge1" }] } };
            return change?.Invoke(with) ?? with with { Capture = new CaptureConfig() };
        });
        bench.Flow = new FlowReading { Exporters = [new ExporterReading { Address = Router, Router = "edge1" }], Listeners = [new("0.0.0.0:2055", 0, 0, 0, 0, null)] };
        if (bench.Config.Capture.Sources.Count == 0)
        {
            bench.Pipeline.Statistics = new();
        }

        return bench;
    }

    /// <summary>A datagram of a hundred records.</summary>
    private static void Heard(Bench bench, long lost = 0, long dropped = 0, int delay = 0)
    {
        ExporterReading before = bench.Flow!.Exporters[0];
        ListenerReading socket = bench.Flow.Listeners[0];
        bench.Flow = bench.Flow with
        {
            Exporters =
            [
                before with { Datagrams = before.Datagrams + 1, Received = before.Received + 100, Lost = before.Lost + lost, Delay = TimeSpan.FromSeconds(delay) },
            ],
            Listeners = [socket with { Datagrams = socket.Datagrams + 100, KernelDropped = socket.KernelDropped + dropped }],
        };
    }

    private static double ErrorOf(CycleInputs inputs, string prefix) => inputs.Rates.Find(IpPrefix.Parse(prefix))!.Value.ErrorRatio;
}
