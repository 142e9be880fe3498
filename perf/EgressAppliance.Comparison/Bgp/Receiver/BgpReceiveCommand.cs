using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Comparison.Bgp.Receiver;

/// <summary>
/// The appliance's speaker with the lookup table that it feeds, put together as <c>run</c> does it, and nothing else. Tells on standard output, one JSON object a
/// line, what happens to its sessions and what it has used by then; answers the lines on standard input until that ends.
/// </summary>
/// <remarks>
/// Events: <c>ready</c>; <c>established</c>, <c>complete</c> (End-of-RIB of both families) and <c>empty</c> (the last path is gone after the session) of a peer;
/// <c>quiet</c> a second after either of the last two. Lines: <c>status</c>; <c>override PREFIX NEXTHOP …</c>, as many pairs as wanted; <c>release</c>, which
/// takes all overrides back; <c>paths N</c>, which asks for the paths of N prefixes as a steering cycle does; <c>collect</c>, which makes the garbage collector do all it can.
/// </remarks>
internal sealed class BgpReceiveCommand : IAsyncDisposable
{
    private const uint Marker = (FeedOptions.ReceiverAs << 16) | 666;
    private static readonly TimeSpan Watch = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Cycle = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private readonly PrefixTable _table = new();
    private readonly BgpSpeaker _speaker;
    private readonly BmpStation? _station;
    private readonly Lock _writing = new();

    private BgpReceiveCommand(ReceiverOptions options)
    {
        BgpSpeakerOptions speaker = new()
        {
            RouterId = IpAddr.From(options.Listen.Address).IPv4Value,
            Peers = [.. options.Peers.Select((address, i) => new BgpPeerOptions
            {
                Name = $"peer{i + 1}",
                RemoteAddress = address,
                LocalAddress = options.Listen.Address,
                LocalAs = FeedOptions.ReceiverAs,
                PeerAs = options.PeerAs,
                Passive = true,
                HoldTime = TimeSpan.FromSeconds(options.HoldTime),
                MaxPrefix = int.MaxValue,
            })],
            Listen = [options.Listen],
            AllowedNextHops = options.NextHops.ToHashSet(),
            OwnAddresses = new HashSet<IpAddr> { IpAddr.From(options.Listen.Address) },
            MarkerCommunity = Marker,
            MaxOverrides = 5000,
            HeartbeatTimeout = 3 * Cycle,
        };
        _speaker = new BgpSpeaker(speaker, null, TimeProvider.System, NullLoggerFactory.Instance, _table);
        if (options.MonitoringPort is { } port)
        {
            BmpStationOptions station = new()
            {
                Routers = [.. speaker.Peers.Select(peer => new BmpRouterOptions { Name = peer.Name, Address = peer.RemoteAddress })],
                Listen = [new IPEndPoint(options.Listen.Address, port)],
            };
            _station = new BmpStation(station, _speaker.Monitor, TimeProvider.System, NullLoggerFactory.Instance);
        }
    }

