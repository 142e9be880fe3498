using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Systemd;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.Systemd;

public sealed class HealthLineTests
{
    [Theory]
    [InlineData(true, new string[0], "observe, healthy; 0 of ")]
    [InlineData(false, new string[0], "observe, not healthy yet; 0 of ")]
    [InlineData(false, new[] { "no table" }, "observe, 1 problem: no table; 0 of ")]
    [InlineData(false, new[] { "no table", "no mirror" }, "observe, 2 problems: no table; 0 of ")]
    public async Task From_tells_mode_and_first_problem(bool healthy, string[] problems, string expected)
    {
        await using Bench bench = new(ApplianceMode.Observe);
        StateEventDto empty = bench.Builder.Empty(ApplianceMode.Observe);
        string line = HealthLine.From(empty with { Status = empty.Status with { Healthy = healthy, Problems = problems } });
        Assert.StartsWith(expected, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task From_running_appliance_tells_its_overrides()
    {
        await using Bench bench = new(ApplianceMode.Inject);
        await bench.RelieveAsync();
        string line = HealthLine.From(bench.Api.State);
        Assert.StartsWith("inject, ", line, StringComparison.Ordinal);
        Assert.Contains(", 1 overrides; ", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }
}
