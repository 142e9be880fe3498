using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Telemetry;

public sealed class OtlpExportTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData(false, "/v1/metrics")]
    [InlineData(true, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")]
    public async Task Collector_gets_what_the_page_says_under_the_same_names(bool grpc, string path)
    {
        await using OtlpCollector collector = await OtlpCollector.StartAsync(grpc);
        int written = 0;
        await using OtlpExport export = Start(collector.Address, grpc, writer =>
        {
            written++;
            writer.Gauge("egress_test_bits", "A gauge.").Sample(1.5, ("link", "isp-a")).Sample(2, ("link", "isp-b")).Sample(double.NaN, ("link", "isp-c"));
            writer.Counter("egress_test_total", "A counter.").Sample(40 + written);
            writer.Histogram("egress_test_seconds", "A histogram.", new DurationReading([0.1], [3, 1], 0.75));
        });
        OtlpRequest first = await collector.NextAsync();
        Assert.Equal((path, "Bearer s3cret, with comma"), (first.Path, first.Authorization));
        Assert.Equal(("egress-appliance", "fra1", "1.2.3"), (first.Resource["service.name"], first.Resource["service.instance.id"], first.Resource["service.version"]));
        Assert.Equal(["gauge isp-a 1.5", "gauge isp-b 2"], Of(first, "egress_test_bits").Select(p => $"{p.Kind} {p.Attributes["link"]} {p.Value}"));
        Assert.Equal(("counter", 41.0), Assert.Single(Of(first, "egress_test_total").Select(p => (p.Kind, p.Value))));
        Assert.Equal(["0.1 3", "+Inf 4"], Of(first, "egress_test_seconds_bucket").Select(p => $"{p.Attributes["le"]} {p.Value}"));
        Assert.Equal(0.75, Assert.Single(Of(first, "egress_test_seconds_sum")).Value);
        Assert.Contains(first.Points, p => p is { Metric: "dotnet.gc.collections", Kind: "counter" });

        OtlpRequest second = await collector.NextAsync();
        Assert.Equal(("counter", 42.0), Assert.Single(Of(second, "egress_test_total").Select(p => (p.Kind, p.Value))));
        await Eventually(() => export.Status is { Exports: >= 2, Failures: 0, Problem: false });
    }

    [Fact]
    public async Task Refusing_collector_is_counted_and_then_forgiven()
    {
        await using OtlpCollector collector = await OtlpCollector.StartAsync(grpc: false);
        collector.Status = 400;
        await using OtlpExport export = Start(collector.Address, grpc: false, w => w.Gauge("egress_test", "A test.").Sample(1));
        await Eventually(() => export.Status is { Exports: 0, Failures: >= 2, Problem: true });
        collector.Status = 200;
        await Eventually(() => export.Status is { Exports: >= 1, Problem: false });
    }

    [Fact]
    public async Task Families_that_cannot_be_written_fail_the_export_and_not_the_thread()
    {
        await using OtlpCollector collector = await OtlpCollector.StartAsync(grpc: false);
        bool broken = true;
        await using OtlpExport export = Start(collector.Address, grpc: false, w =>
        {
            if (Volatile.Read(ref broken))
            {
                throw new InvalidOperationException("not now");
            }

            w.Gauge("egress_test", "A test.").Sample(1);
        });
        await Eventually(() => export.Status is { Failures: >= 1, Problem: true });
        Volatile.Write(ref broken, false);
        await Eventually(() => export.Status is { Exports: >= 1, Problem: false });
    }

    [Fact]
    public async Task Collector_that_takes_the_connection_and_never_answers_does_not_hold_up_the_end()
    {
        using System.Net.Sockets.TcpListener silent = new(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        OtlpExport export = Start(new Uri($"http://{silent.LocalEndpoint}"), grpc: false, w => w.Gauge("egress_test", "A test.").Sample(1), timeout: TimeSpan.FromMinutes(1));
        using System.Net.Sockets.TcpClient connection = await silent.AcceptTcpClientAsync();
        await export.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, export.Status.Exports);
    }

    private static OtlpExport Start(Uri address, bool grpc, Action<MetricWriter> write, TimeSpan? timeout = null) => new(
        new OtlpConfig { Endpoint = address, Grpc = grpc, Interval = Soon, Timeout = timeout ?? TimeSpan.FromSeconds(10), Headers = [KeyValuePair.Create("Authorization", "Bearer s3cret, with comma")] },
        "fra1", "1.2.3", write, NullLogger<OtlpExport>.Instance, TimeProvider.System);

    private static IEnumerable<OtlpPoint> Of(OtlpRequest request, string metric) => request.Points.Where(p => p.Metric == metric);

    private static async Task Eventually(Func<bool> seen)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (!seen())
        {
            await Task.Delay(20, patience.Token);
        }

        Assert.True(seen());
    }
}