    /// <summary>Receives until standard input ends.</summary>
    public static async Task<int> RunAsync(ReceiverOptions options)
    {
        await using BgpReceiveCommand receiver = new(options);
        await receiver._speaker.StartAsync(CancellationToken.None);
        if (receiver._station is { } station)
        {
            await station.StartAsync(CancellationToken.None);
        }

        using CancellationTokenSource stop = new();
        Task watching = receiver.WatchAsync(stop.Token);
        receiver.Tell($$"""{"event":"ready","process_id":{{Environment.ProcessId}},"port":{{receiver._speaker.ListeningOn[0].Port}},"usage":{{OwnUsage.Now().ToJson()}}}""");
        while (await Console.In.ReadLineAsync(CancellationToken.None) is { } line)
        {
            receiver.Answer(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        await stop.CancelAsync();
        await watching;
        return 0;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_station is not null)
        {
            await _station.DisposeAsync();
        }

        await _speaker.DisposeAsync();
        _table.Dispose();
    }

    /// <summary>Does what the control loop does to speaker and table, and looks at the sessions.</summary>
    private async Task WatchAsync(CancellationToken stop)
    {
        PeerWatch[] peers = [.. _speaker.GetPeers().Select(_ => new PeerWatch())];
        long lastCycle = Stopwatch.GetTimestamp();
        long? quietFrom = null;
        while (!stop.IsCancellationRequested)
        {
            IReadOnlyList<PeerStatus> status = _speaker.GetPeers();
            for (int i = 0; i < peers.Length; i++)
            {
                quietFrom = Look(peers[i], status[i]) ? Stopwatch.GetTimestamp() : quietFrom;
            }

            if (quietFrom is { } from && Stopwatch.GetElapsedTime(from) >= Quiet)
            {
                quietFrom = null;
                Tell($$"""{"event":"quiet","count":{{_table.Count}},"usage":{{OwnUsage.Now().ToJson()}}}""");
            }

            if (Stopwatch.GetElapsedTime(lastCycle) >= Cycle)
            {
                lastCycle = Stopwatch.GetTimestamp();
                _speaker.Heartbeat();
                _table.Tick();
            }

            await Task.Delay(Watch, CancellationToken.None);
        }
    }

    /// <summary>Tells what has happened to a session; true if a second later is worth a look at the memory.</summary>
    private bool Look(PeerWatch peer, PeerStatus status)
    {
        bool up = status.State == SessionState.Established;
        int routes = status.RoutesIPv4 + status.RoutesIPv6;
        if (up && peer.Transitions != status.Transitions)
        {
            peer.Transitions = status.Transitions;
            peer.Stage = Stage.Loading;
            peer.Begin();
            Tell($$"""{"event":"established","peer":"{{status.Name}}","add_path":{{(status.AddPath ? "true" : "false")}}}""");
        }
        else if (up && peer.Stage == Stage.Loading && status.TableComplete)
        {
            peer.Stage = Stage.Complete;
            Tell(Summary("complete", peer, status));
            return true;
        }
        else if ((peer.Stage == Stage.Complete && !status.TableComplete) || (peer.Stage == Stage.Loading && !up))
        {
            // The speaker takes the paths out before it tells that the session is no longer established.
            peer.Stage = Stage.Emptying;
            peer.Begin();
        }
        else if (peer.Stage == Stage.Emptying && !up && routes == 0)
        {
            peer.Stage = Stage.Down;
            Tell(Summary("empty", peer, status));
            return true;
        }

        return false;
    }

    private string Summary(string name, PeerWatch peer, PeerStatus status)
    {
        double wall = Stopwatch.GetElapsedTime(peer.Since).TotalSeconds;
        OwnUsage usage = OwnUsage.Now();
        return string.Create(CultureInfo.InvariantCulture, $$"""
            {"event":"{{name}}","peer":"{{status.Name}}","wall_seconds":{{wall}},"cpu_seconds":{{usage.CpuSeconds - peer.CpuBefore}},
             "paths_ipv4":{{status.RoutesIPv4}},"paths_ipv6":{{status.RoutesIPv6}},"prefixes":{{_table.Count}},
             "messages_received":{{status.MessagesReceived}},"update_errors":{{status.UpdateErrors}},"usage":{{usage.ToJson()}}}
            """).ReplaceLineEndings("");
    }

    private void Answer(string[] words)
    {
        switch (words)
        {
            case ["override", .. string[] pairs] when pairs.Length % 2 == 0:
                Tell(Announce(pairs));
                break;
            case ["release"]:
                Tell(new { Event = "released", Count = _speaker.WithdrawAll() });
                break;
            case ["paths", string count]:
                Tell(AskForPaths(int.Parse(count)));
                break;
            case ["collect"]:
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                Tell(new { Event = "collected", Usage = OwnUsage.Now() });
                break;
            case ["status"]:
                Tell(new
                {
                    Event = "status",
                    Peers = _speaker.GetPeers().Select(p => new { p.Name, State = p.State.ToString(), p.AddPath, p.TableComplete, PathsIpv4 = p.RoutesIPv4, PathsIpv6 = p.RoutesIPv6, p.Overrides, p.MessagesSent, p.MessagesReceived, p.LastError }),
                    Prefixes = _table.Count,
                    MonitoredRoutes = _station?.GetRouters().Sum(router => router.Routes.Values.Sum()) ?? 0,
                    Usage = OwnUsage.Now(),
                });
                break;
            default:
                Tell(new { Event = "error", Text = "unknown line: " + string.Join(' ', words) });
                break;
        }
    }

    private object Announce(string[] pairs)
    {
        List<Override> overrides = [];
        List<string> refused = [];
        for (int i = 0; i < pairs.Length; i += 2)
        {
            if (_speaker.TryCreateOverride(IpPrefix.Parse(pairs[i]), IpAddr.Parse(pairs[i + 1]), out Override? made, out OverrideRefusal refusal))
            {
                overrides.Add(made!);
            }
            else
            {
                refused.Add($"{pairs[i]}: {refusal}");
            }
        }

        refused.AddRange(_speaker.Announce(overrides).Select(r => $"{r.Prefix}: {r.Refusal}"));
        return new { Event = "announced", Count = _speaker.GetOverrides().Count, Refused = refused };
    }

    private object AskForPaths(int count)
    {
        IpPrefix[] prefixes = [.. _table.Entries().Select(entry => entry.Prefix)];
        new Random(5).Shuffle(prefixes);
        prefixes = prefixes[..Math.Min(count, prefixes.Length)];
        long paths = 0;
        long start = Stopwatch.GetTimestamp();
        foreach (IpPrefix prefix in prefixes)
        {
            paths += _speaker.GetPaths(prefix).Count;
        }

        return new { Event = "paths", Prefixes = prefixes.Length, Paths = paths, Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    private void Tell(object what) => Tell(JsonSerializer.Serialize(what, Serializing.Options));

    /// <summary>What is told of a measurement is put together by hand: a serializer would be part of the memory that is measured.</summary>
    private void Tell(string line)
    {
        lock (_writing)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    /// <summary>Apart, so that the serializer is loaded when the first question is answered and not for the measurement before.</summary>
    private static class Serializing
    {
        public static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    }

    private enum Stage
    {
        Down,
        Loading,
        Complete,
        Emptying,
    }

    private sealed class PeerWatch
    {
        public Stage Stage { get; set; }

        public long Transitions { get; set; }

        public long Since { get; private set; }

        public double CpuBefore { get; private set; }

        public void Begin()
        {
            Since = Stopwatch.GetTimestamp();
            CpuBefore = Environment.CpuUsage.TotalTime.TotalSeconds;
        }
    }
}
