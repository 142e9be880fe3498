using System.Text;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Http;

public sealed class MetricsPageTests
{
    [Fact]
    public async Task Page_is_written_anew_for_a_new_state_and_after_a_second()
    {
        FakeAppliance appliance = new();
        ManualTimeProvider time = new();
        int written = 0;
        MetricsPage page = new(appliance, text => text.Sample(Interlocked.Increment(ref written)), time);
        async Task<string> ReadAsync() => Encoding.UTF8.GetString((await page.GetAsync()).Content.Span).Trim();

        Document[] read = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => page.GetAsync()));
        Assert.All(read, d => Assert.Same(read[0], d));
        Assert.Equal("1", await ReadAsync());
        appliance.Feed.Publish(FakeAppliance.MakeState("inject"));
        Assert.Equal("2", await ReadAsync());
        time.Advance(MetricsPage.MaxAge - TimeSpan.FromMilliseconds(1));
        Assert.Equal("2", await ReadAsync());
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("3", await ReadAsync());
    }
}
