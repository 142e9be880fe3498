using EgressAppliance.Host.History;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Telemetry;

namespace EgressAppliance.Tests.Http;

/// <summary>The metrics of a state in which every family has a sample.</summary>
internal static class MetricsText
{
    private static readonly BgpPeerDto Full = new("edge1", "192.0.2.1", "Established", FakeAppliance.Time, 3_200_000, 2_500_000, 700_000, true, true, 3, "hold timer expired")
    {
        PathSource = "add-path",
        AllPathsKnown = true,
        LastErrorAt = FakeAppliance.Time,
        LastNotification = new("received", 6, 2, "6/2 Cease, Administrative Shutdown: \"line card\"", "line card", FakeAppliance.Time),
        Negotiated = new("ibgp", "192.0.2.1", 9, 3, ["ipv4", "ipv6"], ["add-path-ipv4", "route-refresh"]),
        Md5 = true,
        TtlSecurity = true,
        MaxPrefix = 4_000_000,
        MaxPrefixRatio = 0.8,
        MaxPrefixWarning = true,
        MaxPrefixOut = 500,
        OverridesWaiting = 6,
        Output = new(2048, 1 << 20, 8 << 20, true),
        StatesEntered = new Dictionary<string, long> { ["Idle"] = 1, ["Connect"] = 3, ["Active"] = 4, ["OpenSent"] = 2, ["OpenConfirm"] = 2, ["Established"] = 2 },
        Counters = new(2, 3, 4, 5, 6, 7, 8, 9, 10),
        LocRib = new(1_000_000, true, 900, 4),
        Bmp = new("up", FakeAppliance.Time, "adj-rib-in-pre-policy", [new("100.64.1.2", 64501, true, [], null), new("100.64.2.2", 64502, false, [], null)], null)
        {
            Connections = 2,
            Messages = 30,
            Malformed = 1,
        },
    };

    /// <summary>One router of which all is known, and one of which nothing is.</summary>
    public static string OfEverything()
    {
        StateEventDto state = FakeAppliance.MakeState("inject");
        CaptureSourceDto source = new("mir0", 10, 2, 1, null) { State = "receiving", WorkerFrames = [10] };
        state = state with
        {
            Status = state.Status with
            {
                Bgp = [Full, new("edge2", "192.0.2.5", "Active", FakeAppliance.Time, 0, 0, 0, false, false, 0, null)],
                Capture = state.Status.Capture with { Sources = [source], Flow = FakeAppliance.Flow },
            },
            Overrides = [new("192.0.2.0/24", "isp-a", "isp-b", 100, FakeAppliance.Time, "", "confirmed", FakeAppliance.Time.AddSeconds(30))],
            Decision = new(7, FakeAppliance.Time, "relieved", "", "inject", [], [], 1, 0, 4),
        };
        DurationHistogram cycles = new(DurationHistogram.OfCycles);
        cycles.Observe(TimeSpan.FromMilliseconds(4));
        using StringWriter text = new();
        ApplianceMetrics.Write(new PrometheusText(text), state, [KeyValuePair.Create("no_overload", 4L)], [KeyValuePair.Create("announced", 2L)],
            new JournalStatus(null, 10, 1, 1, 4096), new FakeAppliance().GetCost(),
            new LoopReading(TimeSpan.FromSeconds(5), cycles.Read()),
            new HistoryStatus(
                "history.db", null, [], 1, 100, 2, 3, 4, 1 << 20, 1 << 19, 8L << 30, 5, new Dictionary<string, long> { ["link_minute"] = 200 },
                cycles.Read())
            {
                Sinks = [new SinkStatus("central", "no answer", 50, 1, 60)],
            });
        ClusterMetrics.Write(new PrometheusText(text), FakeAppliance.Site);
        OtlpMetrics.Write(new PrometheusText(text), new OtlpStatus(5, 1, true));
        HttpMetrics.Write(new PrometheusText(text), 2, FakeAppliance.AuditInMemory(), 1);
        return text.ToString();
    }
}
