using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using EgressAppliance.Tests.Http;

namespace EgressAppliance.Tests.Steering;

public sealed class StateFeedTests
{
    [Fact]
    public async Task Next_gives_the_present_state_to_who_has_not_seen_it()
    {
        StateEventDto first = FakeAppliance.MakeState("observe");
        StateFeed feed = new(first);
        Assert.Same(first, await feed.NextAsync(null, CancellationToken.None));
    }

    [Fact]
    public async Task Next_waits_for_a_newer_state_and_skips_those_missed()
    {
        StateEventDto first = FakeAppliance.MakeState("observe");
        StateFeed feed = new(first);
        Task<StateEventDto> waiting = feed.NextAsync(first, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        StateEventDto second = FakeAppliance.MakeState("inject");
        StateEventDto third = FakeAppliance.MakeState("observe");
        feed.Publish(second);
        feed.Publish(third);
        Assert.Same(second, await waiting);
        Assert.Same(third, await feed.NextAsync(second, CancellationToken.None));
    }

    [Fact]
    public async Task Next_ends_when_cancelled()
    {
        StateEventDto first = FakeAppliance.MakeState("observe");
        using CancellationTokenSource cancel = new();
        Task<StateEventDto> waiting = new StateFeed(first).NextAsync(first, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public void Decision_log_keeps_the_newest_and_counts_all()
    {
        DecisionLog log = new(capacity: 2);
        for (int i = 1; i <= 3; i++)
        {
            log.Add(new DecisionDto(i, FakeAppliance.Time, i == 3 ? "relieved" : "no_overload", "", "observe", [], [], 0, 0, 0));
        }

        Assert.Equal([3L, 2L], log.Latest(10).Select(d => d.Id));
        Assert.Equal([3L], log.Latest(1).Select(d => d.Id));
        Assert.Equal([KeyValuePair.Create("no_overload", 2L), KeyValuePair.Create("relieved", 1L)], log.Verdicts);
    }
}
