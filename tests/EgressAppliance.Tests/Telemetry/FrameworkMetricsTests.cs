using EgressAppliance.Host.Telemetry;

namespace EgressAppliance.Tests.Telemetry;

public sealed class FrameworkMetricsTests
{
    [Theory]
    [InlineData("http.server.request.duration", "s", false, "http_server_request_duration_seconds")]
    [InlineData("kestrel.active_connections", "{connection}", false, "kestrel_active_connections")]
    [InlineData("dotnet.gc.collections", "{collection}", true, "dotnet_gc_collections_total")]
    [InlineData("dotnet.gc.heap.total_allocated", "By", true, "dotnet_gc_heap_total_allocated_bytes_total")]
    [InlineData("dotnet.process.cpu.time", "s", true, "dotnet_process_cpu_time_seconds_total")]
    [InlineData("queue.bytes", "By", false, "queue_bytes")]
    public void Name_is_that_of_Prometheus(string name, string unit, bool monotonic, string expected) => Assert.Equal(expected, FrameworkMetrics.NameOf(name, unit, monotonic));
}
