using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp.Daemons;

/// <summary>The appliance's speaker, as <c>bgp-receive</c>.</summary>
internal sealed class OwnSpeaker : Speaker
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly Process _process;
    private readonly BlockingCollection<JsonElement> _events = [];

    /// <summary>Starts it.</summary>
    /// <param name="routers">Routers it knows.</param>
    /// <param name="isInternal">They are in its AS.</param>
    /// <param name="holdTime">Hold time it proposes, seconds.</param>
    /// <param name="processors">Where it may run, as taskset(1) takes it.</param>
    /// <param name="monitoringPort">TCP port to take BMP on, or null.</param>
    public OwnSpeaker(int routers = 1, bool isInternal = false, int holdTime = 3600, string processors = BgpLab.SpeakerProcessor, int? monitoringPort = null)
    {
        List<string> command =
        [
            Path.Combine(AppContext.BaseDirectory, "EgressAppliance.Comparison"), "bgp-receive", "--listen", $"{BgpLab.SpeakerAddress}:179", "--hold-time", $"{holdTime}",
            .. Enumerable.Range(0, routers).SelectMany(i => (string[])["--peer", BgpLab.RouterAddress(i).ToString()]),
            "--next-hop", RouteAttributes.NextHopOf(Net.IpFamily.IPv4, 1).ToString(),
        ];
        if (isInternal)
        {
            command.Add("--ibgp");
        }

        if (monitoringPort is { } port)
        {
            command.AddRange("--bmp", $"{port}");
        }

        _process = Run(command, processors, redirect: true);
        new Thread(Read) { IsBackground = true, Name = "events" }.Start();
        Await("ready");
    }

    /// <inheritdoc/>
    public override long CountRoutes()
    {
        JsonElement peer = Ask("status", "status").GetProperty("peers")[0];
        return peer.GetProperty("paths_ipv4").GetInt64() + peer.GetProperty("paths_ipv6").GetInt64();
    }

    /// <summary>Routes of all routers and peers that it holds by BMP now.</summary>
    public long CountMonitoredRoutes() => Ask("status", "status").GetProperty("monitored_routes").GetInt64();

    /// <summary>Connects router 0 to its BMP station.</summary>
    public Peer.MonitoredRouterScript ConnectStation() => Lab.ConnectStation(0);

    /// <inheritdoc/>
    public override long WaitFor(long routes, Peer.ScriptedPeer? peer)
    {
        // It tells by itself, and so need not be asked while it works.
        JsonElement told = Await(routes == 0 ? "empty" : "complete");
        return told.GetProperty("paths_ipv4").GetInt64() + told.GetProperty("paths_ipv6").GetInt64();
    }

    /// <summary>Its managed heap, bytes, dead objects that have not been collected included.</summary>
    public long HeapBytes() => HeapBytes(Ask("status", "status"));

    /// <summary>Its managed heap after everything dead was collected, bytes.</summary>
    public long LiveBytes() => HeapBytes(Ask("collect", "collected"));

    /// <summary>Microseconds that the question for the paths of a prefix, in the order of preference, takes.</summary>
    public double PathQuestionMicroseconds(int prefixes)
    {
        JsonElement answer = Ask($"paths {prefixes}", "paths");
        return answer.GetProperty("seconds").GetDouble() / answer.GetProperty("prefixes").GetInt32() * 1e6;
    }

    /// <summary>Writes a line to it and waits for the answer.</summary>
    /// <param name="line">The line.</param>
    /// <param name="answer">Name of the event that answers.</param>
    public JsonElement Ask(string line, string answer)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
        return Await(answer);
    }

    /// <summary>Waits for an event; those before it are passed over.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="peer">Of which peer, or null for any.</param>
    /// <exception cref="ComparisonException">It does not come.</exception>
    public JsonElement Await(string name, string? peer = null)
    {
        while (_events.TryTake(out JsonElement told, Patience))
        {
            if (told.GetProperty("event").GetString() == name && (peer is null || told.GetProperty("peer").GetString() == peer))
            {
                return told;
            }
        }

        throw new ComparisonException($"bgp-receive: no \"{name}\"");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_process.HasExited)
        {
            _process.StandardInput.Close();
            _process.WaitForExit(TimeSpan.FromSeconds(10));
        }

        base.Dispose(disposing);
    }

    private static long HeapBytes(JsonElement told) => told.GetProperty("usage").GetProperty("heap_bytes").GetInt64();

    private void Read()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            _events.Add(JsonElement.Parse(line));
        }

        _events.CompleteAdding();
    }
}
