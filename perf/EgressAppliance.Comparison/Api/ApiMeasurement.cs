using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Bgp.Peer;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Api;

/// <summary>What clients ask for.</summary>
/// <param name="Path">Path and query.</param>
/// <param name="Gzip">True if they take it compressed, as browsers and Prometheus do.</param>
/// <param name="AnyAddress">True if each request asks for another random IPv4 address, which ends the path.</param>
internal sealed record ApiQuestion(string Path, bool Gzip = false, bool AnyAddress = false)
{
    /// <inheritdoc/>
    public override string ToString() => $"`{Path}{(AnyAddress ? "ADDRESS" : "")}`{(Gzip ? ", gzip" : "")}";
}

/// <summary>A document read by many clients at once.</summary>
/// <param name="Question">What was read.</param>
/// <param name="Octets">Its length.</param>
/// <param name="Clients">How clients fared.</param>
/// <param name="Sent">Frames sent to the mirror port meanwhile.</param>
/// <param name="Counted">Frames that the appliance received of them.</param>
/// <param name="Lost">Frames that the NIC, the kernel or the pipeline lost.</param>
internal sealed record ApiSample(ApiQuestion Question, int Octets, WrkResult Clients, long Sent, long Counted, long Lost);

/// <summary>
/// The whole appliance, with a full table from a router by iBGP with ADD-PATH and traffic on its mirror port, while clients read its API on loopback as fast as they can. What sends and the
/// clients share processor 0, where the appliance may run as well; its capture worker is on processor 1.
/// </summary>
/// <param name="folder">Folder of traffic and table.</param>
/// <param name="clients">Clients at once.</param>
/// <param name="seconds">How long each document is read.</param>
/// <param name="rate">Frames a second on the mirror port.</param>
internal sealed class ApiMeasurement(string folder, int clients, int seconds, int rate)
{
    private const string SenderInterface = "wire0";
    private const string MirrorInterface = "mir0";
    // The next hops of the paths are the addresses before that of the router.
    private const int Providers = 2;
    private const int Router = 2;
    private const string Url = "http://127.0.0.1:8080";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    private readonly string _programs = Repository.BuildBaselines("live");

    /// <summary>What is read, one after the other.</summary>
    public static IReadOnlyList<ApiQuestion> Questions { get; } =
    [
        new("/api/v1/status"), new("/api/v1/links"), new("/api/v1/overrides"), new("/api/v1/prefixes?top=100"), new("/api/v1/prefixes?top=10000"),
        new("/api/v1/prefixes?top=10000", Gzip: true), new("/api/v1/matrix", Gzip: true), new("/api/v1/decisions"), new("/api/v1/explain?prefix=8.8.8.8"),
        new("/api/v1/explain?prefix=", AnyAddress: true), new("/metrics"), new("/metrics", Gzip: true),
    ];

    /// <summary>Runs it; needs root, and wrk.</summary>
    public (FeedFile Feed, IReadOnlyList<ApiSample> Samples) Run()
    {
        FeedFile feed = FeedGenerator.Ensure(folder, new FeedOptions { Internal = true, Paths = Providers });
        using BgpLab lab = new();
        lab.AddWire(SenderInterface, MirrorInterface);
        string config = Path.Combine(lab.Folder, "appliance.yaml");
        File.WriteAllText(config, Configuration(lab.Folder));
        using Process appliance = lab.Start([Repository.Appliance, "run", "--config", config], BgpLab.BothProcessors, redirect: false);
        try
        {
            Await(lab, "/healthz", _ => true);
            using ScriptedPeer router = lab.Connect(Router, new PeerIdentity(FeedOptions.ReceiverAs, 0xC633_6404, 30, AddPath: true));
            router.SendTable(feed.Path);
            Await(lab, "/api/v1/bgp", text => text.Contains("\"table_complete\":true", StringComparison.Ordinal));
            List<ApiSample> samples = [];
            foreach (ApiQuestion question in Questions)
            {
                ApiSample sample = Measure(lab, question);
                Console.Error.WriteLine(sample);
                samples.Add(sample);
            }

            return (feed, samples);
        }
        finally
        {
            // The process is that of ip(8), which has become taskset(1) and that the appliance; SIGTERM lets it withdraw and end.
            ProcessRun.TryFirstLine("kill", "-TERM", appliance.Id.ToString(CultureInfo.InvariantCulture));
            appliance.WaitForExit(TimeSpan.FromSeconds(20));
        }
    }

