using System.Diagnostics;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Interfaces;

public sealed class InterfaceCollectorTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly FakeRouter _alive;

    private long _seconds;

    // Receives and never answers.
    private readonly ScriptedResponder _dead = new();

    public InterfaceCollectorTests()
    {
        _alive = new FakeRouter(_time);
        _alive.AddInterface(7, "prov-a", 1_000_000);
    }

    public async ValueTask DisposeAsync()
    {
        await _alive.DisposeAsync();
        _dead.Dispose();
    }

    private RouterConfig Dead => _alive.Config() with
    {
        Name = "edge2",
        Snmp = new SnmpConfig { Community = "s3cret", Port = _dead.EndPoint.Port },
    };

    /// <summary>
    /// Lets the clock run in steps of a second until something holds. Before each step the living router's polls that are due
    /// must have happened, so that a slow machine does not look like a slow router.
    /// </summary>
    private async Task RunUntilAsync(InterfaceCollector collector, Func<bool> holds)
    {
        Stopwatch limit = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(limit.Elapsed < ScriptedResponder.Patience, "the condition never held");
            if (collector.GetRouters().Single(router => router.Router == "edge1").Polls > _seconds / 10)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                _seconds++;
            }

            await Task.Delay(1);
        }
    }

    [Fact]
    public async Task GetLinks_dead_router_delays_no_other_and_is_explained()
    {
        await using InterfaceCollector collector = new(
            [Dead, _alive.Config()],
            [_alive.Link("isp-b", "prov-b", 1) with { Router = "edge2" }, _alive.Link("isp-a", "prov-a", 2)],
            _time,
            NullLogger<InterfaceCollector>.Instance);
        await collector.StartAsync();
        await RunUntilAsync(collector, () => collector.GetLinks()[1].OutBps is not null && collector.GetRouters()[0].FailedPolls >= 1);

        IReadOnlyList<InterfaceState> links = collector.GetLinks();
        string why = $"no answer from {_dead.EndPoint} in 4 s (2 tries): wrong community, view or address";
        Assert.Equal(("isp-b", OperStatus.Unknown, null, why), (links[0].Link, links[0].OperStatus, links[0].OutBps, links[0].Error));
        Assert.Equal(("isp-a", OperStatus.Up, null), (links[1].Link, links[1].OperStatus, links[1].Error));
        IReadOnlyList<RouterState> routers = collector.GetRouters();
        Assert.Equal(("edge2", false, null, why), (routers[0].Router, routers[0].Reachable, routers[0].LastPoll, routers[0].LastError));
        Assert.Equal(("edge1", true, null), (routers[1].Router, routers[1].Reachable, routers[1].LastError));
    }

    [Fact]
    public async Task GetLinks_router_without_snmp_is_explained()
    {
        await using InterfaceCollector collector = new(
            [_alive.Config() with { Snmp = null }], [_alive.Link("isp-a", "prov-a")], _time, NullLogger<InterfaceCollector>.Instance);
        await collector.StartAsync();

        Assert.Equal("edge1 has no snmp section in the configuration", collector.GetLinks()[0].Error);
        Assert.Empty(collector.GetRouters());
    }

    [Fact]
    public async Task StartAsync_logs_changes_once_and_never_the_community()
    {
        RecordingLogger logger = new();
        await using (InterfaceCollector collector = new(
            [Dead, _alive.Config()], [_alive.Link("isp-a", "prov-a"), _alive.Link("isp-x", "prov-x", 2)], _time, logger))
        {
            await collector.StartAsync();
            await RunUntilAsync(collector, () => collector.GetRouters()[0].FailedPolls >= 3 && collector.GetRouters()[1].Polls >= 10);
            await Assert.ThrowsAsync<InvalidOperationException>(collector.StartAsync);
        }

        string[] lines = logger.Lines;
        Assert.Equal(
            [
                "edge1 answers to snmp",
                $"edge2 cannot be polled: no answer from {_dead.EndPoint} in 4 s (2 tries): wrong community, view or address",
                "link isp-a is Up, was Unknown",
                "link isp-a is interface prov-a with ifIndex 7 on edge1",
                "link isp-x has no counters: no interface prov-x on edge1; nearest names: prov-a",
            ],
            lines.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("s3cret", StringComparison.Ordinal));
    }

    private sealed class RecordingLogger : ILogger<InterfaceCollector>
    {
        private readonly Lock _lock = new();
        private readonly List<string> _lines = [];

        public string[] Lines
        {
            get
            {
                lock (_lock)
                {
                    return [.. _lines];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lock)
            {
                _lines.Add(formatter(state, exception));
            }
        }
    }
}