    private static string Configuration(string folder)
    {
        string links = string.Join('\n', TrafficMix.Links.Take(Providers).Select((link, i) =>
            $"  - {{ name: {link.Name}, router: edge1, interface: \"index:{i + 1}\", next_hops: [\"{RouteAttributes.NextHopOf(IpFamily.IPv4, i).Address}\", \"{RouteAttributes.NextHopOf(IpFamily.IPv6, i).Address}\"], "
            + $"match: {{ mac: \"{TrafficMix.FormatMac(link.Mac)}\" }}, capacity: 100Gbit/s }}"));
        return $$"""
            version: 1
            capture: { sources: [ { interface: {{MirrorInterface}}, cpus: [1] } ] }
            routers:
              - { name: edge1, address: {{BgpLab.RouterAddress(Router)}}, bgp: { local_address: {{BgpLab.SpeakerAddress}}, local_as: {{FeedOptions.ReceiverAs}}, passive: true, hold_time: 30s } }
            links:
            {{links}}
            decision: { cycle: 1s, window: 5s }
            history: { path: {{folder}}/history.db }
            http: { socket: "" }
            """;
    }

    private ApiSample Measure(BgpLab lab, ApiQuestion question)
    {
        string url = Url + question.Path, coding = question.Gzip ? "gzip" : "identity";
        string script = Path.Combine(lab.Folder, "address.lua");
        File.WriteAllText(script, question.AnyAddress ? $"request = function() return wrk.format('GET', '{question.Path}' .. math.random(1, 223) .. '.' .. math.random(0, 255) .. '.' .. math.random(0, 255) .. '.1') end\n" : "");
        string octets = lab.Ask("curl", "-sf", "-o", "/dev/null", "-w", "%{size_download}", "-H", $"Accept-Encoding: {coding}", url + (question.AnyAddress ? "8.8.8.8" : ""));
        (long sentBefore, JsonElement before) = (lab.CountSent(SenderInterface), Capture(lab));
        using Process sender = Send(lab);
        WrkResult result = WrkResult.Parse(lab.Ask(
            "wrk", "-t", "1", "-c", clients.ToString(CultureInfo.InvariantCulture), "-d", $"{seconds}s", "--latency", "--timeout", "10s",
            "-H", $"Accept-Encoding: {coding}", "-s", script, url));
        sender.WaitForExit();

        // What is shown is of the latest cycle: when all is counted, the sums are equal.
        Thread.Sleep(Settle);
        (long sentAfter, JsonElement after) = (lab.CountSent(SenderInterface), Capture(lab));
        return new(question, int.Parse(octets, CultureInfo.InvariantCulture), result, sentAfter - sentBefore, Of(after, "frames") - Of(before, "frames"), Lost(after) - Lost(before));
    }

    private static long Lost(JsonElement capture) => Of(capture, "kernel_dropped") + Of(capture, "pool_exhausted")
        + capture.GetProperty("sources").EnumerateArray().Sum(s => Of(s, "nic_missed") + Of(s, "nic_dropped"));

    private static long Of(JsonElement element, string name) => element.GetProperty(name).GetInt64();

    private static JsonElement Capture(BgpLab lab) => JsonElement.Parse(lab.Ask("curl", "-sf", Url + "/api/v1/capture"));

    private Process Send(BgpLab lab) => lab.StartAtRouters(
    [
        Path.Combine(_programs, "sender"), "--interface", SenderInterface, "--seconds", (seconds + 1).ToString(CultureInfo.InvariantCulture), "--rate", rate.ToString(CultureInfo.InvariantCulture),
        TrafficGenerator.PcapPath(folder, "mixed"),
    ]);

    private static void Await(BgpLab lab, string path, Func<string, bool> done)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (done(lab.Ask("curl", "-sf", "--max-time", "10", Url + path)))
                {
                    return;
                }
            }
            catch (ComparisonException) when (Stopwatch.GetElapsedTime(start) < Patience)
            {
                // Not up yet.
            }

            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new ComparisonException($"{path} did not become what it should within {Patience.TotalMinutes:0} minutes");
            }

            Thread.Sleep(500);
        }
    }
}
